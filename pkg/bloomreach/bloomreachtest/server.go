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
	http   *httptest.Server
	closed chan struct{}
	close  func()

	mu       sync.Mutex
	switches switches
	requests int
	received []Command
	profiles *profiles
}

// New starts a simulator on a free port of the loopback interface. Close it after use.
func New() *Server {
	s := &Server{
		closed:   make(chan struct{}),
		switches: switches{keyID: KeyID, keySecret: KeySecret, echo: true, now: time.Now},
		profiles: newProfiles(),
	}
	s.close = sync.OnceFunc(func() { close(s.closed) })
	s.http = httptest.NewServer(s)
	return s
}

// BaseURL is the address of the simulator, without a path.
func (s *Server) BaseURL() string { return s.http.URL }

// Client is an HTTP client whose connections end with Close.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Close ends the requests that hang, waits for the others and stops.
func (s *Server) Close() {
	s.close()
	s.http.Close()
}

// ServeHTTP answers one request as Bloomreach would, unless a switch says otherwise.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	number, hook, latency := s.arrived()
	if hook != nil {
		hook(r)
	}
	if !simtest.Wait(r, s.closed, latency) || err != nil || r.Context().Err() != nil {
		return // the caller is gone: nothing is applied and nobody reads an answer
	}
	w.Header().Set("X-Request-Id", fmt.Sprintf("00000000-0000-4000-8000-%012d", number))
	s.finish(w, r, s.serve(w, r, body))
}

func (s *Server) arrived() (int, func(*http.Request), time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	return s.requests, s.switches.onRequest, s.switches.latency
}

// serve writes the answer, unless the ending says that there is none.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, body []byte) ending {
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused, over := s.switches.overRate(); over {
		return refused.write(w)
	}
	failure, planned := s.switches.nextFailure()
	if planned && !failure.Applied {
		return failure.write(w)
	}
	commands, refused := s.switches.read(r, body)
	if refused != nil {
		return s.switches.writeRefusal(w, *refused)
	}
	if !planned {
		failure, planned = s.switches.failureFor(commands)
	}
	if planned && !failure.Applied {
		return failure.write(w)
	}
	started := s.switches.now()
	results := s.apply(commands)
	if planned {
		return failure.write(w)
	}
	if s.switches.dropsConnection() {
		return dropped
	}
	return s.switches.writeResults(w, commands, results, started)
}

// read returns the commands, or why the request is refused whole.
func (s *switches) read(r *http.Request, body []byte) ([]Command, *refusal) {
	if refused := s.checkAccess(r, body); refused != nil {
		return nil, refused
	}
	return s.parseBody(body)
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
