package credentials

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// TLSFiles names the PEM files of TLS connections. Empty ones are not used.
type TLSFiles struct {
	// CA contains the CAs that brokers' certificates may be signed by. Empty: the system's CAs.
	CA string
	// Cert and Key are the client certificate, if brokers require one.
	Cert, Key string
	// ServerName is the name in the brokers' certificates. Empty: the host of each broker.
	ServerName string
}

// Load reads the files and returns what Cluster.TLS needs: it reads them again for each connection, so that they can be replaced
// without a restart. If they can't be read then, the last ones are used. Errors name the file.
func (f TLSFiles) Load(warn Warn) (func() (*tls.Config, error), error) {
	authorities := newReloaded(f.authorities, warn)
	if _, err := authorities.get(); err != nil {
		return nil, err
	}
	certificate := newReloaded(f.certificate, warn)
	if _, err := certificate.get(); err != nil {
		return nil, err
	}
	return func() (*tls.Config, error) {
		config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.ServerName}
		var err error
		if config.RootCAs, err = authorities.get(); err != nil {
			return nil, err
		}
		own, err := certificate.get()
		if own != nil {
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own, nil }
		}
		return config, err
	}, nil
}

// authorities returns the CAs; nil for the system's.
func (f TLSFiles) authorities() (*x509.CertPool, error) {
	if f.CA == "" {
		return nil, nil
	}
	content, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, fmt.Errorf("read CA: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("read CA: no certificate in %s (PEM, BEGIN CERTIFICATE)", f.CA)
	}
	return pool, nil
}

// certificate returns the client certificate; nil for none.
func (f TLSFiles) certificate() (*tls.Certificate, error) {
	if f.Cert == "" && f.Key == "" {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("read client certificate %s with key %s: %w", f.Cert, f.Key, err)
	}
	return &certificate, nil
}
