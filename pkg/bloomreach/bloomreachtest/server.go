package bloomreachtest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/simtest"
)

// The credentials that the simulator accepts, until [Server.RotateKey].
const (
	ProjectToken = "0b7e3f52-simulated-project"
	KeyID        = "simulated-key-id"
	KeySecret    = "simulated-key-secret"
	PublicToken  = "simulated-public-token"
)

// maxCommands is from https://documentation.bloomreach.com/engagement/docs/batch-commands-2.
const maxCommands = 50

// maxBody bounds the bytes read of a request. Bloomreach documents no limit, see [Server.LimitBody].
const maxBody = 64 << 20

// Server is the simulator. All methods are safe for concurrent use.
type Server struct {
	http   *httptest.Server
	closed chan struct{}
	close  func()

	mu       sync.Mutex
	settings settings
	requests int
	received []Command
	profiles *profiles
}

// New starts a simulator on a free port of the loopback interface. The caller closes it.
func New() *Server {
	s := &Server{
		closed:   make(chan struct{}),
		settings: settings{keyID: KeyID, keySecret: KeySecret, echo: true, now: time.Now, limits: newLimits()},
		profiles: newProfiles(),
	}
	s.close = sync.OnceFunc(func() { close(s.closed) })
	s.http = httptest.NewServer(s)
	return s
}

// BaseURL returns the address of the simulator, without a path.
func (s *Server) BaseURL() string { return s.http.URL }

// Client returns an HTTP client whose connections are closed by Close.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Close ends hanging requests, waits for the others and stops the simulator.
func (s *Server) Close() {
	s.close()
	s.http.Close()
}

// ServeHTTP answers one request as Bloomreach does, unless the settings ask for something else.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	number, hook, latency := s.arrived()
	if hook != nil {
		hook(r)
	}
	if !simtest.Wait(r, s.closed, latency) || err != nil || r.Context().Err() != nil {
		return // the caller is gone: nothing is applied
	}
	w.Header().Set("X-Request-Id", fmt.Sprintf("00000000-0000-4000-8000-%012d", number))
	s.finish(w, r, s.serve(w, r, body))
}

func (s *Server) arrived() (int, func(*http.Request), time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	return s.requests, s.settings.onRequest, s.settings.latency
}

// serve applies a request and writes its answer, if it gets one.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, body []byte) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused, over := s.settings.turnedAway(body); over {
		return refused.write(w)
	}
	failure, fails := s.settings.nextFailure()
	if fails && !failure.Applied {
		return failure.write(w)
	}
	commands, refused := s.settings.read(r, body)
	if refused != nil {
		return s.settings.writeRefusal(w, *refused)
	}
	if !fails {
		failure, fails = s.settings.failureFor(commands)
	}
	if fails && !failure.Applied {
		return failure.write(w)
	}
	started := s.settings.now()
	results := s.apply(commands)
	if fails {
		return failure.write(w)
	}
	if s.settings.dropsConnection() {
		return dropped
	}
	return s.settings.writeResults(w, commands, results, started)
}

// read returns the commands, or the refusal of the whole request.
func (s *settings) read(r *http.Request, body []byte) ([]Command, *refusal) {
	if refused := s.checkAccess(r, body); refused != nil {
		return nil, refused
	}
	return s.parseBody(body)
}

// apply executes the commands and returns the errors of each, none for an accepted one.
func (s *Server) apply(commands []Command) [][]string {
	results := make([][]string, len(commands))
	for i, command := range commands {
		s.received = append(s.received, command)
		results[i] = s.applyOne(command)
	}
	return results
}

func (s *Server) applyOne(command Command) []string {
	if reasons := s.settings.rejection(command); len(reasons) > 0 {
		return reasons
	}
	action, reason := parseCommand(command)
	if reason != "" {
		return []string{reason}
	}
	if reason := s.settings.permission(command.Name, action); reason != "" {
		return []string{reason}
	}
	if reason := s.settings.limits.exceeded(action, s.settings.now()); reason != "" {
		return []string{reason}
	}
	return s.store(command.Name, action)
}

// store applies a command that is within all limits, and returns why it is rejected nevertheless, if it is.
func (s *Server) store(name string, a action) []string {
	a.properties = s.settings.withoutIgnored(name, a.properties)
	customer, rejected := s.profiles.customer(a.ids, s.settings.twoProfiles)
	switch {
	case rejected:
		return []string{"Ids belong to different customers (simulator)"}
	case name == nameEvent:
		s.profiles.addEvent(customer, a, s.settings.now())
	default:
		s.profiles.update(customer, a, s.settings.now(), &s.settings)
	}
	return nil
}
