package rechargetest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"syscall"
	"time"
)

// Client returns a client that calls the server without a connection. So both can run in a bubble of testing/synctest, in which
// hours pass instantly: a goroutine that waits for the network would stop the bubble's clock. Requests time out after timeout.
func (s *Server) Client(timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout, Transport: inProcess{s}}
}

type inProcess struct{ server *Server }

// RoundTrip answers on its own goroutine, so that a canceled caller does not wait.
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
