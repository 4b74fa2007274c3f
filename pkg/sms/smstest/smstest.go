package smstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

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

// Gateway is a running simulator.
type Gateway struct {
	*Server[Text]

	secret string
	now    func() time.Time
}

// New starts a gateway on a free port of the loopback interface. now is the clock for timestamps; nil is time.Now. The
// caller closes it.
func New(secret string, now func() time.Time) *Gateway {
	if now == nil {
		now = time.Now
	}
	g := &Gateway{secret: secret, now: now}
	g.Server = Serve(Protocol[Text]{
		Read: g.read, Number: func(text Text) string { return text.To },
		Answer: func(_ Text, nth int) Behaviour {
			return Behaviour{Status: http.StatusOK, Body: fmt.Sprintf(`{"id":"gw-%d"}`, nth)}
		},
	})
	return g
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

// read parses and checks a request as a real gateway should.
func (g *Gateway) read(r *http.Request, body []byte) (Text, Behaviour, error) {
	text, status, err := g.parse(r, body)
	if err != nil {
		return text, Behaviour{Status: status, Body: refusal(err.Error())}, err
	}
	return text, Behaviour{}, nil
}

// parse returns the text of a request. The status is that of the error.
func (g *Gateway) parse(r *http.Request, body []byte) (Text, int, error) {
	var text Text
	if r.Method != http.MethodPost {
		return text, http.StatusMethodNotAllowed, fmt.Errorf("method %s", r.Method)
	}
	err := webhook.Verify(g.secret, r.Header.Get(webhook.TimestampHeader), r.Header.Get(webhook.SignatureHeader), body, g.now(), Tolerance)
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
