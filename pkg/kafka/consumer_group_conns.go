package kafka

import (
	"context"
	"net"
	"sync"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

// groupConns holds the open connections of kafka-go's ConsumerGroup. Closing them is the only way to interrupt a join.
type groupConns struct {
	dialer *conn.Dialer

	mutex sync.Mutex
	open  map[*groupConn]bool
}

// groupConn is one of the connections. It removes itself when it is closed.
type groupConn struct {
	net.Conn
	conns *groupConns
}

func newGroupConns(dialer *conn.Dialer) *groupConns {
	return &groupConns{dialer: dialer, open: make(map[*groupConn]bool)}
}

// dial is the DialFunc of kafka-go's Dialer.
func (g *groupConns) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := g.dialer.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	opened := &groupConn{Conn: conn, conns: g}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.open[opened] = true
	return opened, nil
}

// closeAll closes all connections, so that requests in flight fail.
func (g *groupConns) closeAll() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	for open := range g.open {
		_ = open.Conn.Close() // no longer needed
	}
	clear(g.open)
}

// Close closes the connection.
func (c *groupConn) Close() error {
	c.conns.mutex.Lock()
	delete(c.conns.open, c)
	c.conns.mutex.Unlock()
	return c.Conn.Close()
}
