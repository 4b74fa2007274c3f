package service_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/service"
)

// onBrokers returns the service of a world with other brokers: each connection to them is taken by what is given.
func onBrokers(t *testing.T, c service.Config, take func(net.Conn)) *service.Service {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			take(connection)
		}
	}()
	c.Cluster.Brokers = []string{listener.Addr().String()}
	s := service.New(c)
	t.Cleanup(s.Stop)
	return s
}

// change changes something, which needs brokers.
func change(ctx context.Context, s *service.Service, name string) error {
	_, err := s.SaveSegment(ctx, "ann", "acme", service.SaveSegment{Name: name, Conditions: "received any"})
	return err
}

// Who does not wait any more for brokers that hang need not wait for those who do.
func TestLeaveWhileBrokersHang(t *testing.T) {
	w := newWorld(t)
	asked := make(chan net.Conn, 100)
	s := onBrokers(t, w.Config, func(c net.Conn) { asked <- c })
	waits, leave := context.WithCancel(t.Context())
	waited := make(chan error, 1)
	go func() { waited <- change(waits, s, "a") }()
	connection := <-asked
	defer func() { _ = connection.Close() }()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, change(gone, s, "b"), context.Canceled)
	leave()
	require.ErrorIs(t, <-waited, context.Canceled)
	assert.Empty(t, asked, "one connection asks for all")
}

// One connection that breaks refuses nothing. If brokers can't be reached, the log has why, and the answer what to check.
func TestConnectionsBreak(t *testing.T) {
	w := newWorld(t)
	broker, broken := w.Config.Cluster.Brokers[0], 1
	s := onBrokers(t, w.Config, func(c net.Conn) {
		if broken > 0 {
			broken--
			_ = c.Close()
			return
		}
		forward(t, c, broker)
	})
	require.NoError(t, change(t.Context(), s, "a"))

	s = onBrokers(t, w.Config, func(c net.Conn) { _ = c.Close() })
	err := change(t.Context(), s, "b")
	require.ErrorIs(t, err, service.ErrUnavailable)
	assert.Regexp(t, `^not available now: Kafka can't be reached at 127\.0\.0\.1:\d+: check that the brokers run, and kafka\.brokers\. `+
		`What the console has read is shown all the same$`, err.Error())
	logged := w.Logs.FilterMessage("brokers not reached").All()
	require.Len(t, logged, 1)
	assert.NotEmpty(t, logged[0].ContextMap()["error"])
}

// forward connects a connection to a broker.
func forward(t *testing.T, from net.Conn, broker string) {
	t.Helper()
	to, err := new(net.Dialer).DialContext(t.Context(), "tcp", broker)
	if err != nil {
		_ = from.Close()
		return
	}
	for _, pair := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			_ = pair[0].Close()
		}()
	}
}

// A command, which has no read model, tries for as long as reading and writing topics does, and has no words of the console.
func TestCommandWaitsForBrokers(t *testing.T) {
	w := newWorld(t)
	w.Config.Model = nil
	ctx, leave := context.WithTimeout(t.Context(), time.Second)
	defer leave()
	tries := 0
	s := onBrokers(t, w.Config, func(c net.Conn) {
		_ = c.Close()
		if tries++; tries == 5 {
			leave()
		}
	})
	err := change(ctx, s, "a")
	require.ErrorIs(t, err, ctx.Err())
	assert.NotContains(t, err.Error(), "the console")
}
