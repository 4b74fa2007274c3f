package bloomreach

import (
	"fmt"
	"net/http"
	"time"
)

// Class says what the caller of [Client.Batch] should do about an [Error].
type Class string

const (
	// ClassRetry means that Bloomreach was not reached or is busy. Wait, at least RetryAfter, and send the unanswered commands
	// again.
	ClassRetry Class = "retry"
	// ClassUnknown means that Bloomreach answered 2xx, but not what became of the unanswered commands. Send them
	// again: if they were taken, deduplication drops the second copy.
	ClassUnknown Class = "unknown"
	// ClassConfig means that the base URL, the project token, the API key or its permissions are wrong. Sending again
	// does not help until someone mends them, and nothing is wrong with the commands.
	ClassConfig Class = "config"
)

// Error is why some commands of a batch have no answer of their own.
type Error struct {
	Class      Class
	Status     int           // of the HTTP answer, 0 when there was none
	Message    string        // what Bloomreach or the network said, cleaned of secrets, at most 300 characters
	RetryAfter time.Duration // how long Bloomreach asked to wait, 0 when it did not, at most 1 hour
	RequestID  string        // the answer's x-request-id, for Bloomreach's support; may be empty

	cause error // context.Canceled or context.DeadlineExceeded, else nil
}

// Error says who answered what, and for ClassConfig where to look.
func (e *Error) Error() string {
	text := "bloomreach did not answer: " + e.Message
	if e.Status != 0 {
		text = fmt.Sprintf("bloomreach answered %d %s: %s", e.Status, http.StatusText(e.Status), e.Message)
	}
	if e.RequestID != "" {
		text += " (x-request-id " + e.RequestID + ")"
	}
	if e.Class == ClassConfig {
		text += "; check base url, project token, api key and its permissions"
	}
	return text
}

// Unwrap lets errors.Is see that a context was canceled or ran out.
func (e *Error) Unwrap() error { return e.cause }
