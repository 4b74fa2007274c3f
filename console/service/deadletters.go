package service

import "time"

// DeadLetterQuery selects dead letters; empty fields select all.
type DeadLetterQuery struct {
	Role   string    `json:"role" query:"role"`
	Store  string    `json:"store" query:"store"`
	Reason string    `json:"reason" query:"reason"`
	Key    string    `json:"key" query:"key"` // of the record, such as acme/246936001
	Since  time.Time `json:"since" query:"since"`
	Until  time.Time `json:"until" query:"until"`
	Limit  int       `json:"limit" query:"limit"` // of those that are listed; all are counted
}

// DeadLetterPage is dead letters, the newest first, and how many there are.
type DeadLetterPage struct {
	Letters []DeadLetter      `json:"letters"`
	Total   int               `json:"total"`
	Counts  []DeadLetterCount `json:"counts"`
}

// DeadLetterCount counts dead letters of a role with a reason.
type DeadLetterCount struct {
	Role   string `json:"role"`
	Reason string `json:"reason"`
	Why    string `json:"why"`
	Count  int    `json:"count"`
	Sent   int    `json:"sent"` // of them that were sent again
}

// DeadLetter is a record that a role rejected.
type DeadLetter struct {
	Name     string    `json:"name"` // role/partition/offset
	Role     string    `json:"role"`
	Store    string    `json:"store,omitempty"`
	Key      string    `json:"key"`
	Reason   string    `json:"reason"`
	Why      string    `json:"why"`
	Error    string    `json:"error,omitempty"`
	Attempts int       `json:"attempts"`
	Sent     int       `json:"sent"`
	FirstAt  time.Time `json:"first_at"`
	LastAt   time.Time `json:"last_at"`
	Record   string    `json:"record"` // topic/partition/offset of the rejected record
	// Headers and Body are of one dead letter alone, Body if personal data is revealed.
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
}

// ReplayRequest selects dead letters to be sent to their roles again.
type ReplayRequest struct {
	DeadLetterQuery

	// Names selects single letters.
	Names []string `json:"names"`
	// Again includes those that were sent before.
	Again bool `json:"again"`
	// Confirm is how many the count has found: another number is a conflict.
	Confirm int `json:"confirm"`
}

// ReplayCount is what a replay would send.
type ReplayCount struct {
	Letters int `json:"letters"`
	Skipped int `json:"skipped"` // sent before
	// Seconds is how long the replay takes at its rate.
	Seconds float64 `json:"seconds"`
}

// Replay is a replay that runs, or has ended.
type Replay struct {
	ID      string    `json:"id"`
	By      string    `json:"by"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended,omitzero"`
	Letters int       `json:"letters"`
	Sent    int       `json:"sent"`
	Error   string    `json:"error,omitempty"`
}
