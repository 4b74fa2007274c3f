package bloomreachtest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// What the simulator accepts, until [Server.RotateKey].
const (
	ProjectToken = "0b7e3f52-simulated-project"
	KeyID        = "simulated-key-id"
	KeySecret    = "simulated-key-secret"
	PublicToken  = "simulated-public-token"
)

// maxCommands is from https://documentation.bloomreach.com/engagement/docs/batch-commands-2.
const maxCommands = 50

// maxBody bounds what the simulator reads into memory. Bloomreach states no limit, see [Server.LimitBody].
const maxBody = 64 << 20

// Server is the simulator. All methods are safe for concurrent use.
type Server struct {
	http *httptest.Server

	mu       sync.Mutex
	switches switches
	requests int
	received []Command
	profiles *profiles
}

// New starts a simulator on a free port of the loopback interface. Close it after use.
func New() *Server {
	s := &Server{
		switches: switches{keyID: KeyID, keySecret: KeySecret, echo: true, now: time.Now},
		profiles: newProfiles(),
	}
	s.http = httptest.NewServer(s)
	return s
}

// BaseURL is the address of the simulator, without a path.
func (s *Server) BaseURL() string { return s.http.URL }

// Client is an HTTP client whose connections end with Close.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Close waits for the requests under way and stops.
func (s *Server) Close() { s.http.Close() }

// ServeHTTP answers one request as Bloomreach would, unless a switch says otherwise.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	number, hook := s.arrived()
	if hook != nil {
		hook(r)
	}
	if err != nil || r.Context().Err() != nil {
		return // the caller is gone: nothing is applied and nobody reads an answer
	}
	w.Header().Set("X-Request-Id", fmt.Sprintf("00000000-0000-4000-8000-%012d", number))
	if !s.serve(w, r, body) {
		panic(http.ErrAbortHandler) // the documented way to close a connection without an answer
	}
}

func (s *Server) arrived() (int, func(*http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	return s.requests, s.switches.onRequest
}

// serve reports false when the connection is to be dropped after the commands are applied.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, body []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if failure, planned := s.switches.nextFailure(); planned {
		failure.write(w)
		return true
	}
	if refused := s.switches.checkAccess(r, body); refused != nil {
		s.switches.writeRefusal(w, *refused)
		return true
	}
	commands, refused := s.switches.parseBody(body)
	if refused != nil {
		s.switches.writeRefusal(w, *refused)
		return true
	}
	if failure, matched := s.switches.failureFor(commands); matched {
		failure.write(w)
		return true
	}
	started := s.switches.now()
	results := s.apply(commands)
	if s.switches.dropsConnection() {
		return false
	}
	s.switches.writeResults(w, commands, results, started)
	return true
}

// apply executes the commands and returns why each was rejected; no reason means that it was accepted.
func (s *Server) apply(commands []Command) [][]string {
	results := make([][]string, len(commands))
	for i, command := range commands {
		s.received = append(s.received, command)
		results[i] = s.applyOne(command)
	}
	return results
}

func (s *Server) applyOne(command Command) []string {
	if reasons := s.switches.rejection(command); len(reasons) > 0 {
		return reasons
	}
	action, reason := parseCommand(command)
	if reason != "" {
		return []string{reason}
	}
	if reason := s.switches.permission(command.Name, action); reason != "" {
		return []string{reason}
	}
	if command.Name == nameEvent {
		s.profiles.addEvent(action, s.switches.now())
	} else {
		s.profiles.update(action, s.switches.now(), s.switches.equalWins)
	}
	return nil
}
