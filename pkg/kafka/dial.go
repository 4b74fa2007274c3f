package kafka

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
	"github.com/segmentio/kafka-go/sasl"
)

// dialer opens connections for both halves of kafka-go, Transport and Dialer: encrypted, and logged in. Both could do so
// themselves, but Transport logs in without a deadline (transport.go of v0.4.51, connect), so that a broker that hangs
// would block it for ever, and neither says what to check.
type dialer struct {
	net      net.Dialer
	clientID string
	tls      *tls.Config
	sasl     SASL
	login    sasl.Mechanism // nil for none
	refused  error          // why login could not be made
}

func (c Cluster) dialer() *dialer {
	login, err := c.SASL.mechanism()
	return &dialer{clientID: c.ClientID, tls: c.TLS, sasl: c.SASL, login: login, refused: err}
}

// dial returns a connection that a broker has answered on. It takes dialTimeout at most. Errors that only another
// configuration can mend are ErrAccess.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if d.refused != nil {
		return nil, fmt.Errorf("%w: %w", ErrAccess, d.refused)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	raw, err := d.net.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	interrupt := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Now()) }) // it can only be closed already
	conn, err := d.enter(ctx, raw, address)
	if !interrupt() {
		err = errors.Join(fmt.Errorf("connect to %s: %w", address, ctx.Err()), err)
	}
	if err != nil {
		_ = raw.Close() // it is being given up
		return nil, err
	}
	return conn, nil
}

// enter encrypts a connection, sees whether a broker answers, and logs in.
func (d *dialer) enter(ctx context.Context, conn net.Conn, address string) (net.Conn, error) {
	if d.tls != nil {
		config := d.tls.Clone()
		if config.ServerName == "" {
			config.ServerName, _, _ = net.SplitHostPort(address) // validate and brokers give host:port
		}
		encrypted := tls.Client(conn, config)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return nil, explainTLS(address, err)
		}
		conn = encrypted
	}
	if err := d.greet(conn); err != nil {
		return nil, d.explainGreeting(address, err)
	}
	if d.login == nil {
		return conn, nil
	}
	lifetime, err := d.logIn(ctx, conn, address)
	if err != nil {
		return nil, err
	}
	return newSession(conn, lifetime, d.renew(address)), nil
}

// greeting is the least request that a broker answers: what it can do, which it tells anybody, or, of one that wants no
// login, the names of no topics, which it tells only to those who need none.
func (d *dialer) greeting() []byte {
	key, version, body := protocol.Metadata, int16(1), []byte{0, 0, 0, 0}
	if d.login != nil {
		key, version, body = protocol.ApiVersions, 0, nil
	}
	request := binary.BigEndian.AppendUint32(nil, uint32(2+2+4+2+len(d.clientID)+len(body)))
	request = binary.BigEndian.AppendUint16(request, uint16(key))
	request = binary.BigEndian.AppendUint16(request, uint16(version))
	request = binary.BigEndian.AppendUint32(request, 0) // its number
	request = binary.BigEndian.AppendUint16(request, uint16(len(d.clientID)))
	return append(append(request, d.clientID...), body...)
}

// errNotKafka is an answer that begins as no Kafka answer does; errAlert one that begins as TLS does when it gives up.
var (
	errNotKafka = errors.New("the answer is not Kafka's")
	errAlert    = errors.New("the answer is TLS")
)

func (d *dialer) greet(conn net.Conn) error {
	if _, err := conn.Write(d.greeting()); err != nil {
		return err
	}
	const alert, largest = 0x15, 1 << 20
	var length [4]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(length[:])
	switch {
	case length[0] == alert:
		return errAlert
	case size > largest:
		return errNotKafka
	}
	_, err := io.CopyN(io.Discard, conn, int64(size))
	return err
}

// logIn tells how long the login is good for; 0 for ever.
func (d *dialer) logIn(ctx context.Context, conn net.Conn, address string) (lifetime time.Duration, err error) {
	line := protocol.NewConn(conn, d.clientID)
	line.SetVersions(map[protocol.ApiKey]int16{protocol.SaslHandshake: 1, protocol.SaslAuthenticate: 1})
	answer, err := line.RoundTrip(&saslhandshake.Request{Mechanism: d.login.Name()})
	if err != nil {
		return 0, fmt.Errorf("log in to %s: %w", address, err)
	}
	if handshake := answer.(*saslhandshake.Response); handshake.ErrorCode != 0 {
		return 0, explainHandshake(address, d.login.Name(), handshake)
	}
	session, say, err := d.login.Start(ctx)
	for done := false; err == nil && !done; {
		var said *saslauthenticate.Response
		if said, err = d.say(line, address, say); err != nil {
			return 0, err
		}
		lifetime = time.Duration(said.SessionLifetimeMs) * time.Millisecond
		done, say, err = session.Next(ctx, said.AuthBytes)
	}
	if err != nil {
		return 0, d.explainLogin(address, err)
	}
	return lifetime, nil
}

// say sends one message of a login and returns what the broker says to it.
func (d *dialer) say(line *protocol.Conn, address string, message []byte) (*saslauthenticate.Response, error) {
	answer, err := line.RoundTrip(&saslauthenticate.Request{AuthBytes: message})
	if err != nil {
		return nil, fmt.Errorf("log in to %s: %w", address, err)
	}
	said := answer.(*saslauthenticate.Response)
	if said.ErrorCode != 0 {
		return nil, d.explainLogin(address, fmt.Errorf("%w (%s)", kafka.Error(said.ErrorCode), said.ErrorMessage))
	}
	return said, nil
}

func (d *dialer) explainLogin(address string, err error) error {
	return fmt.Errorf("%w: log in to %s by SASL %v: %w; check kafka.sasl.username and kafka.sasl.password", ErrAccess, address, d.sasl, err)
}

func explainHandshake(address, mechanism string, answer *saslhandshake.Response) error {
	code := kafka.Error(answer.ErrorCode)
	switch code {
	case kafka.UnsupportedSASLMechanism:
		slices.Sort(answer.Mechanisms)
		return fmt.Errorf("%w: %s does not take SASL %s: it takes %s; check kafka.sasl.mechanism",
			ErrAccess, address, mechanism, strings.Join(answer.Mechanisms, ", "))
	case kafka.IllegalSASLState:
		return fmt.Errorf("%w: %s takes no SASL; check its port in kafka.brokers, or leave kafka.sasl.mechanism empty", ErrAccess, address)
	}
	return fmt.Errorf("%w: log in to %s: %w", ErrAccess, address, code)
}
