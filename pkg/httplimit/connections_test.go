package httplimit_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// eventually waits for what the server does on its own.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, time.Millisecond)
}

// open waits until the server has this many connections.
func (s *server) open(connections int) {
	s.t.Helper()
	eventually(s.t, func() bool { return s.connections.Open() == connections })
}

// At the limit the connection that has kept the server waiting for longest makes room: without a request, in its header, in its body
// or idle.
func TestOldestMakesRoom(t *testing.T) {
	s := newServer(t, 4, 1<<20)
	silent := s.dial()
	s.open(1)
	header := s.dial().send("POST / HTTP/1.1\r\nHost: ")
	s.open(2)
	body := s.dial().send(post("/", 10) + "12345")
	s.open(3)
	eventually(t, func() bool { return s.bodies.Used() > 0 })
	idle := s.dial().send(post("/", 2) + "{}")
	status, _ := idle.status()
	require.Equal(t, http.StatusOK, status)
	eventually(t, func() bool { return s.idled.Load() == 1 })

	for i, oldest := range []*client{silent, header, body, idle} {
		status, length := s.dial().send(post("/", 3) + "abc").status()
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, "3", length)
		oldest.closed()
		eventually(t, func() bool { return s.idled.Load() == int64(i+2) })
		assert.EqualValues(t, i+1, s.connections.Evicted())
		assert.LessOrEqual(t, s.connections.Open(), 4)
	}
}

// A request whose body is complete is answered, however many connections come. If each is being answered, the new one is closed.
func TestAnsweredIsNotClosed(t *testing.T) {
	s := newServer(t, 2, 1<<20)
	held := []*client{s.dial().send(post("/hold", 2) + "{}"), s.dial().send(post("/hold", 2) + "{}")}
	<-s.held
	<-s.held
	for range 5 {
		s.dial().closed()
	}
	assert.EqualValues(t, 5, s.connections.Evicted())
	close(s.release)
	for _, c := range held {
		status, _ := c.status()
		assert.Equal(t, http.StatusOK, status)
	}
	status, _ := s.dial().send(post("/", 2) + "{}").status()
	assert.Equal(t, http.StatusOK, status, "there is room again")
}

// The count follows the connections.
func TestOpen(t *testing.T) {
	s := newServer(t, 100, 1<<20)
	for range 3 {
		for range 20 {
			status, _ := s.dial().send("POST / HTTP/1.0\r\nHost: gateway\r\nContent-Length: 2\r\n\r\n{}").status()
			require.Equal(t, http.StatusOK, status)
		}
		s.open(0)
	}
	clients := []*client{s.dial(), s.dial(), s.dial()}
	s.open(3)
	for _, c := range clients {
		require.NoError(t, c.conn.Close())
	}
	s.open(0)
	assert.Zero(t, s.connections.Evicted())
}

// net/http answers some requests without calling the handler. Those answers are reported, no others.
func TestAnswersOfServer(t *testing.T) {
	s := newServer(t, 10, 1<<20)
	for request, want := range map[string]int{
		"POST / HTTP/1.1\r\nHost: gateway\r\nX-Large: " + strings.Repeat("x", 900<<10) + "\r\n\r\n": http.StatusRequestHeaderFieldsTooLarge,
		"nonsense\r\n\r\n": http.StatusBadRequest,
		"POST / HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: nonsense\r\n\r\n": http.StatusNotImplemented,
		"POST / HTTP/1.1\r\n\r\n": http.StatusBadRequest,
	} {
		before := len(s.ownAnswers())
		c := s.dial()
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			c.send(request)
		}()
		status, _ := c.status()
		assert.Equal(t, want, status)
		require.Len(t, s.ownAnswers(), before+1)
		assert.Equal(t, want, s.ownAnswers()[before])
		<-sent
	}
	reported := len(s.ownAnswers())
	for request, want := range map[string]int{
		post("/", 2) + "{}":    http.StatusOK,
		post("/", bodyLimit+1): http.StatusRequestEntityTooLarge,
		"POST / HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n": http.StatusBadRequest,
	} {
		status, _ := s.dial().send(request).status()
		assert.Equal(t, want, status)
	}
	assert.Len(t, s.ownAnswers(), reported)
}
