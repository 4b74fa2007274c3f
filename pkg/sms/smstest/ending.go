package smstest

import (
	"net"
	"net/http"
	"time"
)

// wait reports false when the caller gave up or the gateway closed before its end.
func (g *Gateway) wait(r *http.Request, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-g.closed:
	}
	return false
}

func (g *Gateway) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-g.closed:
	}
	panic(http.ErrAbortHandler)
}

// reset ends the connection as a failing machine does, with RST.
func reset(w http.ResponseWriter) {
	if hijacker, ok := w.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // without it the end would be an orderly one
			}
			_ = conn.Close()
		}
	}
	panic(http.ErrAbortHandler)
}
