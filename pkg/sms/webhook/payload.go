package webhook

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// payload is the body of a request. A text has from and body; a trigger has consent, occurred_at and variables instead.
type payload struct {
	ID         string   `json:"id"`
	To         string   `json:"to,omitempty"`
	From       string   `json:"from,omitempty"`
	Body       string   `json:"body,omitempty"`
	Store      string   `json:"store,omitempty"`
	Flow       string   `json:"flow,omitempty"`
	CustomerID string   `json:"customer_id,omitempty"`
	Email      string   `json:"email,omitempty"`
	Cause      string   `json:"cause,omitempty"`
	Items      []string `json:"items,omitzero"`

	Consent    string            `json:"consent,omitempty"`
	OccurredAt time.Time         `json:"occurred_at,omitzero"`
	Variables  map[string]string `json:"variables,omitzero"`
}

func payloadOf(m sms.Message) payload {
	p := payload{
		ID: sms.TextID(m), To: m.To, Store: m.Store, Flow: m.Flow, CustomerID: m.CustomerID, Email: m.Email, Cause: m.Cause, Items: m.Items,
	}
	if m.Values == nil {
		p.From, p.Body = m.From, m.Body
		return p
	}
	p.Consent, p.OccurredAt, p.Variables = m.Values.Consent, m.Values.OccurredAt.UTC(), m.Values.Variables
	p.Items = append([]string{}, m.Items...) // a receiver may rely on both
	if p.Variables == nil {
		p.Variables = map[string]string{}
	}
	return p
}
