package backfill

import "time"

// Phase is a part of an import or a backfill.
type Phase string

// The phases of an import, in order. A backfill has the three lists.
const (
	PhaseSubscriptions Phase = "subscriptions" // listed and kept in the directory
	PhaseCustomers     Phase = "customers"     // listed and published with their subscriptions
	PhaseUnlisted      Phase = "customers who were not listed"
	PhaseCharges       Phase = "charges" // by the day for which they are scheduled
	PhaseProcessed     Phase = "processed charges"
	PhaseVanished      Phase = "vanished customers"
	PhaseDeleted       Phase = "deleted charges"
	PhaseDone          Phase = "done"
)

// Progress is how far an import or a backfill is.
type Progress struct {
	// Run is what is run: another one does not continue it.
	Run string `json:"run"`
	// StartedAt is when it began.
	StartedAt time.Time `json:"started_at"`
	// Since and Until are those of a backfill.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
	Phase Phase     `json:"phase"`
	// Cursor is that of the next page, "" for the first one.
	Cursor string `json:"cursor,omitempty"`
	// Again counts how often a list began again, because Recharge refused the cursor.
	Again int `json:"again,omitempty"`
	// Calls counts the pages that were read.
	Calls int `json:"calls"`

	Counts

	// Listed are the counts at the beginning of the list: one that begins again counts again.
	Listed Counts `json:"listed,omitzero"`
	// Vanished customers and Deleted charges were removed.
	Vanished int `json:"vanished"`
	Deleted  int `json:"deleted,omitempty"`
	// Incomplete means that a subscription is left out whose customer is not known, so that it is not known of any customer whether all
	// subscriptions are there.
	Incomplete bool `json:"incomplete,omitempty"`
}

// Counts count what was read.
type Counts struct {
	Customers     int `json:"customers"`
	Subscriptions int `json:"subscriptions"`
	Charges       int `json:"charges"`
	// Unreadable counts the resources that can't be decoded or name no customer. They are left out.
	Unreadable int `json:"unreadable"`
	// Lost counts what the resources show of what a backfill can't bring back.
	Lost Lost `json:"lost,omitzero"`
}
