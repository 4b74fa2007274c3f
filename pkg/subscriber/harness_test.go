package subscriber_test

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

const (
	store = "acme"
	joID  = "246936001"
)

// start is when most stories begin.
func start() time.Time { return time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC) }

// keptRows is a state in which memories are kept, and which of its rows were written.
type keptRows struct {
	rows    map[string][]byte
	written []string
}

func newRows() *keptRows { return &keptRows{rows: make(map[string][]byte)} }

func (r *keptRows) Get(key []byte) []byte { return r.rows[string(key)] }

func (r *keptRows) Set(key, value []byte) {
	r.written = append(r.written, string(key))
	if value == nil {
		delete(r.rows, string(key))
		return
	}
	r.rows[string(key)] = value
}

func (r *keptRows) Scan(prefix []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		for _, key := range slices.Sorted(maps.Keys(r.rows)) {
			if strings.HasPrefix(key, string(prefix)) && !yield([]byte(key), r.rows[key]) {
				return
			}
		}
	}
}

// life is what a store hears of one customer, and what it makes of it. Its memory is kept and recalled each time.
type life struct {
	t        require.TestingT
	settings subscriber.Settings
	customer string
	rows     *keptRows
	// answers is the API. What it is asked by the way waits in asks.
	answers func(subscriber.Ask) subscriber.Answer
	asks    []subscriber.Ask
	all     subscriber.Decision
}

func newLife(t require.TestingT, s subscriber.Settings) *life {
	return &life{t: t, settings: s, customer: joID, rows: newRows()}
}

// byID is a store that knows its customers by Recharge's id, and sends texts.
func byID() subscriber.Settings {
	return subscriber.Settings{
		Store: store, CustomerID: subscriber.ByRechargeID, CustomerIDName: "registered", ActiveProperty: true, SMS: true, API: true,
	}
}

// byEmail knows them by e-mail.
func byEmail() subscriber.Settings {
	s := byID()
	s.CustomerID = subscriber.ByEmail
	return s
}

func (l *life) memory() *subscriber.Memory {
	m, err := subscriber.Recall(l.rows, store, l.customer)
	require.NoError(l.t, err)
	return m
}

// hears decides on a webhook. Who the customer is is asked for at once, if it has to be.
func (l *life) hears(w recharge.Webhook, at time.Time) subscriber.Decision {
	before := l.memory()
	decision, after, err := subscriber.Decide(l.settings, before, w, at)
	if known := l.looksUp(before, err, at); known != nil {
		decision, after, err = subscriber.Decide(l.settings, known, w, at)
	}
	require.NoError(l.t, err)
	require.NoError(l.t, after.Keep(l.rows, store, l.customer, before))
	l.takes(decision)
	return decision
}

// looksUp asks who the customer is, where that is what err says, and returns what is known then.
func (l *life) looksUp(before *subscriber.Memory, err error, at time.Time) *subscriber.Memory {
	var needed *subscriber.LookupNeeded
	if !errors.As(err, &needed) {
		return nil
	}
	require.NotNil(l.t, l.answers, "nobody to ask")
	ask := subscriber.Ask{Kind: subscriber.AskIdentity, Due: at}
	decision, known, err := subscriber.Learn(l.settings, before, l.customer, l.answers(ask), at)
	require.NoError(l.t, err)
	l.takes(decision)
	return known
}

// learns takes in an answer.
func (l *life) learns(a subscriber.Answer, at time.Time) subscriber.Decision {
	before := l.memory()
	decision, after, err := subscriber.Learn(l.settings, before, l.customer, a, at)
	if known := l.looksUp(before, err, at); known != nil {
		decision, after, err = subscriber.Learn(l.settings, known, l.customer, a, at)
	}
	require.NoError(l.t, err)
	require.NoError(l.t, after.Keep(l.rows, store, l.customer, before))
	l.takes(decision)
	return decision
}

// asksAll has the API answer until nothing is left to ask.
func (l *life) asksAll(at time.Time) {
	for len(l.asks) > 0 {
		ask := l.asks[0]
		l.asks = l.asks[1:]
		if at.Before(ask.Due) {
			at = ask.Due
		}
		l.learns(l.answers(ask), at)
	}
}

func (l *life) takes(d subscriber.Decision) {
	require.Equal(l.t, d.Empty(), d.Skip != "", "no output without a reason, no reason with one")
	l.all.Events = append(l.all.Events, d.Events...)
	l.all.Triggers = append(l.all.Triggers, d.Triggers...)
	l.all.Revocations = append(l.all.Revocations, d.Revocations...)
	l.asks = append(l.asks, d.Asks...)
}

// flags is what was said of the property: the value and to whom.
func flags(d subscriber.Decision) []string {
	var said []string
	for _, e := range d.Events {
		if e.Property != nil {
			value := "FALSE"
			if e.Property.Value {
				value = "TRUE"
			}
			said = append(said, value+" "+e.CustomerIDs["registered"])
		}
	}
	return said
}

// flows are those of a decision's triggers.
func flows(d subscriber.Decision) []string {
	var found []string
	for _, t := range d.Triggers {
		found = append(found, string(t.Flow))
	}
	return found
}

// statuses are those of a decision's events about subscriptions and charges.
func statuses(d subscriber.Decision) []string {
	var found []string
	for _, e := range d.Events {
		if e.Status != "" {
			found = append(found, e.Status)
		}
	}
	return found
}

// jo is the usual customer.
func jo(at time.Time) recharge.Customer {
	return recharge.Customer{
		ID: joID, Email: "jo.bean@example.com", FirstName: "Jo", LastName: "Bean", Phone: "+15035550100", PhoneKnown: true,
		PlatformID: "5213433266347", CreatedAt: start(), UpdatedAt: at,
	}
}

func counted(c recharge.Customer, active int) recharge.Customer {
	c.Counted, c.ActiveSubscriptions, c.TotalSubscriptions = true, active, active
	return c
}

// about is a webhook of the usual subscription, which changed at the given time.
func about(topic recharge.Topic, at time.Time, change ...func(*recharge.Subscription)) recharge.Webhook {
	s := recharge.Subscription{
		ID: "784594001", CustomerID: joID, AddressID: "178918", Status: "active", NextChargeDate: "2026-03-31",
		ProductTitle: "Beans", CreatedAt: start(), UpdatedAt: at,
	}
	if topic == "subscription/cancelled" {
		s.Status, s.CancelledAt = "cancelled", at
	}
	for _, c := range change {
		c(&s)
	}
	return recharge.Webhook{Topic: topic, Version: recharge.Version202111, Subscription: &s, Hash: hashOf(topic, s)}
}

func ofCustomer(topic recharge.Topic, c recharge.Customer) recharge.Webhook {
	return recharge.Webhook{Topic: topic, Version: recharge.Version202111, Customer: &c, Hash: hashOf(topic, c)}
}

func with(w recharge.Webhook, c recharge.Customer) recharge.Webhook {
	w.Customer = &c
	w.Hash = hashOf(w.Topic, w.Hash+c.Email)
	return w
}

// hashOf stands for the hash of a body.
func hashOf(topic recharge.Topic, body any) string {
	return recharge.DeliveryHash(topic, fmt.Append(nil, body))
}
