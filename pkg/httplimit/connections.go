package httplimit

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Connections limits the open connections of an http.Server. Of a server that uses it
//
//	Serve        gets a listener from Listen
//	ConnState    is State
//	ConnContext  is Context
type Connections struct {
	limit    int
	now      func() time.Time
	answered func(status int, took time.Duration)

	mutex   sync.Mutex
	open    int
	waiting *list.List // of *conn: those that wait for their client, the longest first
	evicted int64
}

// NewConnections limits the open connections. It calls answered for each answer that net/http gives without calling a
// handler, such as 431 to a header that is too large, with the time since the first byte of the request.
func NewConnections(limit int, now func() time.Time, answered func(status int, took time.Duration)) *Connections {
	return &Connections{limit: limit, now: now, answered: answered, waiting: list.New()}
}

// Open returns the number of open connections.
func (c *Connections) Open() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.open
}

// Evicted returns how many connections were closed because of the limit.
func (c *Connections) Evicted() int64 {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.evicted
}

// Listen returns a listener whose connections count. At the limit a new connection closes the one that has been waiting for its client
// for longest: idle, in a header or in a body. If none waits, because each is being answered, the new one is closed.
func (c *Connections) Listen(l net.Listener) net.Listener {
	return &listener{Listener: l, connections: c}
}

type listener struct {
	net.Listener

	connections *Connections
}

// Accept returns the next connection that there is room for.
func (l *listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err //nolint:wrapcheck // net/http looks at its type
		}
		if c := l.connections.admit(accepted); c != nil {
			return c, nil
		}
		_ = accepted.Close() // nothing was sent
	}
}

// admit counts a connection, nil if there is no room.
func (c *Connections) admit(accepted net.Conn) *conn {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.open >= c.limit && !c.evict() {
		c.evicted++
		return nil
	}
	c.open++
	admitted := &conn{Conn: accepted, owner: c}
	admitted.element = c.waiting.PushBack(admitted)
	return admitted
}

// evict closes the connection that has been waiting for its client for longest. The mutex is held.
func (c *Connections) evict() bool {
	front := c.waiting.Front()
	if front == nil {
		return false
	}
	victim := front.Value.(*conn) //nolint:forcetypeassert // the list holds nothing else
	victim.evicted = true
	c.evicted++
	c.remove(victim)
	_ = victim.Conn.Close() // its handler or the server sees it
	return true
}

// remove stops counting a connection. The mutex is held.
func (c *Connections) remove(removed *conn) {
	if removed.removed {
		return
	}
	removed.removed = true
	c.open--
	c.stopWaiting(removed)
}

func (c *Connections) stopWaiting(stopped *conn) {
	if stopped.element != nil {
		c.waiting.Remove(stopped.element)
		stopped.element = nil
	}
}

// State follows a connection from one request to the next. It is the server's ConnState.
func (c *Connections) State(tracked net.Conn, state http.ConnState) {
	changed, ok := tracked.(*conn)
	if !ok || state != http.StateActive && state != http.StateIdle {
		return
	}
	if state == http.StateIdle {
		changed.began.Store(0)
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.stopWaiting(changed); !changed.removed {
		changed.element = c.waiting.PushBack(changed)
	}
}

type contextKey struct{}

// Context adds the connection to the context of its requests. It is the server's ConnContext.
func (c *Connections) Context(ctx context.Context, tracked net.Conn) context.Context {
	return context.WithValue(ctx, contextKey{}, tracked)
}

// Answering marks the connection of a request: from now on until the answer is sent it counts as being answered, so no other connection takes its
// place. It returns false if the connection was closed because of the limit. Call it when the body is read, or for a client who is trusted to send it.
func Answering(ctx context.Context) bool {
	c, ok := ctx.Value(contextKey{}).(*conn)
	if !ok {
		return true
	}
	c.owner.mutex.Lock()
	defer c.owner.mutex.Unlock()
	c.owner.stopWaiting(c)
	return !c.evicted
}
