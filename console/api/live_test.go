package api_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/console"
	"github.com/rechargeflow/rechargeflow/console/api"
	"github.com/rechargeflow/rechargeflow/console/service"
)

// streams is a service whose streams a test sends to. Its connections have no buffer, and the clock is that of synctest.
type streams struct {
	api.Service

	handler http.Handler
	mutex   sync.Mutex
	open    []stream
}

type stream struct {
	rows  chan service.Live
	ended <-chan struct{} // closed when the server has given the reader up
}

func newStreams() *streams {
	s := &streams{}
	s.handler = console.Site{Gate: gate{}, API: api.New(s, zap.NewNop())}.Handler(console.Measure{Metrics: &measured{}, Log: zap.NewNop(), Now: time.Now})
	return s
}

// Live is part of api.Service.
func (s *streams) Live(ctx context.Context, _ string) (<-chan service.Live, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	opened := stream{make(chan service.Live), ctx.Done()}
	s.open = append(s.open, opened)
	return opened.rows, nil
}

// connect asks for a stream, and returns what its reader reads from and what the test sends to.
func (s *streams) connect(t *testing.T, header string) (reader net.Conn, sent stream) {
	t.Helper()
	reader, accepted := net.Pipe()
	listener := &one{accepted: make(chan net.Conn, 1), closed: make(chan struct{})}
	listener.accepted <- accepted
	server := &http.Server{Handler: s.handler} //nolint:gosec // a test's own
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	_, err := io.WriteString(reader, "GET /api/v1/stores/acme/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"+header+"\r\n")
	require.NoError(t, err)
	synctest.Wait()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return reader, s.open[len(s.open)-1]
}

// one is a listener of one connection.
type one struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

// Accept is part of net.Listener.
func (o *one) Accept() (net.Conn, error) {
	select {
	case c := <-o.accepted:
		return c, nil
	case <-o.closed:
		return nil, net.ErrClosed
	}
}

// Close is part of net.Listener.
func (o *one) Close() error {
	o.once.Do(func() { close(o.closed) })
	return nil
}

// Addr is part of net.Listener.
func (o *one) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// awaitLine reads until a line begins like this.
func awaitLine(t *testing.T, lines *bufio.Reader, begin string) string {
	t.Helper()
	for {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		if strings.HasPrefix(line, begin) {
			return strings.TrimSpace(line)
		}
	}
}

// A reader who takes nothing for five seconds is dropped. Another one gets each row at once.
func TestSlowReaderIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreams()
		_, slow := s.connect(t, "") // it does not even read the head of the answer
		reader, quick := s.connect(t, "")
		lines := bufio.NewReader(reader)
		awaitLine(t, lines, "retry: 3000")
		began := time.Now()
		quick.rows <- service.Live{Kind: "text", ID: "1"}
		awaitLine(t, lines, "event: text")
		assert.Contains(t, awaitLine(t, lines, "data: "), `"id":"1"`)
		assert.Zero(t, time.Since(began), "it does not wait for the other one")

		<-slow.ended
		assert.Equal(t, 5*time.Second, time.Since(began))
		quick.rows <- service.Live{Kind: "event", ID: "2"}
		awaitLine(t, lines, "event: event")
		assert.Equal(t, 5*time.Second, time.Since(began))
	})
}

// A stream in which nothing happens has a comment every 15 seconds, so that proxies keep it open.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreams()
		reader, _ := s.connect(t, "")
		lines, began := bufio.NewReader(reader), time.Now()
		for beat := range 3 {
			assert.Equal(t, ": alive", awaitLine(t, lines, ":"))
			assert.Equal(t, time.Duration(beat+1)*15*time.Second, time.Since(began))
		}
	})
}

// Rows have no IDs, so a reader that reconnects may have missed some: it gets what comes from now on, and reads the lists again.
func TestReaderBeginsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreams()
		reader, first := s.connect(t, "")
		lines := bufio.NewReader(reader)
		awaitLine(t, lines, "retry: ")
		close(first.rows) // the console has dropped it
		rest, err := io.ReadAll(lines)
		require.NoError(t, err)
		assert.NotContains(t, string(rest), "id:")

		reader, again := s.connect(t, "Last-Event-ID: 7\r\n")
		lines = bufio.NewReader(reader)
		awaitLine(t, lines, "HTTP/1.1 200 OK")
		awaitLine(t, lines, "retry: 3000")
		again.rows <- service.Live{Kind: "text", ID: "8"}
		assert.Equal(t, "event: text", awaitLine(t, lines, "event: "))
	})
}
