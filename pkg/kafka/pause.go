package kafka

import (
	"errors"
	"time"
)

// PauseError is a handler's error that knows how long to wait, because somebody said so (Retry-After).
type PauseError struct {
	Err error
	// After is the shortest pause before the handler is called again.
	After time.Duration
}

// Error is that of the cause.
func (e *PauseError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *PauseError) Unwrap() error { return e.Err }

// Pause makes err ask for a pause of at least after; it is err itself when there is nothing to ask for.
func Pause(err error, after time.Duration) error {
	if err == nil || after <= 0 {
		return err
	}
	return &PauseError{Err: err, After: after}
}

func pauseOf(err error) time.Duration {
	var asked *PauseError
	if errors.As(err, &asked) {
		return asked.After
	}
	return 0
}
