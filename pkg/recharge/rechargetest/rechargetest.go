// Package rechargetest stands in for Recharge in tests and in the demo: it signs
// webhooks as Recharge does and answers the REST calls the product makes.
package rechargetest

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Sign adds both signatures to h, as Recharge sends them with every webhook.
func Sign(h http.Header, body []byte, secret string, at time.Time) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	h.Set(recharge.HeaderTimestamp, stamp)
	h.Set(recharge.HeaderSignature, "t="+stamp+",v1="+hex.EncodeToString(recharge.SignTimestamped(stamp, body, secret)))
	SignLegacy(h, body, secret)
}

// SignLegacy adds the older signature only.
func SignLegacy(h http.Header, body []byte, secret string) {
	h.Set(recharge.HeaderLegacySignature, hex.EncodeToString(recharge.SignLegacy(body, secret)))
}

// Server answers GET /customers/{id} from what it was given. It refuses a wrong
// token and an API version other than 2021-11, and answers unknown customers
// with the recorded 404.
type Server struct {
	URL string

	token string
	http  *httptest.Server

	mu        sync.Mutex
	customers map[string][]byte
	calls     int
	failures  []failure
}

type failure struct {
	status int
	body   string
}

// NewServer starts a server on a loopback port; Close stops it.
func NewServer(token string) *Server {
	s := &Server{token: token, customers: map[string][]byte{}}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	return s
}

// Close stops the server.
func (s *Server) Close() { s.http.Close() }

// PutCustomer makes body, a whole {"customer":{...}} document, the answer for id.
func (s *Server) PutCustomer(id string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.customers[id] = body
}

// FailNext makes the next n calls end with status and body.
func (s *Server) FailNext(n, status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.failures = append(s.failures, failure{status, body})
	}
}

// Calls is how many requests were made, refused ones included.
func (s *Server) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Recharge-Limit", "1/40")
	w.Header().Set("X-Recharge-Version", r.Header.Get("X-Recharge-Version"))
	status, body := s.answer(r)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller is gone: it will ask again
}

// answer's error bodies are those that real calls were answered with.
func (s *Server) answer(r *http.Request) (int, []byte) {
	if len(s.failures) > 0 {
		f := s.failures[0]
		s.failures = s.failures[1:]
		return f.status, []byte(f.body)
	}
	if r.Header.Get("X-Recharge-Access-Token") != s.token {
		return http.StatusUnauthorized, []byte(`{"error":"bad authentication"}`)
	}
	if r.Header.Get("X-Recharge-Version") != string(recharge.Version202111) {
		return http.StatusUpgradeRequired, []byte(`{"errors":"invalid API version"}`)
	}
	id, found := strings.CutPrefix(r.URL.Path, "/customers/")
	body, known := s.customers[id]
	if !found || !known || r.Method != http.MethodGet {
		return http.StatusNotFound, []byte(`{"errors":"Not Found"}`)
	}
	return http.StatusOK, body
}
