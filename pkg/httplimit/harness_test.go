package httplimit_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const bodyLimit = 64 << 10

// server reads the body of each request and answers with its length, or the error. A path that begins with /hold is answered when the
// test says so.
type server struct {
	t           *testing.T
	address     string
	connections *httplimit.Connections
	bodies      *httplimit.Budget
	held        chan struct{} // a request is held
	release     chan struct{} // closed: held requests are answered

	idled atomic.Int64 // how often a connection became idle

	mutex sync.Mutex
	own   []int // statuses of net/http's own answers
}

func newServer(t *testing.T, connections int, memory int64) *server {
	t.Helper()
	s := &server{t: t, bodies: httplimit.NewBudget(memory), held: make(chan struct{}, 100), release: make(chan struct{})}
	s.connections = httplimit.NewConnections(connections, time.Now, func(status int, took time.Duration) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.own = append(s.own, status)
		assert.Less(t, took, time.Minute)
	})
	h := httptest.NewUnstartedServer(http.HandlerFunc(s.handle))
	h.Config.MaxHeaderBytes, h.Config.ReadTimeout = 32<<10, time.Minute
	h.Config.ConnContext = s.connections.Context
	h.Config.ConnState = func(c net.Conn, state http.ConnState) {
		s.connections.State(c, state)
		if state == http.StateIdle {
			s.idled.Add(1)
		}
	}
	h.Listener = s.connections.Listen(h.Listener)
	h.Start()
	t.Cleanup(h.Close)
	s.address = h.Listener.Addr().String()
	return s
}

func (s *server) handle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	body, err := s.bodies.Read(w, r, bodyLimit)
	defer body.Release()
	if err != nil {
		w.Header().Set("Connection", "close") // else net/http waits for the rest of the body
	}
	switch {
	case errors.Is(err, httplimit.ErrTooLarge):
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	case errors.Is(err, httplimit.ErrNoMemory), errors.Is(err, httplimit.ErrEvicted):
		w.WriteHeader(http.StatusServiceUnavailable)
	case err != nil:
		w.WriteHeader(http.StatusBadRequest)
	default:
		if strings.HasPrefix(r.URL.Path, "/hold") {
			s.held <- struct{}{}
			<-s.release
		}
		_, _ = fmt.Fprintf(w, "%d", len(body.Bytes))
	}
}

func (s *server) ownAnswers() []int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]int(nil), s.own...)
}

// client is a raw connection.
type client struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func (s *server) dial() *client {
	s.t.Helper()
	conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", s.address)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = conn.Close() }) // the server may have
	require.NoError(s.t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	return &client{t: s.t, conn: conn, in: bufio.NewReader(conn)}
}

// send writes text, without regard to whether the server reads it.
func (c *client) send(text string) *client {
	_, _ = io.WriteString(c.conn, text)
	return c
}

// status reads an answer; 0 if the connection is closed without one.
func (c *client) status() (int, string) {
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = answer.Body.Close() }() // read to its end
	body, _ := io.ReadAll(answer.Body)         // it may be cut
	return answer.StatusCode, string(body)
}

// closed reads until the server closes the connection.
func (c *client) closed() {
	c.t.Helper()
	var timeout net.Error
	_, err := io.Copy(io.Discard, c.in)
	if errors.As(err, &timeout) {
		require.False(c.t, timeout.Timeout(), "still open")
	}
}

func post(path string, length int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: gateway\r\nContent-Length: %d\r\n\r\n", path, length)
}
