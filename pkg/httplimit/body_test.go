package httplimit_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func chunked(body string, size int) string {
	var request strings.Builder
	request.WriteString("POST / HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n")
	for len(body) > 0 {
		n := min(size, len(body))
		fmt.Fprintf(&request, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return request.String() + "0\r\n\r\n"
}

// A body is read whole, whatever its size, up to the limit of one body. Nothing stays in memory.
func TestBodies(t *testing.T) {
	s := newServer(t, 100, 1<<20)
	for _, length := range []int{0, 1, 100, 16<<10 - 1, 16 << 10, 16<<10 + 1, 40_000, bodyLimit - 1, bodyLimit, bodyLimit + 1, 10 * bodyLimit} {
		want, body := http.StatusOK, strings.Repeat("x", length)
		if length > bodyLimit {
			want = http.StatusRequestEntityTooLarge
		}
		requests := []string{post("/", length) + body}
		for _, size := range []int{999, 20_000} {
			requests = append(requests, chunked(body, size))
		}
		for _, request := range requests {
			c := s.dial()
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				c.send(request)
			}()
			status, answer := c.status()
			assert.Equal(t, want, status, length)
			if want == http.StatusOK {
				assert.Equal(t, fmt.Sprint(length), answer)
			}
			<-sent
		}
	}
	eventually(t, func() bool { return s.bodies.Used() == 0 })
}

// A body that ends early is an error, and nothing stays in memory.
func TestBodyCut(t *testing.T) {
	s := newServer(t, 10, 1<<20)
	c := s.dial().send(post("/", 30_000) + strings.Repeat("x", 20_000))
	eventually(t, func() bool { return s.bodies.Used() > 20_000 })
	require.NoError(t, c.conn.Close())
	eventually(t, func() bool { return s.bodies.Used() == 0 })
}

// A claimed length takes no memory: what has not arrived does not count.
func TestClaimedLengthTakesNoMemory(t *testing.T) {
	s := newServer(t, 100, 1<<20)
	for range 20 {
		s.dial().send(post("/", bodyLimit) + "x")
	}
	eventually(t, func() bool { return s.bodies.Used() >= 20*(16<<10) })
	assert.LessOrEqual(t, s.bodies.Used(), int64(20*(16<<10)))
}

// At the limit, a body that arrives at once gets the memory of the one that has waited longest for bytes, which is answered with 503.
// The limit holds at any time.
func TestStalledBodyMakesRoom(t *testing.T) {
	const memory = 128 << 10
	s := newServer(t, 1000, memory)
	var stalled []*client
	for i := range 3 {
		stalled = append(stalled, s.dial().send(post("/", 40_000)+strings.Repeat("x", 35_000)))
		eventually(t, func() bool { return s.bodies.Used() == int64(i+1)*40_001 })
	}
	for range 10 { // small ones fit after the first has made room
		status, length := s.dial().send(post("/", 12_000) + strings.Repeat("x", 12_000)).status()
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, "12000", length)
		assert.LessOrEqual(t, s.bodies.Used(), int64(memory))
	}
	status, _ := stalled[0].status()
	assert.Equal(t, http.StatusServiceUnavailable, status)
	for _, c := range stalled[1:] {
		status, length := c.send(strings.Repeat("x", 5_000)).status()
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, "40000", length)
	}
	eventually(t, func() bool { return s.bodies.Used() == 0 })
}

// A body that is complete keeps its memory until it is released. If complete ones have all of it, others get 503.
func TestCompleteBodyKeepsMemory(t *testing.T) {
	s := newServer(t, 1000, 100<<10)
	var held []*client
	for range 2 {
		held = append(held, s.dial().send(post("/hold", 45_000)+strings.Repeat("x", 45_000)))
		<-s.held
	}
	status, _ := s.dial().send(post("/", 20_000) + strings.Repeat("x", 20_000)).status()
	assert.Equal(t, http.StatusServiceUnavailable, status)
	status, _ = s.dial().send(post("/", 5_000) + strings.Repeat("x", 5_000)).status()
	assert.Equal(t, http.StatusOK, status, "there is room for a small one")
	close(s.release)
	for _, c := range held {
		status, length := c.status()
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, "45000", length)
	}
	eventually(t, func() bool { return s.bodies.Used() == 0 })
}
