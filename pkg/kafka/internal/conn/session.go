package conn

import (
	"encoding/binary"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// session is a connection whose authentication expires (connections.max.reauth.ms of the broker): the broker closes it at the
// first request after that. A session authenticates again before a request late in that time, when no response is
// outstanding (KIP-368). kafka-go does not, and its consumer group would lose its partitions each time.
//
// Writers take turns, and so do readers, as in Transport and Dialer of kafka-go.
type session struct {
	net.Conn
	authenticate func(net.Conn) (time.Duration, error)

	renewAt  time.Time
	sent     messages
	received messages
	awaited  atomic.Int64 // outstanding responses
}

const (
	// renewFraction is the part of the lifetime after which the authentication is renewed.
	renewFraction = 0.8
	// minRenewal is the earliest renewal: brokers refuse one within a second (KafkaChannel.maybeBeginServerReauthentication).
	minRenewal = 1100 * time.Millisecond
)

func renewAfter(lifetime time.Duration) time.Duration {
	return max(time.Duration(renewFraction*float64(lifetime)), minRenewal)
}

// newSession wraps a connection; it returns the connection itself if its authentication does not expire. authenticate
// authenticates again and returns the new lifetime.
func newSession(conn net.Conn, lifetime time.Duration, authenticate func(net.Conn) (time.Duration, error)) net.Conn {
	if lifetime <= 0 {
		return conn
	}
	return &session{Conn: conn, authenticate: authenticate, renewAt: time.Now().Add(renewAfter(lifetime))}
}

// Write writes requests or parts of them. If the authentication is about to expire it is renewed first.
func (s *session) Write(b []byte) (int, error) {
	if s.awaited.Load() == 0 && s.sent.between() && time.Now().After(s.renewAt) {
		lifetime, err := s.authenticate(s.Conn)
		if err != nil {
			return 0, fmt.Errorf("renew authentication: %w", err)
		}
		s.renewAt = time.Now().Add(renewAfter(lifetime))
	}
	n, err := s.Conn.Write(b)
	s.awaited.Add(s.sent.count(b[:n]))
	return n, err
}

// Read reads responses or parts of them.
func (s *session) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	s.awaited.Add(-s.received.count(b[:n]))
	return n, err
}

// messages counts Kafka's messages in a stream of bytes. A message is its length (int32) and as many bytes.
type messages struct {
	length []byte // of the current message, as far as it has been seen
	left   int    // bytes of the current message that are still to come
}

// between reports whether the stream is at the end of a message.
func (m *messages) between() bool { return len(m.length) == 0 && m.left == 0 }

// count returns how many messages end in b.
func (m *messages) count(b []byte) (ended int64) {
	for len(b) > 0 {
		if m.left == 0 {
			missing := min(4-len(m.length), len(b))
			m.length = append(m.length, b[:missing]...)
			b = b[missing:]
			if len(m.length) < 4 {
				return ended
			}
			m.left = int(binary.BigEndian.Uint32(m.length))
			m.length = m.length[:0]
		}
		n := min(m.left, len(b))
		m.left -= n
		b = b[n:]
		if m.left == 0 {
			ended++
		}
	}
	return ended
}
