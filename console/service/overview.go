package service

import "time"

// Overview is the first page of a store.
type Overview struct {
	Store string `json:"store"`
	// Connected means that no check has failed.
	Connected bool      `json:"connected"`
	Checks    []Check   `json:"checks"`
	CheckedAt time.Time `json:"checked_at"`
	// Events and Texts are what happened in each of the last 24 hours, the oldest first.
	Events []Hour `json:"events"`
	Texts  []Hour `json:"texts"`
	// LagSeconds is the age of the oldest record that a group of the store has not processed.
	LagSeconds float64 `json:"lag_seconds"`
	// Waiting is what waits, with the reason: texts planned, texts of unknown outcome.
	Waiting []Waiting `json:"waiting"`
	// DeadLetters is how many dead letters of the store were not sent again, within the last 90 days.
	DeadLetters int     `json:"dead_letters"`
	Reading     Reading `json:"reading"`
	// RecentEvents are the newest events and facts, as Live brings them, and RecentTexts the texts that changed last: ten of each, newest first.
	RecentEvents []Live    `json:"recent_events"`
	RecentTexts  []TextRow `json:"recent_texts"`
}

// Check is a row of doctor.
type Check struct {
	Store  string `json:"store,omitempty"`
	Check  string `json:"check"`
	Status string `json:"status"` // ok, warning, failed
	Found  string `json:"found"`
	Cure   string `json:"cure,omitempty"`
}

// Hour is how many there were in an hour.
type Hour struct {
	Begins time.Time `json:"begins"`
	Count  int       `json:"count"`
}

// Waiting is how many texts wait, and for what.
type Waiting struct {
	For   string    `json:"for"` // release, paused, answer, resolution
	Count int       `json:"count"`
	Next  time.Time `json:"next,omitzero"` // of release: the first
}

// Reading is how far the console has read the topics.
type Reading struct {
	CaughtUp bool `json:"caught_up"`
	// LagSeconds is how old the oldest record is that was not read; Part from 0 to 1 how much was read since the start.
	LagSeconds float64 `json:"lag_seconds"`
	Part       float64 `json:"part"`
}
