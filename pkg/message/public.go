package message

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// Change is a message after a change, without phone and text. It is the value of a record in recharge.messages.
type Change struct {
	ID                 string          `json:"id"`
	Store              string          `json:"store"`
	RechargeCustomerID string          `json:"recharge_customer_id"`
	Flow               flow.Key        `json:"flow"`
	Cause              string          `json:"cause"`
	Change             int             `json:"change"` // 1 for the first
	At                 time.Time       `json:"at"`
	Status             Status          `json:"status"`
	Reason             reason.Reason   `json:"reason,omitempty"`
	Triggers           []ChangeTrigger `json:"triggers"`
	ReleaseAt          time.Time       `json:"release_at,omitzero"`
	Deferred           bool            `json:"deferred,omitempty"`
	Attempt            int             `json:"attempt,omitempty"`
	ClickedAt          time.Time       `json:"clicked_at,omitzero"` // the first click of a person on a short link
	ProviderID         string          `json:"provider_id,omitempty"`
	Code               string          `json:"code,omitempty"`
	Error              string          `json:"error,omitempty"`
}

// ChangeTrigger is a trigger of a Change.
type ChangeTrigger struct {
	ID         string    `json:"id"`
	Flow       flow.Key  `json:"flow"`
	OccurredAt time.Time `json:"occurred_at"`
	Items      []string  `json:"items"`
	Revoked    bool      `json:"revoked,omitempty"`
	Late       bool      `json:"late,omitempty"`
}

// Public returns the message as it was changed at a time.
func (m *Message) Public(at time.Time) Change {
	c := Change{
		ID: m.ID, Store: m.Store, RechargeCustomerID: m.CustomerID, Flow: m.Flow, Cause: m.Cause, Change: m.Changes, At: at.UTC(),
		Status: m.Status, Reason: m.Reason, ReleaseAt: m.ReleaseAt.UTC(), Deferred: m.Deferred, Attempt: m.Attempt, ClickedAt: m.ClickedAt.UTC(),
		ProviderID: m.ProviderID, Code: m.Code, Error: m.Error, Triggers: make([]ChangeTrigger, 0, len(m.Triggers)),
	}
	for _, t := range m.Triggers {
		c.Triggers = append(c.Triggers, ChangeTrigger{ID: t.ID, Flow: t.Flow, OccurredAt: t.OccurredAt.UTC(), Items: t.Items, Revoked: t.Revoked, Late: t.Late})
	}
	return c
}

// Text is a text as it was claimed, with masked phone and secrets, or the values of one that the destination renders. It is the value of a row
// in recharge.message-texts.
type Text struct {
	ID                 string    `json:"id"`
	Store              string    `json:"store"`
	RechargeCustomerID string    `json:"recharge_customer_id"`
	Flow               flow.Key  `json:"flow"`
	ClaimedAt          time.Time `json:"claimed_at"`
	To                 string    `json:"to"`
	From               string    `json:"from,omitempty"`
	Text               string    `json:"text,omitempty"`
	// Masked is the text for those who may not see personal data: names masked, and without what the customer has written. Rows of earlier versions
	// may have a Text without it.
	Masked   string `json:"masked,omitempty"`
	Segments int    `json:"segments,omitempty"` // how many messages are billed for the text
	// Variables are the values that the destination renders the text from.
	Variables map[string]string `json:"variables,omitempty"`
}
