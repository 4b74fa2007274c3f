package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
)

// explainTLS says what to check when a connection can't be encrypted.
func explainTLS(address string, err error) error {
	var stranger x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var plain tls.RecordHeaderError
	check := ""
	switch {
	case errors.As(err, &stranger):
		check = "kafka.tls.ca_file: it must have the authority that signed the broker's certificate"
	case errors.As(err, &name):
		check = "kafka.tls.server_name, and the host in kafka.brokers: the certificate must have that name"
	case errors.As(err, &invalid):
		check = "the broker's certificate, and this machine's clock"
	case errors.As(err, &plain):
		check = "the port in kafka.brokers: nothing speaks TLS there, or set kafka.tls.enabled to false"
	case isAlert(err):
		check = "kafka.tls.cert_file and kafka.tls.key_file: the broker did not accept what we showed"
	case hungUp(err): // as a broker also does that is about to stop
		return fmt.Errorf("TLS with %s: %w; if that stays so, check its port in kafka.brokers: it may not speak TLS there", address, err)
	default:
		return fmt.Errorf("TLS with %s: %w", address, err)
	}
	return fmt.Errorf("%w: TLS with %s: %w; check %s", ErrAccess, address, err, check)
}

// explainGreeting says what to check when a broker does not answer a first request.
func (d *dialer) explainGreeting(address string, err error) error {
	switch {
	case errors.Is(err, errAlert):
		return fmt.Errorf("%w: %s speaks TLS: %w; set kafka.tls.enabled to true, or check its port in kafka.brokers", ErrAccess, address, err)
	case errors.Is(err, errNotKafka):
		return fmt.Errorf("%w: %s: %w; check its port in kafka.brokers", ErrAccess, address, err)
	case isAlert(err): // in TLS 1.3 a broker asks for a certificate after the client is done
		return fmt.Errorf("%w: TLS with %s: %w; check kafka.tls.cert_file and kafka.tls.key_file: the broker wants a certificate that it can trust",
			ErrAccess, address, err)
	case !hungUp(err):
		return fmt.Errorf("ask %s: %w", address, err)
	case d.tls == nil && d.login == nil:
		return fmt.Errorf("%s hung up at the first request: %w; if that stays so, it may want TLS (kafka.tls.enabled) or a login (kafka.sasl.mechanism) at this port",
			address, err)
	case d.tls == nil:
		return fmt.Errorf("%s hung up at the first request: %w; if that stays so, it may want TLS (kafka.tls.enabled) at this port", address, err)
	default:
		return fmt.Errorf("%s hung up at the first request: %w; if that stays so, it may want a client certificate (kafka.tls.cert_file) or a login (kafka.sasl.mechanism)",
			address, err)
	}
}

// isAlert tells whether the other side gave up TLS and said why.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error" // crypto/tls has no type for it that it exports
}

func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
