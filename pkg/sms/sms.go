// Package sms defines how a text message is sent: Message, Driver, Receipt and SendError, and phone numbers in E.164.
//
// A driver never sends a text twice. If it does not know whether the provider accepted a text, the outcome is Unknown and
// the text is not sent again: a second text costs money and trust, a missing one rarely does.
//
//	sms.go        Message, Driver and the classes of a SendError
//	abilities.go  Abilities and Finder: what a driver can do
//	event.go      a trigger as the event of a platform
//	textid.go     the id under which a provider has a text
//	callback.go   Callback and Receiver: what a provider reports
//	phone.go      phone numbers in E.164
//	region.go     names of countries to ISO 3166 codes
package sms

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Message is one text for one customer.
type Message struct {
	SendKey string // id of the text, 64 hex digits; stays the same for the same text
	To      string // E.164, "+14155550123"; "" only with Values and Email
	From    string // sender, number or name; "": the provider's default
	Body    string // rendered text, "" with Values
	Store   string // name of the store
	Flow    string // key of the flow
	Email   string // the customer's, "" if unknown
	Cause   string // the customer's action: texts of the same action have the same cause

	// Items are the resources that the text is about, "{resource}/{id}".
	Items []string
	// Values are those of a text that the provider renders. nil means that Body is the text.
	Values *Values

	// Shown is the body for those who may not see personal data: without names, what the customer has written, and Secrets. "" with Values.
	Shown string

	// CustomerID and Partition are where a delivery report of the text belongs. Without CustomerID it can't be reported.
	CustomerID string
	Partition  int

	// ValidFor is how long the text may wait at the provider, so that it does not arrive in quiet hours; 0 for as long as usual.
	ValidFor time.Duration

	// Secrets are the parts of body and values that must not be logged, such as the key in the link to the customer's portal.
	Secrets []string
}

// Values are what a platform needs that has the texts itself.
type Values struct {
	Variables  map[string]string // what a text of ours could use, by name
	Consent    string            // what is known of the number: opted_in, or "" for nothing
	OccurredAt time.Time         // when the action happened
}

// Masked returns a text of the message without its secrets.
func (m Message) Masked(text string) string {
	for _, secret := range m.Secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// MaskedVariables returns the variables without secrets, nil for a text.
func (m Message) MaskedVariables() map[string]string {
	if m.Values == nil {
		return nil
	}
	masked := make(map[string]string, len(m.Values.Variables))
	for name, value := range m.Values.Variables {
		masked[name] = m.Masked(value)
	}
	return masked
}

// Receipt is a provider's acceptance of a text.
type Receipt struct {
	ProviderID string // the provider's id of the text; "" if it sent none
}

// Driver sends texts through a provider. It is safe for concurrent use.
type Driver interface {
	// Send sends one text, with one call and no retry. The error is always a *SendError.
	Send(ctx context.Context, m Message) (Receipt, error)
}

// Class tells whether a text that was not accepted may be sent again.
type Class string

// The classes of a SendError.
const (
	NotSent  Class = "not_sent" // not accepted: retry, after RetryAfter if it is set
	Rejected Class = "rejected" // refused for good: no retry
	Config   Class = "config"   // not accepted, address or credentials seem wrong: retry
	Unknown  Class = "unknown"  // perhaps accepted: no retry

	// OptedOut means Rejected, because the number has opted out at the provider.
	OptedOut Class = "opted_out"

	// Forbidden means not accepted, because of the recipient or of the account: retry. If others are accepted meanwhile, it is
	// the recipient.
	Forbidden Class = "forbidden"
)

// SendError means that a text was not accepted, or that this is unknown. It contains neither number nor text.
type SendError struct {
	Class      Class
	Code       string        // for metrics and recharge.messages, one of few: "http_422", "no_connection", "no_answer"
	RetryAfter time.Duration // with NotSent: the provider's Retry-After, 0 for none
	Err        error         // cause with the provider's words, may be nil
}

// Error names class, code and cause.
func (e *SendError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("send text: %s (%s)", e.Class, e.Code)
	}
	return fmt.Sprintf("send text: %s (%s): %v", e.Class, e.Code, e.Err)
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }
