package service

import (
	"encoding/json"
	"time"
)

// EventKind is a kind of event or fact that a store tracks.
type EventKind struct {
	Type     string    `json:"type"`   // such as subscription
	Status   string    `json:"status"` // such as created; "" if the type has none
	Topic    string    `json:"topic"`  // events or facts
	Sent     bool      `json:"sent"`   // the store sends it to its destination
	LastSeen time.Time `json:"last_seen,omitzero"`
	Count    int       `json:"count"` // within what the console keeps
	// Example is the last one, personal data masked.
	Example json.RawMessage `json:"example,omitempty"`
}

// EventRow is an event in a list.
type EventRow struct {
	At     time.Time `json:"at"`
	Type   string    `json:"type"`
	Status string    `json:"status,omitempty"`
	Title  string    `json:"title"`
	Detail string    `json:"detail,omitempty"`
	ID     string    `json:"id"`
}

// SampleEvent is what a destination answered to a sample.
type SampleEvent struct {
	Name   string   `json:"name"`
	Errors []string `json:"errors,omitempty"` // none if it was accepted
}
