package twilio

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smsclient"
)

// textParameter is the parameter of a status callback's address that says which text it is about. It is signed with the address.
const textParameter = "text"

// Receiver verifies and decodes the callbacks about one store.
type Receiver struct{ address, authToken string }

var _ sms.Receiver = Receiver{}

// NewReceiver returns the receiver of a store whose callbacks have a public address, with the auth token of its account. API keys sign
// nothing.
func NewReceiver(address, authToken string) (Receiver, error) {
	if err := CheckCallbackURL(address); err != nil {
		return Receiver{}, fmt.Errorf("sms twilio: %w", err)
	}
	if authToken == "" {
		return Receiver{}, errors.New("sms twilio: the auth token is missing: callbacks are signed with it")
	}
	return Receiver{address: address, authToken: authToken}, nil
}

// IsSigned reports whether a request has a signature.
func (Receiver) IsSigned(h http.Header) bool { return h.Get(SignatureHeader) != "" }

// Receive verifies and decodes a callback (https://www.twilio.com/docs/messaging/guides/webhook-request,
// https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks). Twilio says nowhere when it happened, and
// signs no time: the SID tells repetitions.
func (r Receiver) Receive(req sms.CallbackRequest, now time.Time) (sms.Callback, error) {
	form, err := url.ParseQuery(string(req.Body))
	if err != nil {
		return sms.Callback{}, unreadable("the body is not a form")
	}
	address := r.address
	if req.Query != "" {
		address += "?" + req.Query
	}
	if !isPlain(form) || !isSigned(r.authToken, address, form, req.Header.Get(SignatureHeader)) {
		return sms.Callback{}, sms.ErrBadSignature
	}
	query, err := url.ParseQuery(req.Query)
	if err != nil {
		return sms.Callback{}, unreadable("the parameters of the address can't be read")
	}
	sid := form.Get("MessageSid")
	if !isSID(sid) {
		return sms.Callback{}, unreadable("MessageSid is missing, or not SM or MM and 32 hex digits")
	}
	c := sms.Callback{Kind: sms.CallbackOther, ID: sid, At: now.UTC(), Untimed: true}
	if status := form.Get("MessageStatus"); status != "" && status != "received" {
		return delivery(c, form, query.Get(textParameter))
	}
	return reply(c, form), nil
}

// isPlain and isSID keep a signed callback from being read in another way. What is signed has nothing between the address, names and values: without
// them a part of the address could be moved into a name, and a parameter into the value before it, so that a repetition had another SID.
func isPlain(form url.Values) bool {
	for name := range form {
		if name == "" || strings.Trim(name, alphanumeric) != "" {
			return false
		}
	}
	return true
}

// isSID reports whether a text is the SID of a message (https://www.twilio.com/docs/messaging/api/message-resource#message-properties).
func isSID(sid string) bool {
	return len(sid) == 34 && (strings.HasPrefix(sid, "SM") || strings.HasPrefix(sid, "MM")) && strings.Trim(sid[2:], "0123456789abcdef") == ""
}

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

// reply adds what a reply has. One that is not from a phone number, such as whatsapp:+14155552671 or a short code, is of no use, and neither is a
// HELP that Twilio has answered (https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out).
func reply(c sms.Callback, form url.Values) sms.Callback {
	number := form.Get("From")
	if _, err := sms.Canonical(number); err != nil {
		return c
	}
	switch form.Get("OptOutType") {
	case "STOP":
		c.Kind = sms.CallbackOptOut
	case "START":
		c.Kind = sms.CallbackOptIn
	case "HELP":
		return c
	default:
		c.Kind = sms.CallbackReply
	}
	c.Number, c.Text = number, form.Get("Body")
	return c
}

// delivery adds what a change of a text's status has. A text that we did not send, or whose address we did not give, is of no use.
func delivery(c sms.Callback, form url.Values, text string) (sms.Callback, error) {
	address, ours := sms.ParseTextID(text)
	status := statuses()[form.Get("MessageStatus")]
	if !ours || status == "" {
		return c, nil
	}
	code := form.Get("ErrorCode")
	if len(code) > smsclient.MaxProviderID {
		return c, unreadable("ErrorCode has more than %d bytes", smsclient.MaxProviderID)
	}
	c.Kind, c.Address, c.Status, c.ProviderID, c.Code, c.Detail = sms.CallbackDelivery, address, status, c.ID, code, form.Get("ErrorMessage")
	if code == "0" {
		c.Code = ""
	}
	if number := form.Get("To"); hasOptedOut(code) && sms.IsE164(number) {
		c.OptedOut, c.Number = true, number
	}
	return c, nil
}

// statuses maps those of Twilio to ours (https://www.twilio.com/docs/messaging/api/message-resource#message-status-values). Others say nothing
// of use.
func statuses() map[string]string {
	return map[string]string{
		"accepted": "accepted", "scheduled": "accepted", "queued": "accepted", "sending": "accepted",
		"sent": "sent", "partially_delivered": "sent",
		"delivered": "delivered", "read": "delivered",
		"undelivered": "undelivered", "failed": "undelivered", "canceled": "undelivered",
	}
}

// unreadable returns an sms.ErrCallback with advice.
func unreadable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", sms.ErrCallback, fmt.Sprintf(format, args...))
}
