package sms

import (
	"errors"
	"net/http"
	"time"
)

// CallbackKind is what a callback reports.
type CallbackKind string

// The kinds.
const (
	CallbackReply    CallbackKind = "reply"    // somebody has answered a text
	CallbackOptOut   CallbackKind = "opt_out"  // a number must not be texted any more
	CallbackOptIn    CallbackKind = "opt_in"   // a number may be texted
	CallbackDelivery CallbackKind = "delivery" // a provider has accepted, sent or delivered a text, or failed to
	CallbackOther    CallbackKind = "other"    // nothing of use
)

// Callback is what a provider reports about a number or a text.
type Callback struct {
	Kind CallbackKind
	ID   string    // the provider's, "" if it has none
	At   time.Time // when it happened, by the provider's clock
	// Untimed means that the provider does not say when it happened: At is the time of arrival, and ID names the event. So a repetition has the
	// same ID and a later At.
	Untimed bool

	Number string // of a reply, an opt-out, an opt-in and OptedOut: with its country code
	Text   string // of a reply

	// Of a delivery.
	Address    TextAddress
	Status     string // accepted, sent, delivered or undelivered
	ProviderID string
	Code       string // the provider's, "" if it has none
	Detail     string // the provider's words
	// OptedOut means that the text was not delivered because its number has opted out at the provider.
	OptedOut bool
}

// TextAddress identifies a text that was sent.
type TextAddress struct {
	SendKey    string
	CustomerID string // Recharge's; "" for a text whose delivery reports are not used
	Partition  int    // in which its records are
}

// Errors of Receive. ErrCallback has advice for the caller, and nothing of the body.
var (
	ErrBadSignature     = errors.New("the signature is not that of the callback")
	ErrSignatureExpired = errors.New("the timestamp of the signature is missing or too far from now")
	ErrCallback         = errors.New("the callback can't be read")
)

// CallbackRequest is the request of a callback.
type CallbackRequest struct {
	Header http.Header
	Query  string // of the address, encoded as it was requested
	Body   []byte
}

// Receiver reads the callbacks of a provider about one store. It is safe for concurrent use.
type Receiver interface {
	// IsSigned reports whether a request has what Receive verifies. The body of another one is not read.
	IsSigned(h http.Header) bool
	// Receive verifies a callback, which arrived now, and decodes it. The error is one of those above.
	Receive(r CallbackRequest, now time.Time) (Callback, error)
}
