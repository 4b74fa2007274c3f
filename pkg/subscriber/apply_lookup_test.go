package subscriber_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// failedForGood is a customer with two subscriptions, whose charge failed for good.
func failedForGood(t *testing.T) *run {
	r := newRun(t, byID())
	c := jo(start())
	r.applies(recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupCustomer}, Customer: &c}, start())
	for _, id := range []string{"1", "2"} {
		r.receives(about("subscription/created", start(), numbered(id)), start())
	}
	r.all = subscriber.Decision{}
	w := ofCharge("charge/max_retries_reached", start(), func(c *recharge.Charge) {
		c.LineItems = []recharge.LineItem{{SubscriptionID: "1"}, {Title: "one time"}, {SubscriptionID: "2"}}
	})
	r.receives(w, start())
	require.Equal(t, []recharge.LookupRequest{{
		Store: store, CustomerID: joID, Kind: recharge.LookupCancellation, Due: start().Add(time.Minute), ChargeID: "580825303", SubscriptionIDs: []string{"1", "2"},
	}}, r.requests)
	require.Empty(t, r.receives(w, start()).Lookups, "one lookup")
	w.Hash = "other bytes"
	require.Empty(t, r.receives(w, start()).Lookups, "one lookup")
	r.all = subscriber.Decision{}
	return r
}

// answersOldest answers the oldest request: those subscriptions are canceled, the others active.
func (r *run) answersOldest(t *testing.T, canceled ...string) subscriber.Decision {
	require.NotEmpty(t, r.requests)
	a := recharge.Lookup{LookupRequest: r.requests[0], Complete: true}
	r.requests = r.requests[1:]
	for _, id := range []string{"1", "2"} {
		w := about("subscription/updated", start(), numbered(id))
		for _, c := range canceled {
			if c == id {
				w = about("subscription/cancelled", start().Add(30*time.Second), numbered(id))
			}
		}
		a.Subscriptions = append(a.Subscriptions, *w.Subscription)
	}
	return r.applies(a, a.Due.Add(time.Second))
}

// Recharge cancels without a webhook: the subscriptions are looked up after one minute, ten more, and an hour more.
func TestCanceledWithoutWebhook(t *testing.T) {
	t.Run("both, at the first lookup", func(t *testing.T) {
		r := failedForGood(t)
		d := r.answersOldest(t, "1", "2")
		assert.Equal(t, []string{"canceled", "canceled"}, statuses(d))
		assert.Equal(t, []string{"subscription_canceled", "subscription_canceled"}, flows(d))
		assert.Equal(t, []string{"FALSE " + joID}, r.propertyValues(d))
		assert.Len(t, d.Revocations, 2)
		assert.Empty(t, d.Lookups)
		assert.Equal(t, recharge.Topic("subscription/cancelled"), d.Revocations[0].Cause)
		assert.Equal(t, "+15035550100", d.Triggers[0].Recipient.Phone)
		again := r.receives(about("subscription/cancelled", start().Add(30*time.Second), numbered("1")), start().Add(time.Hour))
		assert.Equal(t, reason.Duplicate, again.Skip, "one fact, one id")
	})
	t.Run("a webhook came before the lookup", func(t *testing.T) {
		r := failedForGood(t)
		for _, id := range []string{"1", "2"} {
			r.receives(about("subscription/cancelled", start().Add(30*time.Second), numbered(id)), start().Add(40*time.Second))
		}
		r.requests = r.requests[:1]
		d := r.answersOldest(t, "1", "2")
		assert.Empty(t, statuses(d))
		assert.Empty(t, d.Triggers)
		assert.Empty(t, d.Lookups)
	})
	t.Run("still active after the last lookup", func(t *testing.T) {
		r := failedForGood(t)
		var due []time.Duration
		for range 2 {
			d := r.answersOldest(t)
			assert.Equal(t, reason.LookupApplied, d.Skip)
			require.Len(t, d.Lookups, 1)
			due = append(due, d.Lookups[0].Due.Sub(start()))
		}
		assert.Equal(t, []time.Duration{11*time.Minute + time.Second, 71*time.Minute + 2*time.Second}, due)
		d := r.answersOldest(t)
		assert.Equal(t, reason.SubscriptionsStillActive, d.Skip)
		assert.Empty(t, d.Lookups)
		assert.Empty(t, r.all.Events)
	})
	t.Run("one at the first lookup, the other at the second", func(t *testing.T) {
		r := failedForGood(t)
		d := r.answersOldest(t, "1")
		assert.Equal(t, []string{"canceled"}, statuses(d))
		assert.Empty(t, r.propertyValues(d), "the other is active")
		require.Len(t, d.Lookups, 1)
		assert.Equal(t, []string{"2"}, d.Lookups[0].SubscriptionIDs)
		assert.Equal(t, 1, d.Lookups[0].Attempt)
		d = r.answersOldest(t, "1", "2")
		assert.Equal(t, []string{"canceled"}, statuses(d))
		assert.Equal(t, []string{"FALSE " + joID}, r.propertyValues(d))
		assert.Empty(t, d.Lookups)
	})
	t.Run("reactivated since", func(t *testing.T) {
		r := failedForGood(t)
		r.receives(about("subscription/activated", start().Add(time.Hour), numbered("1")), start().Add(time.Hour))
		d := r.answersOldest(t, "1")
		assert.Equal(t, []string{"canceled"}, statuses(d), "it was canceled for a while")
		assert.Empty(t, d.Triggers)
	})
	t.Run("the answer lacks a list", func(t *testing.T) {
		r := failedForGood(t)
		d := r.applies(recharge.Lookup{LookupRequest: r.requests[0]}, start().Add(2*time.Minute))
		require.Len(t, d.Lookups, 1)
		assert.Equal(t, []string{"1", "2"}, d.Lookups[0].SubscriptionIDs)
	})
	t.Run("deleted meanwhile", func(t *testing.T) {
		r := failedForGood(t)
		r.answersOldest(t)
		d := r.applies(recharge.Lookup{LookupRequest: r.requests[0], Complete: true}, start().Add(12*time.Minute))
		assert.Empty(t, d.Lookups)
		assert.Equal(t, []string{"FALSE " + joID}, r.propertyValues(d))
		assert.Empty(t, statuses(d))
	})
	t.Run("no API", func(t *testing.T) {
		c := plain("charge/max_retries_reached", start())
		assert.Empty(t, decided(t, c).Lookups)
		c.settings.API = true
		assert.Len(t, decided(t, c).Lookups, 1)
		c.webhook.Charge.LineItems = nil
		assert.Empty(t, decided(t, c).Lookups, "no subscription to look up")
	})
}

// An import emits nothing that happened before the installation, but the active property is right from then on.
func TestImport(t *testing.T) {
	c := counted(jo(start()), 7)
	subscriptions := func(s ...recharge.Webhook) (list []recharge.Subscription) {
		for _, w := range s {
			list = append(list, *w.Subscription)
		}
		return list
	}
	tests := []struct {
		name string
		list []recharge.Subscription
		want []string
	}{
		{"active", subscriptions(about("subscription/created", start().Add(time.Hour))), []string{"TRUE jo.bean@example.com"}},
		{"canceled", subscriptions(about("subscription/cancelled", start().Add(time.Hour))), []string{"FALSE jo.bean@example.com"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRun(t, byEmail())
			d := r.imports(recharge.Lookup{Customer: &c, Subscriptions: test.list, Complete: true}, start().Add(2*time.Hour))
			assert.Equal(t, test.want, r.propertyValues(d))
			assert.Len(t, d.Events, 1)
			assert.Empty(t, d.Triggers)
			assert.Empty(t, d.Lookups)
			assert.NotNil(t, r.state().CustomerRow(store, joID))
			assert.Len(t, r.state().SubscriptionRows(store, joID), 1)
		})
	}
	t.Run("a customer with another e-mail", func(t *testing.T) {
		r := newRun(t, byEmail())
		r.receives(ofCustomer("customer/created", jo(start())), start())
		moved := jo(start().Add(time.Hour))
		moved.Email = "jo@example.org"
		d := r.imports(recharge.Lookup{Customer: &moved}, start().Add(2*time.Hour))
		assert.Equal(t, reason.LookupApplied, d.Skip)
		assert.Equal(t, "jo@example.org", r.state().Customer.Email)
	})
	t.Run("a customer without a phone field", func(t *testing.T) {
		r := newRun(t, byEmail())
		bare := recharge.Customer{ID: joID, Email: "jo@example.org", UpdatedAt: start()}
		r.imports(recharge.Lookup{Customer: &bare}, start())
		assert.False(t, r.state().Customer.PhoneKnown, "unlike an answer of the API it may lack what there is")
	})
	t.Run("the e-mail is unknown", func(t *testing.T) {
		r := newRun(t, byEmail())
		d := r.imports(recharge.Lookup{Subscriptions: subscriptions(about("subscription/created", start())), Complete: true}, start())
		assert.Equal(t, reason.LookupApplied, d.Skip, "an import is never parked")
	})
	t.Run("an imported fact is still emitted when its webhook arrives", func(t *testing.T) {
		r := newRun(t, byEmail())
		r.imports(recharge.Lookup{Customer: &c, Subscriptions: subscriptions(about("subscription/created", start())), Complete: true}, start())
		assert.Equal(t, []string{"created"}, statuses(r.receives(about("subscription/created", start()), start())))
	})
}

// A change that a lookup shows is emitted.
func TestCustomerChangeByLookup(t *testing.T) {
	r := newRun(t, byEmail())
	r.receives(ofCustomer("customer/created", jo(start())), start())
	moved := jo(start().Add(time.Hour))
	moved.Email = "jo@example.org"
	found := changes(r.applies(recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupCustomer}, Customer: &moved}, start().Add(2*time.Hour)))
	require.Len(t, found, 1)
	assert.Equal(t, "jo.bean@example.com", found[0].Customer.OldEmail)
	assert.Equal(t, reason.Unchanged, r.receives(ofCustomer("customer/updated", moved), start().Add(3*time.Hour)).Skip)
}

// After the API answered with a customer without a phone, the phone is not looked up again.
func TestMissingPhoneIsLookedUpOnce(t *testing.T) {
	r := newRun(t, byEmail())
	lookups := 0
	r.answers = func(a recharge.LookupRequest) recharge.Lookup {
		lookups++
		c := jo(start())
		c.Phone, c.PhoneKnown = "", false
		return recharge.Lookup{LookupRequest: a, Customer: &c}
	}
	for i := range 3 {
		r.receives(about("subscription/paused", start().Add(time.Duration(i)*time.Hour)), start().Add(time.Duration(i)*time.Hour))
	}
	assert.Equal(t, 1, lookups)
	r.receives(ofCustomer("customer/updated", jo(start().Add(time.Hour))), start().Add(4*time.Hour))
	assert.Equal(t, "+15035550100", r.state().Customer.Phone)
}

// After the deletion of a customer no personal data is kept and no text is sent.
func TestCustomerDeleted(t *testing.T) {
	gone := recharge.Webhook{Topic: "customer/deleted", Customer: &recharge.Customer{ID: joID}, Hash: "gone"}
	after := start().Add(time.Hour)
	deletable := func(t *testing.T, s subscriber.Settings) *run {
		r := newRun(t, s)
		r.receives(ofCustomer("customer/created", jo(start())), start())
		r.receives(about("subscription/created", start()), start())
		r.all = subscriber.Decision{}
		return r
	}
	t.Run("the active property becomes false", func(t *testing.T) {
		r := deletable(t, byEmail())
		d := r.receives(gone, after)
		assert.Equal(t, []string{"FALSE jo.bean@example.com"}, r.propertyValues(d))
		assert.Equal(t, start().Add(time.Microsecond), d.Events[0].OccurredAt)
		assert.Len(t, d.Events, 1)
		newer := jo(start().Add(time.Minute))
		d = deletable(t, byEmail()).receives(ofCustomer("customer/deleted", newer), after)
		assert.Equal(t, newer.UpdatedAt.Add(time.Microsecond), d.Events[0].OccurredAt, "the body is newer than what is known")
		assert.Equal(t, reason.NoFact, r.receives(gone, after.Add(time.Hour)).Skip)
		assert.Equal(t, after, r.state().Customer.DeletedAt, "the first receipt")
		assert.Nil(t, r.state().CustomerRow(store, joID))
		assert.Empty(t, r.state().SubscriptionRows(store, joID))
	})
	t.Run("no personal data is left", func(t *testing.T) {
		r := deletable(t, byEmail())
		r.receives(gone, after)
		for _, w := range []recharge.Webhook{
			ofCustomer("customer/updated", jo(after)), with(about("subscription/updated", after), jo(after)),
			with(about("subscription/activated", after), jo(after)), with(ofCharge("charge/paid", after), jo(after)),
		} {
			_, m, err := subscriber.Decide(r.settings, r.state(), w, after)
			require.NoError(t, err)
			require.NoError(t, r.rows.save(joID, r.state(), m))
		}
		c := jo(after)
		r.applies(recharge.Lookup{LookupRequest: recharge.LookupRequest{
			Kind: recharge.LookupCancellation, SubscriptionIDs: []string{"784594001"},
		}, Customer: &c, Subscriptions: []recharge.Subscription{*about("subscription/cancelled", after).Subscription}, Complete: true}, after)
		for key, row := range r.rows.Rows {
			for _, personal := range []string{"jo.bean", "Bean", "5035550100", "5213433266347", "784594001", "178918"} {
				assert.NotContains(t, key+" "+string(row), personal)
			}
		}
	})
	t.Run("a late fact is still emitted", func(t *testing.T) {
		r := deletable(t, byID())
		r.receives(gone, after)
		d := r.receives(about("subscription/deleted", start()), after.Add(time.Minute))
		assert.Equal(t, []string{"deleted"}, statuses(d))
		assert.Empty(t, r.propertyValues(d))
		d = r.receives(about("subscription/activated", after), after.Add(time.Minute))
		assert.Equal(t, []string{"activated"}, statuses(d))
		assert.Empty(t, d.Triggers, "no text to a deleted customer")
		assert.Empty(t, d.Lookups)
		assert.Equal(t, reason.Duplicate, r.receives(about("subscription/created", start()), after.Add(time.Minute)).Skip)
	})
	t.Run("a deleted customer is not looked up", func(t *testing.T) {
		r := deletable(t, byEmail())
		r.receives(gone, after)
		_, _, err := subscriber.Decide(r.settings, r.state(), about("subscription/cancelled", after), after)
		require.ErrorIs(t, err, subscriber.ErrCustomerUnknown)
		_, m, err := subscriber.Decide(r.settings, r.state(), about("subscription/unskipped", after), after)
		require.NoError(t, err)
		assert.Empty(t, m.Subscriptions)
	})
	t.Run("a deletion with another e-mail is no change", func(t *testing.T) {
		r := deletable(t, byEmail())
		c := jo(after)
		c.Email = "jo@example.org"
		d := r.receives(ofCustomer("customer/deleted", c), after)
		assert.Equal(t, []string{"FALSE jo.bean@example.com"}, r.propertyValues(d))
		assert.Empty(t, changes(d))
	})
	t.Run("an unknown customer", func(t *testing.T) {
		r := newRun(t, byEmail())
		assert.Equal(t, reason.NoFact, r.receives(gone, after).Skip)
		assert.Equal(t, after, r.state().Customer.DeletedAt)
	})
}

// An answer without a request restores a deleted customer from 100 days after the deletion on, whether the row still exists or
// not. An earlier one does not, nor does an answer to a request from before.
func TestLookupOfDeletedCustomer(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		due      time.Time
		at       time.Duration
		restored bool
	}{
		"without a request, before the marker expires": {at: 99 * day},
		"without a request, after the marker expired":  {at: 100 * day, restored: true},
		"to a request from before the marker expired":  {due: start().Add(99 * day), at: 101 * day},
		"to a request from after the marker expired":   {due: start().Add(100 * day), at: 101 * day, restored: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t, byID())
			r.receives(recharge.Webhook{Topic: "customer/deleted", Customer: &recharge.Customer{ID: joID}}, start())
			c1 := jo(start())
			r.applies(recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupCustomer, Due: c.due}, Customer: &c1}, start().Add(c.at))
			assert.Equal(t, c.restored, r.state().Customer.Seen)
		})
	}
}
