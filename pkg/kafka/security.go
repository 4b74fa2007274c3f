package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// The mechanisms by which a client can say who it is.
const (
	// MechanismPlain sends the password as it is: use it over TLS only.
	MechanismPlain = "PLAIN"
	// MechanismSCRAM256 and MechanismSCRAM512 prove that both sides know the password without sending it (RFC 5802, 7677).
	MechanismSCRAM256 = "SCRAM-SHA-256"
	MechanismSCRAM512 = "SCRAM-SHA-512"
)

// SASL says who we are. The zero value says nothing.
type SASL struct {
	// Mechanism is one of the above; empty for none.
	Mechanism string
	Username  string
	Password  string
}

// String tells mechanism and user, and not the password.
func (s SASL) String() string {
	if s.Mechanism == "" {
		return "none"
	}
	return fmt.Sprintf("%s as %q", s.Mechanism, s.Username)
}

// GoString is String, for %#v.
func (s SASL) GoString() string { return s.String() }

// MarshalText is String, for JSON and loggers.
func (s SASL) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// mechanism is nil when there is nothing to be said.
func (s SASL) mechanism() (sasl.Mechanism, error) {
	if s.Mechanism == "" {
		return nil, nil
	}
	if s.Username == "" || s.Password == "" {
		return nil, fmt.Errorf("SASL %s needs a username and a password", s.Mechanism)
	}
	switch s.Mechanism {
	case MechanismPlain:
		return plain.Mechanism{Username: s.Username, Password: s.Password}, nil
	case MechanismSCRAM256:
		return scrammed(scram.SHA256, s)
	case MechanismSCRAM512:
		return scrammed(scram.SHA512, s)
	}
	return nil, fmt.Errorf("SASL mechanism %q is none of %s, %s and %s", s.Mechanism, MechanismPlain, MechanismSCRAM256, MechanismSCRAM512)
}

func scrammed(algorithm scram.Algorithm, s SASL) (sasl.Mechanism, error) {
	mechanism, err := scram.Mechanism(algorithm, s.Username, s.Password)
	if err != nil { // it quotes what it was given
		return nil, errors.New("the SASL username or password has characters that SCRAM does not allow (RFC 4013)")
	}
	return mechanism, nil
}

// TLSFiles say how connections are encrypted. All are PEM files; empty ones are left out.
type TLSFiles struct {
	// CA has the authorities that may have signed the brokers' certificates. Empty: those that the system trusts.
	CA string
	// Cert and Key are our own certificate, for brokers that ask for one. They are read anew for each connection, so that
	// they can be replaced while we run.
	Cert, Key string
	// ServerName is the name in the brokers' certificates. Empty: the host we connect to.
	ServerName string
}

// Load reads the files, for Cluster.TLS. Its errors name the file.
func (f TLSFiles) Load() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.ServerName}
	if f.CA != "" {
		content, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, fmt.Errorf("read CA: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(content) {
			return nil, fmt.Errorf("read CA: no certificate in %s (PEM, BEGIN CERTIFICATE)", f.CA)
		}
	}
	if f.Cert == "" && f.Key == "" {
		return config, nil
	}
	if _, err := f.certificate(); err != nil {
		return nil, err
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return f.certificate() }
	return config, nil
}

func (f TLSFiles) certificate() (*tls.Certificate, error) {
	certificate, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("read client certificate %s with key %s: %w", f.Cert, f.Key, err)
	}
	return &certificate, nil
}
