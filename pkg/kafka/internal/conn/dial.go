package conn

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
)

// DialTimeout limits Dial.
const DialTimeout = 3 * time.Second

// Dialer opens encrypted and authenticated connections, for kafka-go's Transport and for its Dialer. They could do so
// themselves. But Transport authenticates without a deadline (transport.go of v0.4.51, connect): a broker that hangs would block it
// for ever. And their errors do not name the setting to check.
type Dialer struct {
	net      net.Dialer
	clientID string
	tls      func() (*tls.Config, error)
	sasl     SASL
	invalid  error // why there can be no connection
	metrics  Metrics

	principal atomic.Value // string, of the last connection
}

// NewDialer returns a dialer with a cluster's credentials.
func NewDialer(cluster Cluster) *Dialer {
	return &Dialer{clientID: cluster.ClientID, tls: cluster.TLS, sasl: cluster.SASL, invalid: cluster.SASL.validate(), metrics: cluster.metrics()}
}

// Dial opens a connection and waits until the broker has answered a first request. It takes DialTimeout at most. The error is
// ErrAccess if settings must be changed. Credentials are read again for each connection.
func (d *Dialer) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if d.invalid != nil {
		return nil, fmt.Errorf("%w: %w", ErrAccess, d.invalid)
	}
	ctx, cancel := context.WithTimeout(ctx, DialTimeout)
	defer cancel()
	login, err := d.sasl.login(ctx) // before the broker waits for it
	if err != nil {
		return nil, err
	}
	raw, err := d.net.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	interrupt := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Now()) }) // fails only if it is closed already
	conn, err := d.handshake(ctx, raw, address, login)
	if !interrupt() {
		err = errors.Join(fmt.Errorf("connect to %s: %w", address, ctx.Err()), err)
	}
	if err != nil {
		_ = raw.Close() // already failed
		return nil, err
	}
	return conn, nil
}

// handshake encrypts a connection, checks that a Kafka broker answers, and authenticates.
func (d *Dialer) handshake(ctx context.Context, conn net.Conn, address string, login *login) (net.Conn, error) {
	if d.tls != nil {
		config, err := d.tls()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCredentials, err)
		}
		config = d.withPrincipal(config.Clone())
		host, _, _ := net.SplitHostPort(address) // Validate and brokers give host:port
		config.ServerName = cmp.Or(config.ServerName, host)
		encrypted := tls.Client(conn, config)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return nil, explainTLS(address, err)
		}
		conn = encrypted
		d.metrics.KafkaCertificate(host, expiry(encrypted.ConnectionState()))
	}
	if err := d.ping(conn); err != nil {
		return nil, d.explainPing(address, err)
	}
	if login == nil {
		return conn, nil
	}
	d.principal.Store(d.sasl.principal(login.secret))
	lifetime, err := d.authenticate(ctx, conn, address, login)
	if err != nil {
		return nil, err
	}
	return newSession(conn, lifetime, d.reauthenticate(address)), nil
}

// Principal returns the name that brokers give this client by default, for kafka-acls (https://kafka.apache.org/documentation/#security_authz).
func (d *Dialer) Principal() string {
	principal, _ := d.principal.Load().(string)
	return cmp.Or(principal, "User:ANONYMOUS")
}

// withPrincipal stores the subject of the client certificate when a broker requests one.
func (d *Dialer) withPrincipal(config *tls.Config) *tls.Config {
	certificate := config.GetClientCertificate
	if certificate == nil {
		return config
	}
	config.GetClientCertificate = func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		found, err := certificate(request)
		if err == nil && found.Leaf != nil {
			d.principal.Store("User:" + found.Leaf.Subject.String())
		}
		return found, err
	}
	return config
}

// pingRequest is the smallest request that fails if authentication is required and missing: Metadata of no topics. With
// credentials it is ApiVersions, which brokers answer before authentication.
func (d *Dialer) pingRequest() []byte {
	key, version, body := protocol.Metadata, int16(1), []byte{0, 0, 0, 0}
	if d.sasl.enabled() {
		key, version, body = protocol.ApiVersions, 0, nil
	}
	request := binary.BigEndian.AppendUint32(nil, uint32(2+2+4+2+len(d.clientID)+len(body)))
	request = binary.BigEndian.AppendUint16(request, uint16(key))
	request = binary.BigEndian.AppendUint16(request, uint16(version))
	request = binary.BigEndian.AppendUint32(request, 0) // correlation id
	request = binary.BigEndian.AppendUint16(request, uint16(len(d.clientID)))
	return append(append(request, d.clientID...), body...)
}

var (
	// errNotKafka means that a response is not in Kafka's format.
	errNotKafka = errors.New("the response is not a Kafka response")
	// errTLSAlert means that the response to an unencrypted request is a TLS alert.
	errTLSAlert = errors.New("the response is a TLS alert")
)

// ping sends the first request and reads its response.
func (d *Dialer) ping(conn net.Conn) error {
	if _, err := conn.Write(d.pingRequest()); err != nil {
		return err
	}
	const alert, maxSize = 0x15, 1 << 20
	var length [4]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(length[:])
	switch {
	case length[0] == alert:
		return errTLSAlert
	case size > maxSize:
		return errNotKafka
	}
	_, err := io.CopyN(io.Discard, conn, int64(size))
	return err
}

// authenticate runs the SASL exchange and returns the lifetime of the authentication; 0 if it does not expire.
func (d *Dialer) authenticate(ctx context.Context, conn net.Conn, address string, login *login) (lifetime time.Duration, err error) {
	requests := protocol.NewConn(conn, d.clientID)
	requests.SetVersions(map[protocol.ApiKey]int16{protocol.SaslHandshake: 1, protocol.SaslAuthenticate: 1})
	answer, err := requests.RoundTrip(&saslhandshake.Request{Mechanism: d.sasl.Mechanism})
	if err != nil {
		return 0, fmt.Errorf("authenticate with %s: %w", address, err)
	}
	if handshake := answer.(*saslhandshake.Response); handshake.ErrorCode != 0 {
		return 0, explainHandshake(address, d.sasl.Mechanism, handshake)
	}
	state, message, err := login.mechanism.Start(ctx)
	for done := false; err == nil && !done; {
		var response *saslauthenticate.Response
		if response, err = d.exchange(requests, address, message, login); err != nil {
			return 0, err
		}
		lifetime = time.Duration(response.SessionLifetimeMs) * time.Millisecond
		done, message, err = state.Next(ctx, response.AuthBytes)
	}
	if err != nil {
		return 0, d.explainCredentials(address, err, login)
	}
	return lifetime, nil
}

// exchange sends one message of the SASL exchange and returns the response.
func (d *Dialer) exchange(requests *protocol.Conn, address string, message []byte, login *login) (*saslauthenticate.Response, error) {
	answer, err := requests.RoundTrip(&saslauthenticate.Request{AuthBytes: message})
	if err != nil {
		return nil, fmt.Errorf("authenticate with %s: %w", address, err)
	}
	response := answer.(*saslauthenticate.Response)
	if response.ErrorCode != 0 {
		return nil, d.explainCredentials(address, fmt.Errorf("%w (%s)", kafka.Error(response.ErrorCode), response.ErrorMessage), login)
	}
	return response, nil
}

// reauthenticate returns what a session calls to authenticate again, with credentials that are read again.
func (d *Dialer) reauthenticate(address string) func(net.Conn) (time.Duration, error) {
	return func(conn net.Conn) (time.Duration, error) {
		ctx, cancel := context.WithTimeout(context.Background(), DialTimeout)
		defer cancel()
		login, err := d.sasl.login(ctx)
		if err != nil {
			return 0, err
		}
		return d.authenticate(ctx, conn, address, login) // the connection has the deadline of the request
	}
}
