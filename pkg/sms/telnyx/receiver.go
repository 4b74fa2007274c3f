package telnyx

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smsclient"
)

// textParameter is the parameter of webhook_url that says which text a report is about. It is signed with the report.
const textParameter = "text"

// maxAhead is how far the time of an event may be ahead of now. A later one would outvote all that comes before it.
const maxAhead = Tolerance

// Sender identifies the texts of a store among those of its account, whose callbacks all have the same key.
type Sender struct {
	CallbackURL string // the public address of the store's callbacks
	From        string // number, "" if the profile chooses it
	ProfileID   string // messaging profile, "" for none
}

// Receiver verifies and decodes the callbacks about one store.
type Receiver struct {
	key    ed25519.PublicKey
	sender Sender
}

var _ sms.Receiver = Receiver{}

// NewReceiver returns the receiver of a store with the public key of its account.
func NewReceiver(sender Sender, publicKey string) (Receiver, error) {
	key, err := parseKey(publicKey)
	switch {
	case err != nil:
		return Receiver{}, fmt.Errorf("sms telnyx: %w", err)
	case !smsclient.IsHTTP(sender.CallbackURL):
		return Receiver{}, errors.New("sms telnyx: the callback url must be an absolute http or https address")
	}
	return Receiver{key: key, sender: sender}, nil
}

// IsSigned reports whether a request has a signature.
func (Receiver) IsSigned(h http.Header) bool { return h.Get(SignatureHeader) != "" }

// event is the body of a callback (https://developers.telnyx.com/api-reference/callbacks/delivery-update,
// https://developers.telnyx.com/api-reference/callbacks/inbound-message).
type event struct {
	Data struct {
		ID         string    `json:"id"`
		EventType  string    `json:"event_type"`
		OccurredAt time.Time `json:"occurred_at"`
		Payload    payload   `json:"payload"`
	} `json:"data"`
}

type payload struct {
	ID         string     `json:"id"`
	ProfileID  string     `json:"messaging_profile_id"`
	From       address    `json:"from"`
	To         []address  `json:"to"`
	Text       string     `json:"text"`
	WebhookURL string     `json:"webhook_url"`
	Errors     []apiError `json:"errors"`
}

type address struct {
	PhoneNumber string `json:"phone_number"`
	Status      string `json:"status"`
}

// Receive verifies and decodes a callback. Its address is not looked at: it is not signed.
func (r Receiver) Receive(req sms.CallbackRequest, now time.Time) (sms.Callback, error) {
	if err := verify(r.key, req.Header, req.Body, now); err != nil {
		return sms.Callback{}, err
	}
	var e event
	if err := json.Unmarshal(req.Body, &e); err != nil {
		return sms.Callback{}, unreadable("the body is not the JSON of an event")
	}
	d := e.Data
	switch {
	case d.ID == "" || len(d.ID) > smsclient.MaxProviderID || len(d.Payload.ID) > smsclient.MaxProviderID:
		return sms.Callback{}, unreadable("data.id is missing, or an id has more than %d bytes", smsclient.MaxProviderID)
	case d.OccurredAt.IsZero():
		return sms.Callback{}, unreadable("data.occurred_at is missing")
	case d.OccurredAt.After(now.Add(maxAhead)):
		return sms.Callback{}, unreadable("data.occurred_at is in the future")
	}
	c := sms.Callback{Kind: sms.CallbackOther, ID: d.ID, At: d.OccurredAt.UTC()}
	switch d.EventType {
	case "message.received":
		return r.reply(c, d.Payload)
	case "message.sent", "message.finalized":
		return r.delivery(c, d.Payload)
	}
	return c, nil
}

// reply adds what a reply has. One from a short code is of no use.
func (r Receiver) reply(c sms.Callback, p payload) (sms.Callback, error) {
	toUs := slices.ContainsFunc(p.To, func(a address) bool { return r.sender.From != "" && a.PhoneNumber == r.sender.From })
	if !toUs && (r.sender.ProfileID == "" || p.ProfileID != r.sender.ProfileID) {
		return c, unreadable("the message is not to the number or the messaging profile of this store")
	}
	if _, err := sms.Canonical(p.From.PhoneNumber); err != nil {
		return c, nil //nolint:nilerr // documented
	}
	c.Kind, c.Number, c.Text = sms.CallbackReply, p.From.PhoneNumber, p.Text
	return c, nil
}

// delivery adds what a delivery report has. A text that we did not send is of no use.
func (r Receiver) delivery(c sms.Callback, p payload) (sms.Callback, error) {
	own, query, _ := strings.Cut(p.WebhookURL, "?")
	values, err := url.ParseQuery(query)
	text, ours := sms.ParseTextID(values.Get(textParameter))
	if err != nil || !ours || len(p.To) != 1 {
		return c, nil //nolint:nilerr // documented
	}
	if own != r.sender.CallbackURL {
		return c, unreadable("the report is of a text of another store")
	}
	status := statuses()[p.To[0].Status]
	if status == "" {
		return c, nil
	}
	c.Kind, c.Address, c.Status, c.ProviderID = sms.CallbackDelivery, text, status, p.ID
	if len(p.Errors) > 0 {
		c.Code, c.Detail = p.Errors[0].Code, p.Errors[0].Title
		if len(c.Code) > smsclient.MaxProviderID {
			return c, unreadable("the code of an error has more than %d bytes", smsclient.MaxProviderID)
		}
	}
	if number := p.To[0].PhoneNumber; hasOptedOut(c.Code) && sms.IsE164(number) {
		c.OptedOut, c.Number = true, number
	}
	return c, nil
}

// statuses maps those of Telnyx to ours (https://github.com/team-telnyx/telnyx-go, message.go, OutboundMessagePayload). Those that say that no
// delivery was confirmed leave a text sent.
func statuses() map[string]string {
	return map[string]string{
		"queued": "accepted", "sending": "accepted",
		"sent": "sent", "delivery_unconfirmed": "sent",
		"delivered":      "delivered",
		"sending_failed": "undelivered", "delivery_failed": "undelivered",
	}
}

// unreadable returns an sms.ErrCallback with advice.
func unreadable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", sms.ErrCallback, fmt.Sprintf(format, args...))
}
