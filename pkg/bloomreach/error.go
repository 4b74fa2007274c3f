package bloomreach

import (
	"cmp"
	"fmt"
	"net/http"
	"time"
)

// Class tells the caller of [Client.Batch] how to react to an [Error].
type Class string

const (
	// ClassRetry means that Bloomreach was not reached or is busy. Wait for RetryAfter or longer and send the unanswered
	// commands again.
	ClassRetry Class = "retry"
	// ClassUnknown means that a 2xx answer had no outcome for the unanswered commands. Send them again: if they were
	// accepted, deduplication drops the second copy.
	ClassUnknown Class = "unknown"
	// ClassConfig means that the base URL, the project token, the API key or its permissions are wrong, or that the project may track
	// no more. The commands are valid; a retry does not help until that is fixed.
	ClassConfig Class = "config"
)

// Error explains why some commands of a batch are unanswered.
type Error struct {
	Class      Class
	Status     int           // HTTP status, 0 without an answer
	Message    string        // text of the answer or of the network error, without secrets, see httpclient.Quoter
	RetryAfter time.Duration // of the answer, 0 without one, at most 1 hour
	RequestID  string        // x-request-id of the answer, for Bloomreach's support; may be empty

	check string // what to check, "" for all
	cause error  // context.Canceled or context.DeadlineExceeded, else nil
}

// Error names status, message and request id, and for ClassConfig the setting to check.
func (e *Error) Error() string {
	text := "bloomreach did not answer: " + e.Message
	if e.Status != 0 {
		text = fmt.Sprintf("bloomreach answered %d %s: %s", e.Status, http.StatusText(e.Status), e.Message)
	}
	if e.RequestID != "" {
		text += " (x-request-id " + e.RequestID + ")"
	}
	if e.Class == ClassConfig {
		text += "; check " + cmp.Or(e.check, checkAll)
	}
	return text
}

// Unwrap returns context.Canceled or context.DeadlineExceeded when the context ended.
func (e *Error) Unwrap() error { return e.cause }
