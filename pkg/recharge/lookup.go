package recharge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// LookupKind is the kind of data that is looked up.
type LookupKind string

// The kinds.
const (
	// LookupCustomer gets the customer: GET /customers/{id}.
	LookupCustomer LookupKind = "customer"
	// LookupSubscriptions gets all subscriptions of the customer: GET /subscriptions?customer_id=.
	LookupSubscriptions LookupKind = "subscriptions"
	// LookupCancellation gets the subscriptions too, after the last attempt of a charge has failed. Recharge may then cancel
	// the charge's subscriptions without a webhook.
	LookupCancellation LookupKind = "cancellation"
)

// Known reports whether k is a valid kind.
func (k LookupKind) Known() bool {
	return k == LookupCustomer || k == LookupSubscriptions || k == LookupCancellation
}

// LookupRequest requests data of a customer from Recharge's API.
type LookupRequest struct {
	Store      string     `json:"-"`
	CustomerID string     `json:"-"`
	Kind       LookupKind `json:"kind"`
	// ChargeID and SubscriptionIDs are set for LookupCancellation: the failed charge and its subscriptions.
	ChargeID        string   `json:"charge_id,omitempty"`
	SubscriptionIDs []string `json:"subscription_ids,omitempty"`
	// Attempt numbers the successive lookups for one charge, from 0.
	Attempt int `json:"attempt,omitempty"`
	// Due is the earliest time of the call.
	Due time.Time `json:"due"`
	// BadAnswers counts the responses that could not be decoded.
	BadAnswers int `json:"bad_answers,omitempty"`
	// Traceparent is the traceparent of the webhook that caused the request, "" if unknown.
	Traceparent string `json:"traceparent,omitempty"`
}

// Same reports whether two requests are equal except for their times and counters.
func (r LookupRequest) Same(other LookupRequest) bool {
	return r.Store == other.Store && r.CustomerID == other.CustomerID && r.Kind == other.Kind &&
		r.ChargeID == other.ChargeID && r.Attempt == other.Attempt
}

// Lookup is the API's response to a LookupRequest. It is also the value of a record in the raw topic. Its JSON, written by
// MarshalJSON and read by [Decoder.Lookup], is
//
//	customer_id    id          always
//	kind           text        always: customer, subscriptions or cancellation
//	charge_id      id          of the failed charge, if any
//	attempt        count       unless 0
//	not_found      true        if Recharge knows no such customer
//	unreadable     text        why the response could not be decoded, without its content; another call would not help
//	customer       object      kind customer: as the API spells a customer in 2021-11
//	subscriptions  list        the other kinds: as the API spells them, newest first; [] for none
//	complete       true        if these are all subscriptions
//	listed_at      time        of an import: when Recharge began to list; what changed later may be missing
//
// Both objects have only the fields that this package reads, because they are personal data and the topic has a long retention.
// Absent fields are left out.
//
// Client.Lookup sets exactly one of NotFound, Unreadable, Customer and Subscriptions.
type Lookup struct {
	LookupRequest

	AnsweredAt    time.Time
	NotFound      bool
	Unreadable    string
	Customer      *Customer
	Subscriptions []Subscription
	Complete      bool
	// ListedAt is set in an import.
	ListedAt time.Time
}

// maxLookup limits the JSON of a lookup in bytes. A Kafka record has less than a megabyte, including headers.
const maxLookup = 768 << 10

// Lookup calls the API. A missing customer and an undecodable response are results too, NotFound and Unreadable, because a
// retry would not change them. The error is an *APIError and means that the call must be repeated later. The caller sets
// AnsweredAt.
func (c *Client) Lookup(ctx context.Context, r LookupRequest) (Lookup, error) {
	l := Lookup{LookupRequest: r}
	var err error
	if r.Kind == LookupCustomer {
		var customer Customer
		if customer, err = c.Customer(ctx, r.CustomerID); err == nil {
			l.Customer = &customer
		}
	} else {
		l.Subscriptions, l.Complete, err = c.Subscriptions(ctx, r.CustomerID)
	}
	switch {
	case errors.Is(err, ErrNotFound):
		l.NotFound = true
	case errors.Is(err, ErrUnreadable):
		l.Unreadable = err.Error()
	case err != nil:
		return Lookup{}, err
	}
	return l.Fitting()
}

// Fitting removes the oldest subscriptions until the list fits into a record. Complete is false then.
func (l Lookup) Fitting() (Lookup, error) {
	for {
		raw, err := l.MarshalJSON()
		if err != nil || len(raw) <= maxLookup || len(l.Subscriptions) == 0 {
			return l, err
		}
		l.Subscriptions, l.Complete = l.Subscriptions[:len(l.Subscriptions)/2], false
	}
}

// wireLookup is decoded as leniently as a webhook.
type wireLookup struct {
	CustomerID    id                  `json:"customer_id"`
	Kind          text                `json:"kind"`
	ChargeID      id                  `json:"charge_id"`
	Attempt       count               `json:"attempt"`
	NotFound      boolean             `json:"not_found"`
	Unreadable    text                `json:"unreadable"`
	Customer      *wireCustomer       `json:"customer"`
	Subscriptions []*wireSubscription `json:"subscriptions"`
	Complete      boolean             `json:"complete"`
	ListedAt      text                `json:"listed_at"`
}

// Lookup decodes the JSON of a Lookup that was received at a time. Errors name the field and never quote values.
func (d *Decoder) Lookup(raw []byte, receivedAt time.Time) (Lookup, error) {
	w, _, err := decodeJSON(d.lookups, raw, listOrLookup)
	if err != nil {
		return Lookup{}, fmt.Errorf("decode lookup: %w", err)
	}
	l := Lookup{
		LookupRequest: LookupRequest{
			CustomerID: string(w.CustomerID), Kind: LookupKind(w.Kind), ChargeID: string(w.ChargeID), Attempt: w.Attempt.n,
		},
		NotFound: bool(w.NotFound), Unreadable: string(w.Unreadable), Complete: bool(w.Complete),
	}
	if l.ListedAt, err = listedAt(w.ListedAt); err != nil {
		return Lookup{}, err
	}
	if l.CustomerID == "" || !l.Kind.Known() {
		return Lookup{}, errors.New("decode lookup: customer_id is missing, or kind is not customer, subscriptions or cancellation")
	}
	if l.Customer, err = d.lookedUp(w.Customer, l.CustomerID, receivedAt); err != nil {
		return Lookup{}, fmt.Errorf("decode lookup: %w", err)
	}
	if w.Subscriptions != nil {
		if l.Subscriptions, err = d.subscriptions(w.Subscriptions, l.CustomerID, receivedAt); err != nil {
			return Lookup{}, fmt.Errorf("decode lookup: %w", err)
		}
	}
	return l, nil
}

func (d *Decoder) lookedUp(w *wireCustomer, id string, receivedAt time.Time) (*Customer, error) {
	if w == nil {
		return nil, nil //nolint:nilnil // other kinds have no customer
	}
	p := d.timeParser(receivedAt)
	c := w.customer(p)
	if p.err != nil {
		return nil, p.err
	}
	if c == nil || c.ID != id {
		return nil, errors.New("id of the customer differs from customer_id")
	}
	return c, nil
}

func listedAt(given text) (time.Time, error) {
	if given == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, string(given))
	if err != nil {
		return time.Time{}, errors.New("decode lookup: listed_at is not a time")
	}
	return at, nil
}

// MarshalJSON returns the JSON that Decoder.Lookup reads.
func (l Lookup) MarshalJSON() ([]byte, error) {
	spelled := lookupJSON{
		CustomerID: l.CustomerID, Kind: l.Kind, ChargeID: l.ChargeID, Attempt: l.Attempt,
		NotFound: l.NotFound, Unreadable: l.Unreadable, Complete: l.Complete, ListedAt: l.ListedAt,
	}
	if l.Customer != nil {
		customer := newCustomerJSON(*l.Customer)
		spelled.Customer = &customer
	}
	if l.Subscriptions != nil {
		spelled.Subscriptions = make([]subscriptionJSON, 0, len(l.Subscriptions))
		for _, s := range l.Subscriptions {
			spelled.Subscriptions = append(spelled.Subscriptions, newSubscriptionJSON(s))
		}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(spelled)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}
