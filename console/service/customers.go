package service

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// CustomerQuery selects customers.
type CustomerQuery struct {
	Store string `json:"store" query:"store"`
	// Search finds the name, e-mail, number or Recharge id.
	Search string `json:"search" query:"search"`
	Cursor string `json:"cursor" query:"cursor"`
	Limit  int    `json:"limit" query:"limit"`
}

// CustomerPage is a page of customers.
type CustomerPage struct {
	Customers []CustomerRow `json:"customers"`
	Next      string        `json:"next,omitempty"`
}

// CustomerRow is a customer in a list. Name, e-mail and number are masked unless personal data is revealed.
type CustomerRow struct {
	Store     string    `json:"store"`
	ID        string    `json:"recharge_customer_id"`
	Name      string    `json:"name,omitempty"`
	Email     string    `json:"email,omitempty"`
	Phone     string    `json:"phone,omitempty"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
}

// Customer is a customer with what the console knows.
type Customer struct {
	CustomerRow

	// Consent is opted_in, opted_out or unknown.
	Consent string `json:"consent"`
	// Zone is the customer's time zone, "" if unknown.
	Zone          string           `json:"zone,omitempty"`
	Subscriptions []map[string]any `json:"subscriptions"`
	Charges       []map[string]any `json:"charges"`
	Events        []EventRow       `json:"events"` // the newest first
	Texts         []TextRow        `json:"texts"`
}

// TimelineQuery asks for the timeline of a customer, straight from the topics.
type TimelineQuery struct {
	Store  string    `json:"store"`
	ID     string    `json:"recharge_customer_id"`
	Since  time.Time `json:"since" query:"since"`
	Reveal bool      `json:"reveal" query:"reveal"` // for operators alone
}

// Timeline is what happened to a customer.
type Timeline = timeline.Timeline
