package recharge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Purpose is what a customer is looked up for.
type Purpose string

// The purposes.
const (
	// ForIdentity asks who the customer is: GET /customers/{id}.
	ForIdentity Purpose = "identity"
	// ForFlag asks for all subscriptions of a customer: GET /subscriptions?customer_id=.
	ForFlag Purpose = "flag"
	// ForCancellation asks for the same, to see whether a charge that was given up
	// cost the customer their subscriptions.
	ForCancellation Purpose = "cancellation"
)

func (p Purpose) known() bool { return p == ForIdentity || p == ForFlag || p == ForCancellation }

// Question is what is asked about a customer.
type Question struct {
	CustomerID string
	For        Purpose
	ChargeID   string // the charge that it is about, "" for none
	Attempt    int    // which time this is asked, as the asking side counts
}

// Lookup is what the API answered to a Question, and a record of the raw topic in
// its own right: its JSON, by MarshalJSON and back by [Decoder.Lookup], is
//
//	customer_id    id          always
//	asked_for      text        always: identity, flag or cancellation
//	charge_id      id          where it is about a charge
//	attempt        count       unless 0
//	not_found      true        if Recharge knows no such customer
//	unreadable     text        if the answer made no sense, and won't next time: why, without what was in it
//	customer       object      identity: as the API spells a customer in 2021-11
//	subscriptions  list        flag, cancellation: as the API spells them, newest first; [] for none
//	complete       true        if these are all there are
//
// Of both objects only the fields that this package reads are kept, since the
// topic is kept long and they are personal. What is absent is left out.
//
// Exactly one of NotFound, Unreadable, Customer and Subscriptions is set in what
// Client.Ask returns.
type Lookup struct {
	Question
	NotFound      bool
	Unreadable    string
	Customer      *Customer
	Subscriptions []Subscription
	Complete      bool
}

// maxLookup is the most that the JSON of a lookup may take. A Kafka record holds
// less than a megabyte, and its headers come on top.
const maxLookup = 768 << 10

// Ask gets the answer to a question. What won't change by asking again is an
// answer too: NotFound, Unreadable. The error is an *APIError: ask again later.
func (c *Client) Ask(ctx context.Context, q Question) (Lookup, error) {
	l := Lookup{Question: q}
	var err error
	if q.For == ForIdentity {
		var customer Customer
		if customer, err = c.Customer(ctx, q.CustomerID); err == nil {
			l.Customer = &customer
		}
	} else {
		l.Subscriptions, l.Complete, err = c.Subscriptions(ctx, q.CustomerID)
	}
	switch {
	case errors.Is(err, ErrNotFound):
		l.NotFound = true
	case errors.Is(err, ErrUnreadable):
		l.Unreadable = err.Error()
	case err != nil:
		return Lookup{}, err
	}
	return l.fitting()
}

// fitting leaves out the oldest subscriptions of a list that no record could hold.
func (l Lookup) fitting() (Lookup, error) {
	for {
		raw, err := l.MarshalJSON()
		if err != nil || len(raw) <= maxLookup || len(l.Subscriptions) == 0 {
			return l, err
		}
		l.Subscriptions, l.Complete = l.Subscriptions[:len(l.Subscriptions)/2], false
	}
}

// wireLookup is read with the same tolerance as a webhook.
type wireLookup struct {
	CustomerID    id                  `json:"customer_id"`
	For           text                `json:"asked_for"`
	ChargeID      id                  `json:"charge_id"`
	Attempt       count               `json:"attempt"`
	NotFound      flag                `json:"not_found"`
	Unreadable    text                `json:"unreadable"`
	Customer      *wireCustomer       `json:"customer"`
	Subscriptions []*wireSubscription `json:"subscriptions"`
	Complete      flag                `json:"complete"`
}

// Lookup reads the JSON of a Lookup. Errors name the field and never quote it.
func (d *Decoder) Lookup(raw []byte) (Lookup, error) {
	var w wireLookup
	if err := json.Unmarshal(raw, &w); err != nil {
		return Lookup{}, fmt.Errorf("decode lookup: %w", clean(err))
	}
	l := Lookup{
		Question: Question{CustomerID: string(w.CustomerID), For: Purpose(w.For), ChargeID: string(w.ChargeID), Attempt: w.Attempt.n},
		NotFound: bool(w.NotFound), Unreadable: string(w.Unreadable), Complete: bool(w.Complete),
	}
	if l.CustomerID == "" || !l.For.known() {
		return Lookup{}, errors.New("decode lookup: customer_id is missing, or asked_for is none of identity, flag and cancellation")
	}
	if w.Customer != nil {
		c := &clock{zones: d.zones, version: Version202111}
		l.Customer = w.Customer.customer(c)
		if c.err != nil {
			return Lookup{}, fmt.Errorf("decode lookup: %w", c.err)
		}
		if l.Customer == nil || l.Customer.ID != l.CustomerID {
			return Lookup{}, errors.New("decode lookup: the customer is not the one that was asked for")
		}
	}
	if w.Subscriptions != nil {
		var err error
		if l.Subscriptions, err = d.subscriptions(w.Subscriptions, l.CustomerID); err != nil {
			return Lookup{}, fmt.Errorf("decode lookup: %w", err)
		}
	}
	return l, nil
}

// MarshalJSON writes what Decoder.Lookup reads.
func (l Lookup) MarshalJSON() ([]byte, error) {
	spelled := spelledLookup{
		CustomerID: l.CustomerID, For: l.For, ChargeID: l.ChargeID, Attempt: l.Attempt,
		NotFound: l.NotFound, Unreadable: l.Unreadable, Complete: l.Complete,
	}
	if l.Customer != nil {
		customer := spellCustomer(*l.Customer)
		spelled.Customer = &customer
	}
	if l.Subscriptions != nil {
		spelled.Subscriptions = make([]spelledSubscription, 0, len(l.Subscriptions))
		for _, s := range l.Subscriptions {
			spelled.Subscriptions = append(spelled.Subscriptions, spellSubscription(s))
		}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(spelled)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}
