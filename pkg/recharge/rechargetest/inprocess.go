package rechargetest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"syscall"
	"time"
)

// Client reaches the server without a connection, so that a bubble of testing/synctest, in which hours pass in no time, can
// hold both: a goroutine that waits for a network keeps its time from going on. It gives up after timeout.
func (s *Server) Client(timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout, Transport: inProcess{s}}
}

type inProcess struct{ server *Server }

// RoundTrip answers on a goroutine of its own: a caller who gives up waits no longer.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	answered := make(chan *http.Response, 1)
	go func() {
		defer close(answered)
		defer func() { _ = recover() }() // http.ErrAbortHandler: no answer
		recorder := httptest.NewRecorder()
		server := r.Clone(r.Context())
		if server.Body == nil {
			server.Body = http.NoBody
		}
		p.server.serve(recorder, server)
		answered <- recorder.Result()
	}()
	select {
	case <-r.Context().Done():
		return nil, fmt.Errorf("round trip: %w", r.Context().Err())
	case response, ok := <-answered:
		if !ok {
			return nil, fmt.Errorf("round trip: %w", syscall.ECONNRESET)
		}
		return response, nil
	}
}
