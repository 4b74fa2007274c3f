// Package simtest contains code shared by the simulators: delays and failures of a server.
package simtest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Wait delays a request by d. It returns false if the caller disconnected or the simulator was closed before that.
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

// Hang never answers. It blocks until the caller disconnects or the simulator is closed, and does not return.
func Hang(r *http.Request, closed <-chan struct{}) {
	select {
	case <-r.Context().Done():
	case <-closed:
	}
	Drop()
}

// Reset closes the connection with RST, as a crashed machine does, and does not return.
func Reset(w http.ResponseWriter) {
	if hijacker, ok := w.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // otherwise the close would be orderly
			}
			_ = conn.Close()
		}
	}
	Drop()
}

// Drop closes the connection without an answer, and does not return. net/http documents this panic.
func Drop() { panic(http.ErrAbortHandler) }

// NoAnswer returns how a client's request ended without an answer: "timeout", "reset" or "closed". It returns "" for no
// error and for any other one.
func NoAnswer(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case errors.Is(err, io.EOF):
		return "closed"
	}
	return ""
}
