package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smsclient"
)

// Tolerance is how far the time of a signature may be from now.
const Tolerance = 5 * time.Minute

// maxAhead is how far the time of an event may be ahead of now. A later one would outvote all that comes before it.
const maxAhead = Tolerance

// Receiver verifies and decodes the callbacks about one store.
type Receiver struct {
	store  string
	secret string
}

var _ sms.Receiver = Receiver{}

// NewReceiver returns the receiver of a store with the secret that signs its texts.
func NewReceiver(store, secret string) Receiver { return Receiver{store: store, secret: secret} }

// IsSigned reports whether a request has a signature.
func (r Receiver) IsSigned(h http.Header) bool { return h.Get(SignatureHeader) != "" }

// event is the body of a callback.
type event struct {
	Kind  sms.CallbackKind `json:"kind"`
	Store string           `json:"store"`
	ID    string           `json:"id"`
	At    time.Time        `json:"at"`

	Number string `json:"number"`
	Text   string `json:"text"`

	MessageID  string `json:"message_id"`
	Status     string `json:"status"`
	ProviderID string `json:"provider_id"`
	Code       string `json:"code"`
	Detail     string `json:"detail"`
}

// Receive verifies and decodes a callback. Its address is not looked at.
func (r Receiver) Receive(req sms.CallbackRequest, now time.Time) (sms.Callback, error) {
	h := req.Header
	switch err := Verify(r.secret, h.Get(TimestampHeader), h.Get(SignatureHeader), req.Body, now, Tolerance); {
	case errors.Is(err, ErrTimestamp):
		return sms.Callback{}, sms.ErrSignatureExpired
	case err != nil:
		return sms.Callback{}, sms.ErrBadSignature
	}
	return r.decode(req.Body, now)
}

// decode decodes a callback that is verified.
func (r Receiver) decode(body []byte, now time.Time) (sms.Callback, error) {
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return sms.Callback{}, unreadable("the body is not one JSON object with text fields, and at in RFC 3339")
	}
	if err := e.check(r.store, now); err != nil {
		return sms.Callback{}, err
	}
	c := sms.Callback{Kind: e.Kind, ID: e.ID, At: e.At}
	if e.Kind == sms.CallbackDelivery {
		return e.delivery(c)
	}
	return e.number(c)
}

// check checks what all kinds have.
func (e event) check(store string, now time.Time) error {
	switch {
	case e.Store != store:
		return unreadable("store must be that of the address, %q", store)
	case e.At.IsZero():
		return unreadable("at is missing: when it happened, in RFC 3339")
	case e.At.After(now.Add(maxAhead)):
		return unreadable("at is in the future: check the clock")
	case len(e.ID) > smsclient.MaxProviderID || len(e.ProviderID) > smsclient.MaxProviderID || len(e.Code) > smsclient.MaxProviderID:
		return unreadable("id, provider_id and code have at most %d bytes", smsclient.MaxProviderID)
	}
	return nil
}

// unreadable returns an sms.ErrCallback with advice.
func unreadable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", sms.ErrCallback, fmt.Sprintf(format, args...))
}

// number adds what a callback about a number has.
func (e event) number(c sms.Callback) (sms.Callback, error) {
	if kinds := []sms.CallbackKind{sms.CallbackReply, sms.CallbackOptOut, sms.CallbackOptIn}; !slices.Contains(kinds, e.Kind) {
		return c, unreadable("kind must be reply, opt_out, opt_in or delivery")
	}
	if _, err := sms.Canonical(e.Number); err != nil {
		return c, unreadable("number must have its country code, such as +14155552671")
	}
	c.Number, c.Text = e.Number, e.Text
	return c, nil
}

// delivery adds what a delivery report has.
func (e event) delivery(c sms.Callback) (sms.Callback, error) {
	address, ok := sms.ParseTextID(e.MessageID)
	if !ok {
		return c, unreadable("message_id must be the id of a text as it was posted")
	}
	if statuses := []string{"accepted", "sent", "delivered", "undelivered"}; !slices.Contains(statuses, e.Status) {
		return c, unreadable("status must be one of %s", strings.Join(statuses, ", "))
	}
	c.Address, c.Status, c.ProviderID, c.Code, c.Detail = address, e.Status, e.ProviderID, e.Code, e.Detail
	return c, nil
}
