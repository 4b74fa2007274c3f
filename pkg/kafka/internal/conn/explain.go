package conn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
)

// explainTLS names the setting to check after a TLS handshake failed.
func explainTLS(address string, err error) error {
	var unknownAuthority x509.UnknownAuthorityError
	var wrongHost x509.HostnameError
	var invalid x509.CertificateInvalidError
	var notTLS tls.RecordHeaderError
	check := ""
	switch {
	case errors.As(err, &unknownAuthority):
		check = "kafka.tls.ca_file: it must contain the CA that signed the broker's certificate"
	case errors.As(err, &wrongHost):
		check = "kafka.tls.server_name, and the host in kafka.brokers: the certificate must have that name"
	case errors.As(err, &invalid):
		check = "the broker's certificate, and this machine's clock"
	case errors.As(err, &notTLS):
		check = "the port in kafka.brokers: it does not use TLS, or set kafka.tls.enabled to false"
	case isAlert(err):
		check = "kafka.tls.cert_file and kafka.tls.key_file: the broker rejected the client certificate"
	case disconnected(err): // a broker that shuts down also disconnects
		return fmt.Errorf("TLS handshake with %s: %w; if this persists, check the port in kafka.brokers: it may not use TLS", address, err)
	default:
		return fmt.Errorf("TLS handshake with %s: %w", address, err)
	}
	return fmt.Errorf("%w: TLS handshake with %s: %w; check %s", ErrAccess, address, err, check)
}

// explainPing names the setting to check when a broker does not answer the first request.
func (d *Dialer) explainPing(address string, err error) error {
	switch {
	case errors.Is(err, errTLSAlert):
		return fmt.Errorf("%w: %s requires TLS: %w; set kafka.tls.enabled to true, or check the port in kafka.brokers", ErrAccess, address, err)
	case errors.Is(err, errNotKafka):
		return fmt.Errorf("%w: %s: %w; check the port in kafka.brokers", ErrAccess, address, err)
	case isAlert(err): // with TLS 1.3 a broker rejects the certificate after the client's handshake has ended
		return fmt.Errorf("%w: TLS handshake with %s: %w; check kafka.tls.cert_file and kafka.tls.key_file: the broker requires a certificate that it trusts",
			ErrAccess, address, err)
	case !disconnected(err):
		return fmt.Errorf("first request to %s: %w", address, err)
	case d.tls == nil && !d.sasl.enabled():
		return fmt.Errorf("%s disconnected after the first request: %w; if this persists, the port may require TLS (kafka.tls.enabled) or authentication (kafka.sasl.mechanism)",
			address, err)
	case d.tls == nil:
		return fmt.Errorf("%s disconnected after the first request: %w; if this persists, the port may require TLS (kafka.tls.enabled)", address, err)
	default:
		return fmt.Errorf("%s disconnected after the first request: %w; if this persists, the port may require a client certificate (kafka.tls.cert_file) or authentication (kafka.sasl.mechanism)",
			address, err)
	}
}

// explainCredentials names the settings to check when a broker rejects the credentials.
func (d *Dialer) explainCredentials(address string, err error, login *login) error {
	return fmt.Errorf("%w: authenticate with %s by SASL %v: %w; check %s", ErrAccess, address, d.sasl, login.hide(err), d.sasl.settings())
}

// explainHandshake names the setting to check when a broker rejects the SASL mechanism.
func explainHandshake(address, mechanism string, answer *saslhandshake.Response) error {
	code := kafka.Error(answer.ErrorCode)
	switch code {
	case kafka.UnsupportedSASLMechanism:
		slices.Sort(answer.Mechanisms)
		return fmt.Errorf("%w: %s does not support SASL %s, only %s; check kafka.sasl.mechanism",
			ErrAccess, address, mechanism, strings.Join(answer.Mechanisms, ", "))
	case kafka.IllegalSASLState:
		return fmt.Errorf("%w: %s does not use SASL; check the port in kafka.brokers, or leave kafka.sasl.mechanism empty", ErrAccess, address)
	}
	return fmt.Errorf("%w: authenticate with %s: %w", ErrAccess, address, code)
}

// isAlert reports whether the peer sent a TLS alert.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error" // crypto/tls exports no type for it
}

func disconnected(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
