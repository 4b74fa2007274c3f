package service

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// TextQuery selects texts; empty fields select all. Texts come newest first.
type TextQuery struct {
	Store string `json:"store" query:"store"`
	// Search finds words of the text, the customer's name, e-mail, number or Recharge id.
	Search     string    `json:"search" query:"search"`
	CustomerID string    `json:"customer" query:"customer"`
	Flow       flow.Key  `json:"flow" query:"flow"`
	Status     string    `json:"status" query:"status"`
	Since      time.Time `json:"since" query:"since"`
	Until      time.Time `json:"until" query:"until"`
	// Cursor is the Next of the page before.
	Cursor string `json:"cursor" query:"cursor"`
	Limit  int    `json:"limit" query:"limit"`
}

// TextPage is a page of texts.
type TextPage struct {
	Texts []TextRow `json:"texts"`
	Next  string    `json:"next,omitempty"` // "" for the last page
}

// TextRow is a text in a list.
type TextRow struct {
	ID         string    `json:"id"`
	Store      string    `json:"store"`
	CustomerID string    `json:"recharge_customer_id"`
	Customer   string    `json:"customer,omitempty"` // masked name or e-mail
	Flow       flow.Key  `json:"flow"`
	FlowName   string    `json:"flow_name"`
	Status     string    `json:"status"`
	At         time.Time `json:"at"` // of the last change
	Reason     string    `json:"reason,omitempty"`
	Why        string    `json:"why,omitempty"` // the reason in plain words
	To         string    `json:"to,omitempty"`  // masked
	Text       string    `json:"text,omitempty"`
	Segments   int       `json:"segments,omitempty"`
	ReleaseAt  time.Time `json:"release_at,omitzero"` // of a planned one
	ClickedAt  time.Time `json:"clicked_at,omitzero"`
}

// Text is one text and its life.
type Text struct {
	TextRow

	From       string            `json:"from,omitempty"`
	Variables  map[string]string `json:"variables,omitempty"`
	ProviderID string            `json:"provider_id,omitempty"`
	Code       string            `json:"code,omitempty"`
	Error      string            `json:"error,omitempty"` // masked words of the provider
	Attempt    int               `json:"attempt,omitempty"`
	// Zone is the customer's time zone, if the address or the number yields one.
	Zone     string        `json:"zone,omitempty"`
	Triggers []TextTrigger `json:"triggers"`
	Life     []TextChange  `json:"life"`
}

// TextTrigger is what a text is about.
type TextTrigger struct {
	ID         string    `json:"id"`
	Flow       flow.Key  `json:"flow"`
	OccurredAt time.Time `json:"occurred_at"`
	Items      []string  `json:"items"`
	Revoked    bool      `json:"revoked,omitempty"`
	Late       bool      `json:"late,omitempty"`
}

// TextChange is one change of a text.
type TextChange struct {
	At        time.Time `json:"at"`
	Status    string    `json:"status"`
	Why       string    `json:"why,omitempty"`
	Code      string    `json:"code,omitempty"`
	Error     string    `json:"error,omitempty"`
	Attempt   int       `json:"attempt,omitempty"`
	ReleaseAt time.Time `json:"release_at,omitzero"`
}

// Resolution is what an operator found out about a text of unknown outcome.
type Resolution struct {
	Store      string `json:"store"`
	CustomerID string `json:"recharge_customer_id"`
	ID         string `json:"id"`
	// Outcome is accepted, delivered or undelivered if the provider has the text, rejected if it has not. The text is never sent again.
	Outcome string `json:"outcome"`
	// Note is why, for whoever reads the text's life.
	Note string `json:"note"`
}
