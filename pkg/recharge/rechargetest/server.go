package rechargetest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/simtest"
)

// maxBody limits the bytes of a request that are read.
const maxBody = 1 << 20

// Server is the REST API of one store. It returns the stored records, refuses a wrong token and an API version other than
// 2021-11, and fails as configured in switches.go:
//
//	GET  /customers, /subscriptions, /charges, and each with /{id}
//	GET  /events
//	GET  /webhooks, POST /webhooks, GET, PUT and DELETE /webhooks/{id}, POST /webhooks/{id}/test
//	GET  /store, /token_information
//
// All methods are safe for concurrent use.
type Server struct {
	URL string

	token  string
	http   *httptest.Server
	closed chan struct{}
	close  func()

	mu       sync.Mutex
	now      func() time.Time
	calls    int
	next     []Behaviour
	bucket   *bucket
	scopes   []string
	records  map[string]map[int64]record // by resource, as in the path
	raw      map[string][]byte           // by path: what PutCustomer was given
	webhooks []Webhook
	created  int // webhooks
	onTest   func(Webhook)
}

// NewServer starts a server on a loopback port; Close stops it.
func NewServer(token string) *Server {
	s := NewInProcess(token)
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	return s
}

// NewInProcess returns a server without a port. It can be reached only by its Client.
func NewInProcess(token string) *Server {
	s := &Server{
		URL: "http://recharge.invalid", token: token, now: time.Now, closed: make(chan struct{}), scopes: Scopes(),
		records: map[string]map[int64]record{}, raw: map[string][]byte{},
	}
	s.close = sync.OnceFunc(func() { close(s.closed) })
	return s
}

// Close ends hanging requests, waits for the others and stops the server.
func (s *Server) Close() {
	s.close()
	if s.http != nil {
		s.http.Close()
	}
}

// Calls returns how many requests were made, including refused ones.
func (s *Server) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// answer is the response to a request.
type answer struct {
	status     int
	body       []byte
	retryAfter string
	limit      string // of x-recharge-limit
	then       func() // if set, what happens before the answer, without the lock
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	number, behaviour, over, limit := s.arrived()
	if !simtest.Wait(r, s.closed, behaviour.Slow) || err != nil {
		return // the caller has given up
	}
	given := answer{status: behaviour.Status, body: []byte(behaviour.Body), retryAfter: behaviour.RetryAfter}
	switch {
	case over != nil:
		behaviour, given = Behaviour{}, *over
	case behaviour.Accept:
		if usual := s.act(r, body); behaviour.Status == 0 {
			given = usual
		}
	case behaviour.usual():
		given = s.act(r, body)
	}
	switch {
	case behaviour.Hang:
		simtest.Hang(r, s.closed)
	case behaviour.Reset:
		simtest.Reset(w)
	}
	given.limit = limit
	w.Header().Set("Date", s.date())
	given.write(w, r, number)
}

// arrived counts the call and removes the next configured behaviour; over is the response if the bucket overflows.
func (s *Server) arrived() (number int, planned Behaviour, over *answer, limit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	limit = "1/40"
	if s.bucket != nil {
		over, limit = s.bucket.take(s.now())
	}
	if over == nil && len(s.next) > 0 {
		planned, s.next = s.next[0], s.next[1:]
	}
	return s.calls, planned, over, limit
}

// date returns the header of a response.
func (s *Server) date() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now().UTC().Format(http.TimeFormat)
}

func (s *Server) act(r *http.Request, body []byte) answer {
	s.mu.Lock()
	a := s.route(r, body)
	s.mu.Unlock()
	if a.then != nil {
		a.then()
	}
	return a
}

// write writes the response with the headers of recorded responses (github.com/NangoHQ/integration-templates,
// integrations/recharge).
func (a answer) write(w http.ResponseWriter, r *http.Request, number int) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Access-Control-Expose-Headers", "link, x-request-id, x-recharge-limit, x-recharge-version")
	h.Set("X-Request-Id", fmt.Sprintf("%032x", number))
	h.Set("X-Recharge-Limit", a.limit)
	h.Set("X-Recharge-Version", string(version(r)))
	if a.retryAfter != "" {
		h.Set("Retry-After", a.retryAfter)
	}
	w.WriteHeader(a.status)
	if a.status != http.StatusNoContent {
		_, _ = w.Write(a.body) // the caller may have given up: it will try again
	}
}

// version returns the requested version, else the store's default, which was 2021-01 in every observed case
// (github.com/NangoHQ/integration-templates, integrations/recharge).
func version(r *http.Request) recharge.Version {
	if requested := r.Header.Get("X-Recharge-Version"); requested != "" {
		return recharge.Version(requested)
	}
	return recharge.Version202101
}
