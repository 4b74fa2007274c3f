package service

import (
	"time"
)

// Live is an event, or a change of a text, as it comes.
type Live struct {
	Kind  string    `json:"kind"` // event, fact, text, dead_letter
	At    time.Time `json:"at"`
	Store string    `json:"store"`
	// CustomerID is Recharge's.
	CustomerID string `json:"recharge_customer_id,omitempty"`
	ID         string `json:"id,omitempty"` // of the text
	// Title is what it is in a few words, such as subscription created, or text of charge_failed: delivered.
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
}
