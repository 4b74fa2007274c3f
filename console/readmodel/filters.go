package readmodel

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// EventFilter selects events. Zero fields select all.
type EventFilter struct {
	Store  string
	Type   string
	Status string
	Facts  bool   // those of recharge.facts, too
	After  string // Page.Next
	Limit  int    // 50 by default
}

// TextFilter selects texts. Zero fields select all.
type TextFilter struct {
	Store string
	// Query is a customer's ID, e-mail, name, number or the last digits of one, or words of a text.
	Query    string
	Customer string
	// Customers are the IDs of those whose texts are selected, in the place of Query; nil for all.
	Customers []string
	Flow      flow.Key
	Status    message.Status
	// Since and Until select by StatusAt. Until is exclusive.
	Since, Until time.Time
	After        string // Page.Next
	Limit        int    // 50 by default
}

// DeadLetterFilter selects dead letters. Zero fields select all.
type DeadLetterFilter struct {
	Role   topology.Role
	Store  string
	Reason string
	Open   bool   // not those that were sent to their role again
	After  string // Page.Next
	Limit  int    // 50 by default
}
