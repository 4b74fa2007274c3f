package httplimit

import (
	"bytes"
	"container/list"
	"net"
	"strconv"
	"sync/atomic"
	"time"
)

// conn is one connection. The mutex of owner guards element, evicted and removed.
type conn struct {
	net.Conn

	owner   *Connections
	element *list.Element // in owner.waiting; nil while the connection does not wait for its client
	evicted bool          // closed because of the limit
	removed bool          // does not count any more
	began   atomic.Int64  // UNIX nanoseconds of the first byte of the request; 0 between requests
}

// Read notes when a request begins.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && c.began.Load() == 0 {
		c.began.Store(c.owner.now().UnixNano())
	}
	return n, err //nolint:wrapcheck // net/http looks at its type
}

// Write reports answers of net/http itself.
func (c *conn) Write(p []byte) (int, error) {
	if status := ownAnswer(p); status != 0 {
		c.owner.answered(status, c.owner.now().Sub(time.Unix(0, c.began.Load())))
	}
	return c.Conn.Write(p) //nolint:wrapcheck // net/http looks at its type
}

// maxOwnAnswer is more than the length of any answer of net/http itself.
const maxOwnAnswer = 512

// ownAnswer returns the status of an answer that net/http writes when it calls no handler, else 0. It writes one with these headers
// and closes the connection, for example
//
//	HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n...
//
// (https://cs.opensource.google/go/go/+/master:src/net/http/server.go, errorHeaders). Handlers must not answer in plain text.
func ownAnswer(p []byte) int {
	if len(p) > maxOwnAnswer || !bytes.HasPrefix(p, []byte("HTTP/1.1 ")) ||
		!bytes.Contains(p, []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")) {
		return 0
	}
	code, _, _ := bytes.Cut(p[len("HTTP/1.1 "):], []byte(" "))
	status, err := strconv.Atoi(string(code))
	if err != nil {
		return 0
	}
	return status
}

// CloseWrite tells the client that the answer is complete, so that it is received even if the client still sends: net/http looks for
// this method.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite() //nolint:wrapcheck // net/http looks at its type
	}
	return nil
}

// Close closes the connection, which does not count any more.
func (c *conn) Close() error {
	c.owner.mutex.Lock()
	c.owner.remove(c)
	c.owner.mutex.Unlock()
	return c.Conn.Close() //nolint:wrapcheck // net/http looks at its type
}
