package subscriber

import (
	"errors"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// AskKind is what the API is asked for.
type AskKind string

const (
	// AskIdentity is for the customer object: an e-mail or a phone is missing.
	AskIdentity AskKind = "identity"
	// AskFlag is for all the customer's subscriptions: nobody can tell whether one is active.
	AskFlag AskKind = "flag"
	// AskCancellation is for the subscriptions of a charge that failed for good: Recharge says nothing when it cancels them.
	AskCancellation AskKind = "cancellation"
)

// Ask is a question to the API. Its answer comes in as a lookup; nothing waits for it but what was parked.
type Ask struct {
	Kind AskKind `json:"kind"`
	// Due is when to ask.
	Due time.Time `json:"due"`
	// ChargeID and Subscriptions are what an AskCancellation is about, Attempt which of its tries it is, from 0.
	ChargeID      string   `json:"charge_id,omitempty"`
	Subscriptions []string `json:"subscriptions,omitempty"`
	Attempt       int      `json:"attempt,omitempty"`
}

// cancellationDelays are when it is looked whether a charge that failed for good ended its subscriptions. Recharge cancels
// them, or does not, by a setting of the store
// (https://support.rechargepayments.com/hc/en-us/articles/360030618053-Understanding-max-retry-order-errors), and tells by
// no webhook; how long it takes is not published.
func cancellationDelay(attempt int) (time.Duration, bool) {
	delays := []time.Duration{time.Minute, 10 * time.Minute, time.Hour}
	if attempt >= len(delays) {
		return 0, false
	}
	return delays[attempt], true
}

// Answer is what the API said of a customer, or what an import brings.
type Answer struct {
	Ask Ask
	// Customer is nil where the API knows none, or was not asked for it.
	Customer *recharge.Customer
	// Subscriptions are those it was asked for; Complete says that these are all there are.
	Subscriptions []recharge.Subscription
	Complete      bool
	// Import says that nobody asked: it happened before us, and only the flag is told.
	Import bool
}

// Learn takes in an answer: what it tells, and what is known afterwards. Decide again on what was parked for it with the
// memory that it returns. The error is a *LookupNeeded where what it tells of lacks a customer, and the memory is what it was.
func Learn(s Settings, m *Memory, customerID string, a Answer, at time.Time) (Decision, *Memory, error) {
	before := m.aged(at)
	if m.gone() && !a.Ask.Due.IsZero() { // the answer to a question from before they were forgotten brings nobody back
		before = m.aged(a.Ask.Due)
	}
	d := draft{settings: s, receivedAt: at.UTC(), before: before, memory: before.clone(), customerID: customerID, imported: a.Import}
	d.memory.asked = m.asked || a.Ask.Kind == AskIdentity
	if d.memory.gone() {
		return Decision{Skip: SkipLearnt}, d.memory, nil
	}
	d.webhook.Customer = a.Customer
	d.memory.learn(a, d.receivedAt)
	if !a.Import {
		d.customerChange()
	}
	d.cancellations(a)
	d.dropUnwanted()
	d.dropTold()
	d.dropContradicted()
	switch err := d.address(); {
	case errors.Is(err, ErrCustomerUnknown): // there is nobody to tell it of
		d.out.Events, d.out.Triggers, d.out.Revocations = nil, nil, nil
	case err != nil:
		return Decision{}, m, err
	}
	if a.Ask.Kind != AskIdentity { // else what was parked comes first, and says it
		if err := d.flag(); err != nil {
			return Decision{}, m, err
		}
	}
	d.rememberTold()
	d.conclude(SkipLearnt)
	return d.out, d.memory, nil
}

// learn takes over what an answer shows.
func (m *Memory) learn(a Answer, at time.Time) {
	if a.Customer != nil {
		m.Customer.absorb("", a.Customer, at)
		if a.Ask.Kind == AskIdentity {
			m.Customer.PhoneKnown = true // the API tells all there is: without a number there is none to ask for again
		}
	}
	listed := make(map[string]bool)
	for i := range a.Subscriptions {
		s := &a.Subscriptions[i]
		listed[s.ID] = true
		m.snapshot(topicRead, "", s, at)
	}
	if !a.Complete {
		return
	}
	m.Customer.CompleteAt = firstTime(m.Customer.CompleteAt, at)
	asOf := a.Ask.Due.Add(-listLag)
	for id, s := range m.Subscriptions {
		if !listed[id] && s.Status != statusDeleted && s.UpdatedAt.Before(asOf) {
			m.vanished(id, asOf)
		}
	}
}

// listLag is how much older than the question a list may be. One that is younger may be lacking in it for that reason.
const listLag = time.Minute

// cancellations are the subscriptions that Recharge ended without a word after a charge had failed for good. It is looked
// again for those that are still there.
func (d *draft) cancellations(a Answer) {
	if a.Ask.Kind != AskCancellation {
		return
	}
	var left []string
	for _, id := range a.Ask.Subscriptions {
		i := slices.IndexFunc(a.Subscriptions, func(s recharge.Subscription) bool { return s.ID == id })
		switch {
		case i < 0 && a.Complete: // it was deleted, which is a fact of its own
		case i < 0 || !cancelledSilently(a.Subscriptions[i]):
			left = append(left, id)
		default:
			d.webhook = recharge.Webhook{Topic: "subscription/cancelled", Subscription: &a.Subscriptions[i], Customer: a.Customer}
			d.memory.snapshot(d.webhook.Topic, "", d.webhook.Subscription, d.receivedAt)
			d.subscriptionCancelled()
		}
	}
	if len(left) == 0 {
		return
	}
	delay, again := cancellationDelay(a.Ask.Attempt + 1)
	if !again {
		d.skip(SkipLeftActive)
		return
	}
	next := a.Ask
	next.Attempt++
	next.Subscriptions, next.Due = left, d.receivedAt.Add(delay)
	d.out.Asks = append(d.out.Asks, next)
}

func cancelledSilently(s recharge.Subscription) bool {
	return s.Status == statusCancelled || s.Status == "" && !s.CancelledAt.IsZero()
}
