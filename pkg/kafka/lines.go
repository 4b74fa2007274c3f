package kafka

import (
	"context"
	"net"
	"sync"
)

// lines are the open connections to the group's coordinator. kafka-go has no other way to interrupt a join.
type lines struct {
	dialer *dialer

	mutex sync.Mutex
	open  map[*line]bool
}

// line is one connection that strikes itself off when it is closed.
type line struct {
	net.Conn
	lines *lines
}

func newLines(dialer *dialer) *lines {
	return &lines{dialer: dialer, open: make(map[*line]bool)}
}

// dial is kafka.Dialer's DialFunc.
func (l *lines) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := l.dialer.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	opened := &line{Conn: conn, lines: l}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.open[opened] = true
	return opened, nil
}

// cut closes all connections: whoever waits for an answer gets an error.
func (l *lines) cut() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for open := range l.open {
		_ = open.Conn.Close() // it is being given up
	}
	clear(l.open)
}

// Close closes the connection.
func (l *line) Close() error {
	l.lines.mutex.Lock()
	delete(l.lines.open, l)
	l.lines.mutex.Unlock()
	return l.Conn.Close()
}
