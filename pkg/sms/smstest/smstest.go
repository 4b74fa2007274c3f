// Package smstest simulates an SMS gateway with the webhook driver's protocol. It checks every request strictly and can be
// set to fail. It records every accepted text and does not drop repeated ones, so that tests detect a text sent twice.
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

// Tolerance is the maximum difference between a signature's timestamp and now.
const Tolerance = 5 * time.Minute

// Text is an accepted text, or a trigger if it has no body.
type Text struct {
	ID         string   `json:"id"` // send key
	To         string   `json:"to"`
	From       string   `json:"from"`
	Body       string   `json:"body"`
	Store      string   `json:"store"`
	Flow       string   `json:"flow"`
	CustomerID string   `json:"customer_id"`
	Email      string   `json:"email"`
	Cause      string   `json:"cause"`
	Items      []string `json:"items"`

	Consent    string            `json:"consent"`
	OccurredAt time.Time         `json:"occurred_at"`
	Variables  map[string]string `json:"variables"`
}

// Behaviour is the gateway's response to a valid request. The zero value refuses it with status 500. vendors.go has the
// behaviours of real providers.
type Behaviour struct {
	Accept     bool          // accepts the text, whatever the answer is
	Status     int           // of the answer; 0 is 200 with Accept, else 500
	RetryAfter time.Duration // header Retry-After, in whole seconds; 0 leaves it out
	Header     http.Header   // further headers of the answer
	Body       string        // of the answer; "" is {"id":"..."} with Accept, else {"error":"..."}; Empty is an empty body
	Delay      time.Duration // before anything else; if the caller gives up meanwhile, the text is not accepted
	Hang       bool          // no answer until the caller gives up or the gateway closes
	OnHang     func()        // called at the start of a hang, after the text was accepted or not
	Drop       bool          // the connection is closed in order instead of an answer
	Reset      bool          // the connection is reset instead of an answer
}

// Empty is the Body of a response with an empty body.
const Empty = "\x00"

// Gateway is a running simulator.
type Gateway struct {
	URL string // the address that texts are posted to

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

// New starts a gateway on a free port of the loopback interface. now is the clock for timestamps; nil is time.Now. The
// caller closes it.
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

// Close ends hanging requests, waits for the others and stops the gateway.
func (g *Gateway) Close() {
	g.close()
	g.server.Close()
}

// Next sets the behaviour for the next n valid requests, after those that are set already. Later requests are accepted.
func (g *Gateway) Next(n int, b Behaviour) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next = append(g.next, slices.Repeat([]Behaviour{b}, n)...)
}

// ForNumber sets the behaviour for texts to a number if Next has set none. Twilio has such magic numbers
// (https://www.twilio.com/docs/iam/test-credentials).
func (g *Gateway) ForNumber(to string, b Behaviour) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.numbers == nil {
		g.numbers = map[string]Behaviour{}
	}
	g.numbers[to] = b
}

// Texts returns the accepted texts in the order of arrival.
func (g *Gateway) Texts() []Text {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.texts)
}

// Requests returns how many requests arrived, valid or not.
func (g *Gateway) Requests() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.requests
}

// Refused returns the errors of the invalid requests.
func (g *Gateway) Refused() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.refused)
}

// Duplicates returns the accepted texts that repeat an earlier one, by send key or by number and body, and the triggers that repeat one by
// send key. There must be none.
func (g *Gateway) Duplicates() []Text {
	var duplicates []Text
	seen := map[string]bool{}
	for _, text := range g.Texts() {
		key, content := "id "+text.ID, "content "+text.To+" "+text.Body
		if seen[key] || text.Body != "" && seen[content] {
			duplicates = append(duplicates, text)
		}
		seen[key], seen[content] = true, true
	}
	return duplicates
}

// serve handles a request.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	text, status, err := g.read(r)
	if err != nil {
		g.refuse(err)
		answer(w, Behaviour{Status: status, Body: refusal(err.Error())})
		return
	}
	b := g.behaviour(text)
	if !simtest.Wait(r, g.closed, b.Delay) {
		return // the caller is gone: the text is not accepted
	}
	id := g.record(b, text)
	switch {
	case b.Hang:
		if b.OnHang != nil {
			b.OnHang()
		}
		simtest.Hang(r, g.closed)
	case b.Reset:
		simtest.Reset(w)
	case b.Drop:
		simtest.Drop()
	case b.Body == "" && b.Accept:
		b.Body = fmt.Sprintf(`{"id":%q}`, id)
	case b.Body == "":
		b.Body = refusal("refused by the test")
	}
	answer(w, b)
}

// read parses and checks a request as a real gateway should. The status is that of the error.
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

// check validates the fields of a text.
func (t Text) check() error {
	switch {
	case t.ID == "":
		return fmt.Errorf("id is missing")
	case t.Variables != nil:
		return t.checkTrigger()
	case strings.TrimSpace(t.Body) == "":
		return fmt.Errorf("body is missing")
	case !sms.IsE164(t.To):
		return fmt.Errorf("to is not an E.164 number")
	default:
		return nil
	}
}

// checkTrigger validates the fields of a trigger.
func (t Text) checkTrigger() error {
	switch {
	case t.Body != "" || t.From != "":
		return fmt.Errorf("a trigger has a body or a sender")
	case t.Flow == "" || t.OccurredAt.IsZero():
		return fmt.Errorf("flow or occurred_at is missing")
	case t.To == "" && t.Email == "":
		return fmt.Errorf("to and email are missing")
	case t.To != "" && !sms.IsE164(t.To):
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

// behaviour removes and returns the behaviour for a text.
func (g *Gateway) behaviour(text Text) Behaviour {
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

// record stores the text if it is accepted, and returns its id.
func (g *Gateway) record(b Behaviour, text Text) string {
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
