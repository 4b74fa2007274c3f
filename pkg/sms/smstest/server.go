package smstest

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/simtest"
)

// Protocol is what the simulator of a provider knows that is the provider's own. T is a text as the provider has it.
type Protocol[T any] struct {
	// Read reads and checks the request of a text as the provider does. The refusal is its answer to one that is not valid, with the error.
	Read func(r *http.Request, body []byte) (text T, refusal Behaviour, err error)
	// Number returns whom a text is for.
	Number func(T) string
	// Answer is the answer to the nth text that is accepted.
	Answer func(text T, nth int) Behaviour
	// Same reports whether a text repeats one that was accepted, and is dropped; nil for a provider that drops none.
	Same func(earlier, text T) bool
	// Other serves a request that is not for a text, and reports whether it was one; nil if there are none.
	Other func(w http.ResponseWriter, r *http.Request) bool
}

// Behaviour is a simulator's response to a valid request. The zero value refuses it with status 500. vendors.go has the
// behaviours of real providers.
type Behaviour struct {
	Accept     bool          // accepts the text, whatever the answer is
	Status     int           // of the answer; 0 is the provider's own with Accept, else 500
	RetryAfter time.Duration // header Retry-After, in whole seconds; 0 leaves it out
	Header     http.Header   // further headers of the answer
	Body       string        // of the answer; "" is the provider's own with Accept, else {"error":"..."}; Empty is an empty body
	Delay      time.Duration // before anything else; if the caller gives up meanwhile, the text is not accepted
	Hang       bool          // no answer until the caller gives up or the simulator closes
	OnHang     func()        // called at the start of a hang, after the text was accepted or not
	Drop       bool          // the connection is closed in order instead of an answer
	Reset      bool          // the connection is reset instead of an answer
}

// Empty is the Body of a response with an empty body.
const Empty = "\x00"

// maxRequest is the size of the largest request in bytes.
const maxRequest = 64 << 10

// Server is the part of a provider's simulator that all simulators share. It records every accepted text and does not drop repeated ones
// unless its provider does, so that tests detect a text sent twice.
type Server[T any] struct {
	URL string // of its root

	protocol Protocol[T]
	server   *httptest.Server
	closed   chan struct{}
	close    func()

	mu       sync.Mutex
	texts    []T
	requests int
	refused  []string
	next     []Behaviour
	numbers  map[string]Behaviour
}

// Serve starts a simulator on a free port of the loopback interface. The caller closes it.
func Serve[T any](p Protocol[T]) *Server[T] {
	s := &Server[T]{protocol: p, closed: make(chan struct{}), numbers: map[string]Behaviour{}}
	s.close = sync.OnceFunc(func() { close(s.closed) })
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.server.URL
	return s
}

// Close ends hanging requests, waits for the others and stops the simulator.
func (s *Server[T]) Close() {
	s.close()
	s.server.Close()
}

// Next sets the behaviour for the next n valid requests, after those that are set already. Later requests are accepted.
func (s *Server[T]) Next(n int, b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, slices.Repeat([]Behaviour{b}, n)...)
}

// ForNumber sets the behaviour for texts to a number if Next has set none. Twilio has such magic numbers
// (https://www.twilio.com/docs/iam/test-credentials).
func (s *Server[T]) ForNumber(to string, b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.numbers[to] = b
}

// Texts returns the accepted texts in the order of arrival.
func (s *Server[T]) Texts() []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.texts)
}

// Accepted returns the number of accepted texts.
func (s *Server[T]) Accepted() int { return len(s.Texts()) }

// Requests returns how many requests of texts arrived, valid or not.
func (s *Server[T]) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Refused returns the errors of the invalid requests.
func (s *Server[T]) Refused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refused)
}

// serve handles a request.
func (s *Server[T]) serve(w http.ResponseWriter, r *http.Request) {
	if s.protocol.Other != nil && s.protocol.Other(w, r) {
		return
	}
	text, refusal, err := s.read(r)
	if err != nil {
		s.refuse(err)
		answer(w, refusal)
		return
	}
	b := s.behaviour(text)
	if !simtest.Wait(r, s.closed, b.Delay) {
		return // the caller is gone: the text is not accepted
	}
	own := s.record(b, text)
	switch {
	case b.Hang:
		if b.OnHang != nil {
			b.OnHang()
		}
		simtest.Hang(r, s.closed)
	case b.Reset:
		simtest.Reset(w)
	case b.Drop:
		simtest.Drop()
	}
	b.Status, b.Body = cmp.Or(b.Status, own.Status), cmp.Or(b.Body, own.Body)
	answer(w, b)
}

func (s *Server[T]) read(r *http.Request) (text T, refusal Behaviour, err error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxRequest))
	if err != nil {
		return text, Behaviour{Status: http.StatusRequestEntityTooLarge, Body: Empty}, fmt.Errorf("read body: %w", err)
	}
	return s.protocol.Read(r, body)
}

func (s *Server[T]) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	s.refused = append(s.refused, err.Error())
}

// behaviour removes and returns the behaviour for a text.
func (s *Server[T]) behaviour(text T) Behaviour {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if len(s.next) > 0 {
		b := s.next[0]
		s.next = s.next[1:]
		return b
	}
	if b, ok := s.numbers[s.protocol.Number(text)]; ok {
		return b
	}
	return Behaviour{Accept: true}
}

// record stores the text if it is accepted, and returns the provider's own answer.
func (s *Server[T]) record(b Behaviour, text T) Behaviour {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !b.Accept {
		return Behaviour{Status: http.StatusInternalServerError, Body: refusal("refused by the test")}
	}
	if s.protocol.Same == nil || !slices.ContainsFunc(s.texts, func(earlier T) bool { return s.protocol.Same(earlier, text) }) {
		s.texts = append(s.texts, text)
	}
	return s.protocol.Answer(text, len(s.texts))
}

func refusal(why string) string { return fmt.Sprintf(`{"error":%q}`, why) }

func answer(w http.ResponseWriter, b Behaviour) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	maps.Copy(h, b.Header)
	if b.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(b.RetryAfter.Seconds())))
	}
	w.WriteHeader(b.Status)
	if b.Body != Empty {
		_, _ = io.WriteString(w, b.Body) // the caller may be gone
	}
}
