package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// session is a connection whose login is good for a while only (connections.max.reauth.ms of the broker): the broker
// would close it at the first request after that. It logs in anew before a request that comes late in that time, when no
// answer is under way (KIP-368). kafka-go does not, and its consumer group would lose its partitions every time.
//
// Who writes takes turns, and so does who reads, as in both halves of kafka-go.
type session struct {
	net.Conn
	again func(net.Conn) (time.Duration, error)

	due      time.Time
	sent     messages
	received messages
	awaited  atomic.Int64 // answers
}

// lateIn is how much of a session passes before it is renewed; brokers refuse to renew one younger than a second
// (KafkaChannel.maybeBeginServerReauthentication).
const (
	lateIn     = 0.8
	leastRenew = 1100 * time.Millisecond
)

func renewAfter(lifetime time.Duration) time.Duration {
	return max(time.Duration(lateIn*float64(lifetime)), leastRenew)
}

// newSession returns the connection itself when its login is good for ever. Again logs in on a connection and tells for
// how long; 0 for ever.
func newSession(conn net.Conn, lifetime time.Duration, again func(net.Conn) (time.Duration, error)) net.Conn {
	if lifetime <= 0 {
		return conn
	}
	return &session{Conn: conn, again: again, due: time.Now().Add(renewAfter(lifetime))}
}

// Write writes requests or parts of them, and before that renews the login if it is due.
func (s *session) Write(b []byte) (int, error) {
	if s.awaited.Load() == 0 && s.sent.between() && time.Now().After(s.due) {
		lifetime, err := s.again(s.Conn)
		if err != nil {
			return 0, fmt.Errorf("renew login: %w", err)
		}
		s.due = time.Now().Add(renewAfter(lifetime))
	}
	n, err := s.Conn.Write(b)
	s.awaited.Add(s.sent.pass(b[:n]))
	return n, err
}

// Read reads answers or parts of them.
func (s *session) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	s.awaited.Add(-s.received.pass(b[:n]))
	return n, err
}

// messages counts Kafka's messages in a stream of bytes: each is its length, an int32, and so many bytes.
type messages struct {
	length []byte // as much of it as has passed
	left   int    // bytes of the message that have not passed
}

// between tells whether the last message has passed and the next one not begun.
func (m *messages) between() bool { return len(m.length) == 0 && m.left == 0 }

// pass returns how many messages end in b.
func (m *messages) pass(b []byte) (ended int64) {
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
		passing := min(m.left, len(b))
		m.left -= passing
		b = b[passing:]
		if m.left == 0 {
			ended++
		}
	}
	return ended
}

// renew is again for a session at address.
func (d *dialer) renew(address string) func(net.Conn) (time.Duration, error) {
	return func(conn net.Conn) (time.Duration, error) {
		return d.logIn(context.Background(), conn, address) // the connection has the deadline of the request
	}
}
