// Package simtest is what the simulators share: the ways in which a server keeps
// a caller waiting or lets it down.
package simtest

import (
	"net"
	"net/http"
	"time"
)

// Wait holds a request for d. It reports false when the caller gave up or the
// simulator closed before its end.
func Wait(r *http.Request, closed <-chan struct{}, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-closed:
	}
	return false
}

// Hang never answers: it holds the request until the caller gives up or the
// simulator closes, and does not return.
func Hang(r *http.Request, closed <-chan struct{}) {
	select {
	case <-r.Context().Done():
	case <-closed:
	}
	Drop()
}

// Reset ends the connection with RST, as a machine that fails does, and does not
// return.
func Reset(w http.ResponseWriter) {
	if hijacker, ok := w.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // without it the end would be an orderly one
			}
			_ = conn.Close()
		}
	}
	Drop()
}

// Drop ends the connection in an orderly way in place of an answer, and does not
// return: this panic is net/http's documented way to do so.
func Drop() { panic(http.ErrAbortHandler) }
