// Package smstest is an SMS gateway that sends nothing: it speaks the webhook driver's protocol, is strict about it, and
// can be told to misbehave. It remembers every text it accepted and deliberately does not drop repeated ones, so that a
// text sent twice is seen.
package smstest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/simtest"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
)

// Tolerance is how old or early a signature's timestamp may be.
const Tolerance = 5 * time.Minute

// Text is a text that the gateway accepted.
type Text struct {
	ID    string `json:"id"` // send key
	To    string `json:"to"`
	From  string `json:"from"`
	Body  string `json:"body"`
	Store string `json:"store"`
	Flow  string `json:"flow"`
}

// Behaviour is how the gateway treats a well-formed request. The zero value refuses it with the status 500. Those of real
// providers are in vendors.go.
type Behaviour struct {
	Accept     bool          // whether the text is taken, whatever the answer is
	Status     int           // of the answer; 0 is 200 with Accept, else 500
	RetryAfter time.Duration // header Retry-After, in whole seconds; 0 leaves it out
	Header     http.Header   // further headers of the answer
	Body       string        // of the answer; "" is {"id":"..."} with Accept, else {"error":"..."}; Empty is none at all
	Slow       time.Duration // before anything is done; ends when the caller gives up, who then is not heard
	Hang       bool          // no answer until the caller gives up or the gateway closes
	Hangs      func()        // is called when it begins to hang: what it takes is taken
	Drop       bool          // the connection ends in order instead of an answer
	Reset      bool          // the connection is reset instead of an answer
}

// Empty is the Body of an answer without one.
const Empty = "\x00"

// Gateway is a running simulator.
type Gateway struct {
	URL string // where to post texts

	server *httptest.Server
	secret string
	now    func() time.Time
	closed chan struct{}
	close  func()

	mu       sync.Mutex
	texts    []Text
	requests int
	refused  []string
	next     []Behaviour
	numbers  map[string]Behaviour
}

// New starts a gateway on a port of this machine. The clock judges timestamps; nil is time.Now. Close stops it.
func New(secret string, now func() time.Time) *Gateway {
	if now == nil {
		now = time.Now
	}
	g := &Gateway{secret: secret, now: now, closed: make(chan struct{})}
	g.close = sync.OnceFunc(func() { close(g.closed) })
	g.server = httptest.NewServer(http.HandlerFunc(g.serve))
	g.URL = g.server.URL
	return g
}

// Close stops the gateway, ends hanging requests and waits for all of them.
func (g *Gateway) Close() {
	g.close()
	g.server.Close()
}

// Next lays down how the next n well-formed requests are treated, after those already laid down. Later ones are accepted.
func (g *Gateway) Next(n int, b Behaviour) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next = append(g.next, slices.Repeat([]Behaviour{b}, n)...)
}

// ForNumber lays down how texts to a number are treated, whenever none is laid down by Next: like Twilio's magic numbers
// (https://www.twilio.com/docs/iam/test-credentials).
func (g *Gateway) ForNumber(to string, b Behaviour) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.numbers == nil {
		g.numbers = map[string]Behaviour{}
	}
	g.numbers[to] = b
}

// Texts returns the accepted texts in the order they came.
func (g *Gateway) Texts() []Text {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.texts)
}

// Requests returns how many requests came, good and bad.
func (g *Gateway) Requests() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.requests
}

// Refused returns why requests were not well-formed.
func (g *Gateway) Refused() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.refused)
}

// Doubled returns the texts that were accepted although one with the same send key, or with the same number and words,
// had been accepted before: what must never happen.
func (g *Gateway) Doubled() []Text {
	var doubled []Text
	seen := map[string]bool{}
	for _, text := range g.Texts() {
		key, words := "id "+text.ID, "words "+text.To+" "+text.Body
		if seen[key] || seen[words] {
			doubled = append(doubled, text)
		}
		seen[key], seen[words] = true, true
	}
	return doubled
}

// serve is the gateway's one handler.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	text, status, err := g.read(r)
	if err != nil {
		g.refuse(err)
		answer(w, Behaviour{Status: status, Body: refusal(err.Error())})
		return
	}
	b := g.treat(text)
	if !simtest.Wait(r, g.closed, b.Slow) {
		return // the caller is gone, and the text with them
	}
	id := g.keep(b, text)
	switch {
	case b.Hang:
		if b.Hangs != nil {
			b.Hangs()
		}
		simtest.Hang(r, g.closed)
	case b.Reset:
		simtest.Reset(w)
	case b.Drop:
		panic(http.ErrAbortHandler)
	case b.Body == "" && b.Accept:
		b.Body = fmt.Sprintf(`{"id":%q}`, id)
	case b.Body == "":
		b.Body = refusal("told to refuse")
	}
	answer(w, b)
}

// read judges a request as a real gateway should.
func (g *Gateway) read(r *http.Request) (Text, int, error) {
	var text Text
	if r.Method != http.MethodPost {
		return text, http.StatusMethodNotAllowed, fmt.Errorf("method %s", r.Method)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 64<<10))
	if err != nil {
		return text, http.StatusRequestEntityTooLarge, fmt.Errorf("read body: %w", err)
	}
	err = webhook.Verify(g.secret, r.Header.Get(webhook.TimestampHeader), r.Header.Get(webhook.SignatureHeader), body, g.now(), Tolerance)
	if err != nil {
		return text, http.StatusUnauthorized, err
	}
	if err := json.Unmarshal(body, &text); err != nil {
		return text, http.StatusBadRequest, fmt.Errorf("decode body: %w", err)
	}
	return text, http.StatusUnprocessableEntity, text.check()
}

// check looks at the fields of a text.
func (t Text) check() error {
	switch {
	case t.ID == "":
		return fmt.Errorf("id is missing")
	case strings.TrimSpace(t.Body) == "":
		return fmt.Errorf("body is missing")
	case !sms.IsE164(t.To):
		return fmt.Errorf("to is not an E.164 number")
	default:
		return nil
	}
}

func (g *Gateway) refuse(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests++
	g.refused = append(g.refused, err.Error())
}

// treat takes the behaviour for a text.
func (g *Gateway) treat(text Text) Behaviour {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests++
	if len(g.next) > 0 {
		b := g.next[0]
		g.next = g.next[1:]
		return b
	}
	if b, ok := g.numbers[text.To]; ok {
		return b
	}
	return Behaviour{Accept: true}
}

// keep keeps the text if it is accepted, and names it.
func (g *Gateway) keep(b Behaviour, text Text) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b.Accept {
		g.texts = append(g.texts, text)
	}
	return "gw-" + strconv.Itoa(len(g.texts))
}

func (b Behaviour) status() int {
	switch {
	case b.Status != 0:
		return b.Status
	case b.Accept:
		return http.StatusOK
	default:
		return http.StatusInternalServerError
	}
}

func refusal(why string) string { return fmt.Sprintf(`{"error":%q}`, why) }

func answer(w http.ResponseWriter, b Behaviour) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	maps.Copy(h, b.Header)
	if b.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(b.RetryAfter.Seconds())))
	}
	w.WriteHeader(b.status())
	if b.Body != Empty {
		_, _ = io.WriteString(w, b.Body) // the caller may be gone
	}
}
