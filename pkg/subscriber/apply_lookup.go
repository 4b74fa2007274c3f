package subscriber

import (
	"errors"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// cancellationDelay returns how long after the last attempt of a charge, or after the previous lookup, its subscriptions are
// looked up. Recharge cancels them or not, depending on a setting of the store
// (https://support.rechargepayments.com/hc/en-us/articles/360030618053-Understanding-max-retry-order-errors), and sends no
// webhook. How long this takes is not documented.
func cancellationDelay(attempt int) (time.Duration, bool) {
	delays := []time.Duration{time.Minute, 10 * time.Minute, time.Hour}
	if attempt >= len(delays) {
		return 0, false
	}
	return delays[attempt], true
}

// ApplyLookup applies an API response, received at a time, to its customer's state. An import has the same form: it is the
// state before this installation, was not requested, and emits the active property only. Use the new state to process the
// records that were parked for it. A *LookupNeeded means that the outputs need a customer who must be looked up first. After an
// error the state is unchanged.
func ApplyLookup(s Settings, st *State, l recharge.Lookup, imported bool, at time.Time) (Decision, *State, error) {
	l = l.WithCurrency(s.Currency)
	d := lookupDraft(s, st, &l, imported, at)
	if d.state.gone() {
		return Decision{Skip: reason.LookupApplied}, d.state, nil
	}
	d.webhook.Customer = l.Customer
	d.state.applyLookup(l, d.receivedAt)
	if !imported {
		d.customerChange()
	}
	d.cancellations(l)
	d.dropErased()
	d.eraseTexts()
	d.dropUnwanted()
	d.dropDuplicates()
	d.dropWithheld()
	switch err := d.address(); {
	case errors.Is(err, ErrCustomerUnknown): // no output can name the customer
		d.out.Events, d.out.Facts, d.out.Triggers, d.out.Revocations = nil, nil, nil, nil
	case err != nil:
		return Decision{}, st, err
	}
	if l.Kind != recharge.LookupCustomer { // else the parked records come first, and emit it
		if err := d.activeProperty(); err != nil {
			return Decision{}, st, err
		}
		d.profile()
	}
	for _, s := range l.Subscriptions {
		d.noteOwner(s.ID)
	}
	d.recordEmitted()
	d.conclude(reason.LookupApplied)
	return d.out, d.state, nil
}

// lookupDraft begins the decision, with the state before the lookup. An import was not requested.
func lookupDraft(s Settings, st *State, l *recharge.Lookup, imported bool, at time.Time) draft {
	if imported {
		l.LookupRequest = recharge.LookupRequest{CustomerID: l.CustomerID, Due: l.ListedAt}
	}
	before := st.WithoutExpired(at)
	if st.gone() && !l.Due.IsZero() { // requested before the deletion expired: the customer stays deleted
		before = st.WithoutExpired(l.Due)
	}
	d := draft{settings: s, receivedAt: at.UTC(), before: before, state: before.clone(), customerID: l.CustomerID, imported: imported}
	d.state.lookedUp = st.lookedUp || l.Kind == recharge.LookupCustomer
	return d
}

func (st *State) applyLookup(l recharge.Lookup, at time.Time) {
	if l.Customer != nil {
		st.Customer.absorb("", l.Customer, at)
		if l.Kind == recharge.LookupCustomer {
			st.Customer.PhoneKnown = true // the API has all there is: without a phone here there is none
		}
	}
	listed := make(map[string]bool)
	for i := range l.Subscriptions {
		s := &l.Subscriptions[i]
		listed[s.ID] = true
		st.snapshot(topicRead, "", s, at)
		if s.Erased {
			st.Customer.erase(firstTime(s.UpdatedAt, at))
		}
	}
	if !l.Complete {
		return
	}
	st.Customer.CompleteAt = firstTime(st.Customer.CompleteAt, l.ListedAt, at)
	asOf := l.Due.Add(-listLag)
	for id, s := range st.Subscriptions {
		if !listed[id] && s.exists() && s.UpdatedAt.Before(asOf) {
			st.vanish(id, asOf)
		}
	}
}

// listLag is how old a list may be compared to its request. A subscription that changed later may be missing from the list for
// this reason.
const listLag = time.Minute

// cancellations applies the subscriptions that Recharge cancelled after the last attempt of a charge failed. It requests
// another lookup for those that are still active.
func (d *draft) cancellations(l recharge.Lookup) {
	if l.Kind != recharge.LookupCancellation {
		return
	}
	var left []string
	for _, id := range l.SubscriptionIDs {
		i := slices.IndexFunc(l.Subscriptions, func(s recharge.Subscription) bool { return s.ID == id })
		switch {
		case i < 0 && l.Complete: // it was deleted, which is another fact
		case i < 0 || !cancelledSilently(l.Subscriptions[i]):
			left = append(left, id)
		default:
			canceled := l.Subscriptions[i]
			canceled.MaxRetriesReached = true
			d.webhook = recharge.Webhook{Topic: "subscription/cancelled", Subscription: &canceled, Customer: l.Customer}
			d.state.snapshot(d.webhook.Topic, "", d.webhook.Subscription, d.receivedAt)
			d.subscriptionCancelled()
		}
	}
	if len(left) == 0 {
		return
	}
	delay, again := cancellationDelay(l.Attempt + 1)
	if !again {
		d.skip(reason.SubscriptionsStillActive)
		return
	}
	d.requestLookup(recharge.LookupRequest{
		Kind: l.Kind, ChargeID: l.ChargeID, SubscriptionIDs: left, Attempt: l.Attempt + 1, Due: d.receivedAt.Add(delay),
	})
}

func cancelledSilently(s recharge.Subscription) bool {
	return s.Status == statusCancelled || s.Status == "" && !s.CancelledAt.IsZero()
}

// requestLookup requests a lookup of the customer. No record is parked for it.
func (d *draft) requestLookup(r recharge.LookupRequest) {
	r.Store, r.CustomerID = d.settings.Store, d.customerID
	d.out.Lookups = append(d.out.Lookups, r)
}
