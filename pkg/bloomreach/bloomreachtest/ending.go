package bloomreachtest

import (
	"net"
	"net/http"
	"time"
)

// ending is how a request ends.
type ending int

const (
	answered ending = iota
	hanging         // no answer until the caller gives up
	reset           // RST instead of an answer, as of a machine that fails
	dropped         // an orderly end of the connection instead of an answer
)

// finish does what remains after serve. It holds no lock: a request that hangs is alone in it.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, end ending) {
	switch end {
	case answered:
		return
	case hanging:
		select {
		case <-r.Context().Done():
		case <-s.closed:
		}
	case reset:
		resetConnection(w)
	case dropped:
	}
	panic(http.ErrAbortHandler) // the documented way to close a connection without an answer
}

func resetConnection(w http.ResponseWriter) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		return
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the end would be an orderly one
	}
	_ = conn.Close()
}

// wait reports false when the caller gave up or the simulator closed before its end.
func (s *Server) wait(r *http.Request, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-s.closed:
	}
	return false
}
