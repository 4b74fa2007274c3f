package membership

import (
	"context"
	"time"
)

// MaxUpdates is how many updates a request has at most.
const MaxUpdates = 50

// Destination has the profiles of customers.
type Destination interface {
	// Update sends up to MaxUpdates updates in one request. It returns an answer for each, in their order, or none if nothing was sent. With an error some
	// are not answered; it is a TryAgainError if another attempt may help.
	Update(ctx context.Context, updates []Update) ([]Answer, error)
}

// Update sets properties of a profile.
type Update struct {
	ID          string            // unique in a request
	CustomerIDs map[string]string // by name
	Properties  map[string]bool
	At          time.Time // what is newer at the destination stays
}

// Answer says what came of an update: it was accepted, refused for reasons, or neither if it is unknown.
type Answer struct {
	Accepted bool
	Refused  []string
}

// TryAgainError means that another attempt may help, after a time.
type TryAgainError struct {
	Err   error
	After time.Duration // as the answer says, 0 if it does not
}

// Error returns the text of the cause.
func (e *TryAgainError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *TryAgainError) Unwrap() error { return e.Err }
