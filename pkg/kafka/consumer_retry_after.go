package kafka

import (
	"errors"
	"time"
)

// RetryAfterError is a handler's error with a minimum backoff, such as that of a Retry-After header.
type RetryAfterError struct {
	Err error
	// After is the shortest time before the handler is called again.
	After time.Duration
}

// Error returns the message of the cause.
func (e *RetryAfterError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RetryAfterError) Unwrap() error { return e.Err }

// RetryAfter adds a minimum backoff to err. It returns err itself if there is no error or no time.
func RetryAfter(err error, after time.Duration) error {
	if err == nil || after <= 0 {
		return err
	}
	return &RetryAfterError{Err: err, After: after}
}

// retryAfter returns the minimum backoff of an error, 0 for none.
func retryAfter(err error) time.Duration {
	var e *RetryAfterError
	if errors.As(err, &e) {
		return e.After
	}
	return 0
}
