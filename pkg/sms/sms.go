// Package sms is what a text message needs on its way out: a number in E.164, a driver that hands it to a provider, and
// an honest answer to the question whether it was sent.
//
// A driver never sends twice. When it can not tell whether the provider took a text it says so (Unknown), and nobody
// sends that text again: a text too many costs money and trust, a text too few rarely does.
package sms

import (
	"context"
	"fmt"
	"time"
)

// Message is one text for one phone.
type Message struct {
	SendKey string // identity of the text, 64 hex digits; the same text always has the same one
	To      string // E.164, "+14155550123"
	From    string // number or name it comes from; "" leaves it to the provider
	Body    string // rendered text
	Store   string // name of the store, for the receiver's bookkeeping
	Flow    string // key of the flow, for the receiver's bookkeeping
}

// Receipt is a provider's word that it took a text.
type Receipt struct {
	ProviderID string // what the provider calls the text; "" when it did not say
}

// Driver hands texts to a provider. It is safe for concurrent use.
type Driver interface {
	// Send hands over one text, once: it never repeats the call. The error is always a *SendError.
	Send(ctx context.Context, m Message) (Receipt, error)
}

// Class says what is known about a text that was not accepted, and what may be done.
type Class string

// The classes of a SendError.
const (
	NotSent  Class = "not_sent" // the provider has not taken it: send it again, after RetryAfter if that is set
	Rejected Class = "rejected" // the provider refuses this text for good: never again
	Config   Class = "config"   // address or credentials are wrong: not taken, stop sending until somebody has looked
	Unknown  Class = "unknown"  // the provider may have taken it: never blindly again
)

// SendError is why a text was not accepted. It holds no number and no text.
type SendError struct {
	Class      Class
	Code       string        // short, of few values, for metrics and the ledger: "http_422", "no_connection", "no_answer"
	RetryAfter time.Duration // with NotSent: how long the provider asks to wait; 0 when it did not say
	Err        error         // cause, may be nil
}

// Error names class and code, and the cause if there is one.
func (e *SendError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("send text: %s (%s)", e.Class, e.Code)
	}
	return fmt.Sprintf("send text: %s (%s): %v", e.Class, e.Code, e.Err)
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }
