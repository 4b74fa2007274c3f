package subscriber_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// givenUp is a charge of two subscriptions that failed for good, at a store that knows its customer.
func givenUp(t *testing.T) *life {
	l := newLife(t, byID())
	c := jo(start())
	l.learns(subscriber.Answer{Ask: subscriber.Ask{Kind: subscriber.AskIdentity}, Customer: &c}, start())
	for _, id := range []string{"1", "2"} {
		l.hears(about("subscription/created", start(), numbered(id)), start())
	}
	l.all = subscriber.Decision{}
	w := ofCharge("charge/max_retries_reached", start(), func(c *recharge.Charge) {
		c.LineItems = []recharge.LineItem{{SubscriptionID: "1"}, {Title: "one time"}, {SubscriptionID: "2"}}
	})
	l.hears(w, start())
	require.Equal(t, []subscriber.Ask{{
		Kind: subscriber.AskCancellation, Due: start().Add(time.Minute), ChargeID: "580825303", Subscriptions: []string{"1", "2"},
	}}, l.asks)
	require.Empty(t, l.hears(w, start()).Asks, "asked once")
	w.Hash = "other bytes"
	require.Empty(t, l.hears(w, start()).Asks, "asked once")
	l.all = subscriber.Decision{}
	return l
}

// found is an answer to the oldest question: those subscriptions are canceled, the others active.
func (l *life) found(t *testing.T, canceled ...string) subscriber.Decision {
	require.NotEmpty(t, l.asks)
	a := subscriber.Answer{Ask: l.asks[0], Complete: true}
	l.asks = l.asks[1:]
	for _, id := range []string{"1", "2"} {
		w := about("subscription/updated", start(), numbered(id))
		for _, c := range canceled {
			if c == id {
				w = about("subscription/cancelled", start().Add(30*time.Second), numbered(id))
			}
		}
		a.Subscriptions = append(a.Subscriptions, *w.Subscription)
	}
	return l.learns(a, a.Ask.Due.Add(time.Second))
}

// Recharge cancels without a word: the API is asked after a minute, ten more, and an hour more.
func TestCanceledWithoutAWord(t *testing.T) {
	t.Run("both, at the first look", func(t *testing.T) {
		l := givenUp(t)
		d := l.found(t, "1", "2")
		assert.Equal(t, []string{"canceled", "canceled"}, statuses(d))
		assert.Equal(t, []string{"subscription_canceled", "subscription_canceled"}, flows(d))
		assert.Equal(t, []string{"FALSE " + joID}, flags(d))
		assert.Len(t, d.Revocations, 2)
		assert.Empty(t, d.Asks)
		assert.Equal(t, recharge.Topic("subscription/cancelled"), d.Revocations[0].Cause)
		assert.Equal(t, "+15035550100", d.Triggers[0].Recipient.Phone)
		again := l.hears(about("subscription/cancelled", start().Add(30*time.Second), numbered("1")), start().Add(time.Hour))
		assert.Equal(t, subscriber.SkipTold, again.Skip, "one fact, one id")
	})
	t.Run("told by a webhook before", func(t *testing.T) {
		l := givenUp(t)
		for _, id := range []string{"1", "2"} {
			l.hears(about("subscription/cancelled", start().Add(30*time.Second), numbered(id)), start().Add(40*time.Second))
		}
		l.asks = l.asks[:1]
		d := l.found(t, "1", "2")
		assert.Empty(t, statuses(d))
		assert.Empty(t, d.Triggers)
		assert.Empty(t, d.Asks)
	})
	t.Run("never", func(t *testing.T) {
		l := givenUp(t)
		var due []time.Duration
		for range 2 {
			d := l.found(t)
			assert.Equal(t, subscriber.SkipLearnt, d.Skip)
			require.Len(t, d.Asks, 1)
			due = append(due, d.Asks[0].Due.Sub(start()))
		}
		assert.Equal(t, []time.Duration{11*time.Minute + time.Second, 71*time.Minute + 2*time.Second}, due)
		d := l.found(t)
		assert.Equal(t, subscriber.SkipLeftActive, d.Skip)
		assert.Empty(t, d.Asks)
		assert.Empty(t, l.all.Events)
	})
	t.Run("one at the first look, the other at the second", func(t *testing.T) {
		l := givenUp(t)
		d := l.found(t, "1")
		assert.Equal(t, []string{"canceled"}, statuses(d))
		assert.Empty(t, flags(d), "the other is active")
		require.Len(t, d.Asks, 1)
		assert.Equal(t, []string{"2"}, d.Asks[0].Subscriptions)
		assert.Equal(t, 1, d.Asks[0].Attempt)
		d = l.found(t, "1", "2")
		assert.Equal(t, []string{"canceled"}, statuses(d))
		assert.Equal(t, []string{"FALSE " + joID}, flags(d))
		assert.Empty(t, d.Asks)
	})
	t.Run("reactivated since", func(t *testing.T) {
		l := givenUp(t)
		l.hears(about("subscription/activated", start().Add(time.Hour), numbered("1")), start().Add(time.Hour))
		d := l.found(t, "1")
		assert.Equal(t, []string{"canceled"}, statuses(d), "it was, for a while")
		assert.Empty(t, d.Triggers)
	})
	t.Run("the answer lacks a list", func(t *testing.T) {
		l := givenUp(t)
		d := l.learns(subscriber.Answer{Ask: l.asks[0]}, start().Add(2*time.Minute))
		require.Len(t, d.Asks, 1)
		assert.Equal(t, []string{"1", "2"}, d.Asks[0].Subscriptions)
	})
	t.Run("deleted meanwhile", func(t *testing.T) {
		l := givenUp(t)
		l.found(t)
		d := l.learns(subscriber.Answer{Ask: l.asks[0], Complete: true}, start().Add(12*time.Minute))
		assert.Empty(t, d.Asks)
		assert.Equal(t, []string{"FALSE " + joID}, flags(d))
		assert.Empty(t, statuses(d))
	})
	t.Run("nobody to ask", func(t *testing.T) {
		c := plain("charge/max_retries_reached", start())
		assert.Empty(t, decided(t, c).Asks)
		c.settings.API = true
		assert.Len(t, decided(t, c).Asks, 1)
		c.webhook.Charge.LineItems = nil
		assert.Empty(t, decided(t, c).Asks, "nothing to ask about")
	})
}

// An import tells nothing that happened before us, but the flag is right from then on.
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
			l := newLife(t, byEmail())
			d := l.learns(subscriber.Answer{Customer: &c, Subscriptions: test.list, Complete: true, Import: true}, start().Add(2*time.Hour))
			assert.Equal(t, test.want, flags(d))
			assert.Len(t, d.Events, 1)
			assert.Empty(t, d.Triggers)
			assert.Empty(t, d.Asks)
			assert.NotNil(t, l.memory().Row(store, joID))
			assert.Len(t, l.memory().SubscriptionRows(store, joID), 1)
		})
	}
	t.Run("a customer who is another now", func(t *testing.T) {
		l := newLife(t, byEmail())
		l.hears(ofCustomer("customer/created", jo(start())), start())
		moved := jo(start().Add(time.Hour))
		moved.Email = "jo@example.org"
		d := l.learns(subscriber.Answer{Customer: &moved, Import: true}, start().Add(2*time.Hour))
		assert.Equal(t, subscriber.SkipLearnt, d.Skip)
		assert.Equal(t, "jo@example.org", l.memory().Customer.Email)
	})
	t.Run("nobody knows the e-mail", func(t *testing.T) {
		l := newLife(t, byEmail())
		d := l.learns(subscriber.Answer{Subscriptions: subscriptions(about("subscription/created", start())), Complete: true, Import: true}, start())
		assert.Equal(t, subscriber.SkipLearnt, d.Skip, "an import waits for nothing")
	})
	t.Run("what was imported is still told when its webhook comes", func(t *testing.T) {
		l := newLife(t, byEmail())
		l.learns(subscriber.Answer{Customer: &c, Subscriptions: subscriptions(about("subscription/created", start())), Complete: true, Import: true}, start())
		assert.Equal(t, []string{"created"}, statuses(l.hears(about("subscription/created", start()), start())))
	})
}

// A customer whom the API shows changed is told as changed.
func TestLearntChange(t *testing.T) {
	l := newLife(t, byEmail())
	l.hears(ofCustomer("customer/created", jo(start())), start())
	moved := jo(start().Add(time.Hour))
	moved.Email = "jo@example.org"
	found := changes(l.learns(subscriber.Answer{Ask: subscriber.Ask{Kind: subscriber.AskIdentity}, Customer: &moved}, start().Add(2*time.Hour)))
	require.Len(t, found, 1)
	assert.Equal(t, "jo.bean@example.com", found[0].Customer.OldEmail)
	assert.Equal(t, subscriber.SkipNothingChanged, l.hears(ofCustomer("customer/updated", moved), start().Add(3*time.Hour)).Skip)
}

// When the API has told of a customer without a phone, there is none to ask for again.
func TestPhoneAskedForOnce(t *testing.T) {
	l := newLife(t, byEmail())
	asked := 0
	l.answers = func(a subscriber.Ask) subscriber.Answer {
		asked++
		c := jo(start())
		c.Phone, c.PhoneKnown = "", false
		return subscriber.Answer{Ask: a, Customer: &c}
	}
	for i := range 3 {
		l.hears(about("subscription/paused", start().Add(time.Duration(i)*time.Hour)), start().Add(time.Duration(i)*time.Hour))
	}
	assert.Equal(t, 1, asked)
	l.hears(ofCustomer("customer/updated", jo(start().Add(time.Hour))), start().Add(4*time.Hour))
	assert.Equal(t, "+15035550100", l.memory().Customer.Phone)
}

// Of a customer who was deleted nothing personal is kept, and nobody is sent anything any more.
func TestCustomerDeleted(t *testing.T) {
	gone := recharge.Webhook{Topic: "customer/deleted", Customer: &recharge.Customer{ID: joID}, Hash: "gone"}
	after := start().Add(time.Hour)
	lived := func(t *testing.T, s subscriber.Settings) *life {
		l := newLife(t, s)
		l.hears(ofCustomer("customer/created", jo(start())), start())
		l.hears(about("subscription/created", start()), start())
		l.all = subscriber.Decision{}
		return l
	}
	t.Run("the flag ends", func(t *testing.T) {
		l := lived(t, byEmail())
		d := l.hears(gone, after)
		assert.Equal(t, []string{"FALSE jo.bean@example.com"}, flags(d))
		assert.Equal(t, after, d.Events[0].OccurredAt)
		assert.Len(t, d.Events, 1)
		assert.Equal(t, subscriber.SkipNoFact, l.hears(gone, after.Add(time.Hour)).Skip)
		assert.Equal(t, after, l.memory().Customer.DeletedAt, "the first receipt")
		assert.Nil(t, l.memory().Row(store, joID))
		assert.Empty(t, l.memory().SubscriptionRows(store, joID))
	})
	t.Run("nothing personal is left", func(t *testing.T) {
		l := lived(t, byEmail())
		l.hears(gone, after)
		for _, w := range []recharge.Webhook{
			ofCustomer("customer/updated", jo(after)), with(about("subscription/updated", after), jo(after)),
			with(about("subscription/activated", after), jo(after)), with(ofCharge("charge/paid", after), jo(after)),
		} {
			_, m, err := subscriber.Decide(l.settings, l.memory(), w, after)
			require.NoError(t, err)
			require.NoError(t, m.Keep(l.rows, store, joID, l.memory()))
		}
		c := jo(after)
		l.learns(subscriber.Answer{Ask: subscriber.Ask{
			Kind: subscriber.AskCancellation, Subscriptions: []string{"784594001"},
		}, Customer: &c, Subscriptions: []recharge.Subscription{*about("subscription/cancelled", after).Subscription}, Complete: true}, after)
		for key, row := range l.rows.rows {
			for _, personal := range []string{"jo.bean", "Bean", "5035550100", "5213433266347", "784594001", "178918"} {
				assert.NotContains(t, key+" "+string(row), personal)
			}
		}
	})
	t.Run("what comes late is still a fact", func(t *testing.T) {
		l := lived(t, byID())
		l.hears(gone, after)
		d := l.hears(about("subscription/deleted", start()), after.Add(time.Minute))
		assert.Equal(t, []string{"deleted"}, statuses(d))
		assert.Empty(t, flags(d))
		d = l.hears(about("subscription/activated", after), after.Add(time.Minute))
		assert.Equal(t, []string{"activated"}, statuses(d))
		assert.Empty(t, d.Triggers, "no text to somebody who is gone")
		assert.Empty(t, d.Asks)
		assert.Equal(t, subscriber.SkipTold, l.hears(about("subscription/created", start()), after.Add(time.Minute)).Skip)
	})
	t.Run("nobody asks for them", func(t *testing.T) {
		l := lived(t, byEmail())
		l.hears(gone, after)
		_, _, err := subscriber.Decide(l.settings, l.memory(), about("subscription/cancelled", after), after)
		require.ErrorIs(t, err, subscriber.ErrCustomerUnknown)
		_, m, err := subscriber.Decide(l.settings, l.memory(), about("subscription/unskipped", after), after)
		require.NoError(t, err)
		assert.Empty(t, m.Subscriptions)
	})
	t.Run("a changed customer who is gone is no change", func(t *testing.T) {
		l := lived(t, byEmail())
		c := jo(after)
		c.Email = "jo@example.org"
		d := l.hears(ofCustomer("customer/deleted", c), after)
		assert.Equal(t, []string{"FALSE jo.bean@example.com"}, flags(d))
		assert.Empty(t, changes(d))
	})
	t.Run("who was never met", func(t *testing.T) {
		l := newLife(t, byEmail())
		assert.Equal(t, subscriber.SkipNoFact, l.hears(gone, after).Skip)
		assert.Equal(t, after, l.memory().Customer.DeletedAt)
	})
}

// An answer to no question is a stranger's when it comes 100 days after the deletion, be the row still there or not; earlier it
// brings nobody back, nor does one to a question from then.
func TestAnAnswerAboutWhoWasDeleted(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		due  time.Time
		at   time.Duration
		back bool
	}{
		"to no question, in time":    {at: 99 * day},
		"to no question, later":      {at: 100 * day, back: true},
		"to one from before":         {due: start().Add(99 * day), at: 101 * day},
		"to one from when forgotten": {due: start().Add(100 * day), at: 101 * day, back: true},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLife(t, byID())
			l.hears(recharge.Webhook{Topic: "customer/deleted", Customer: &recharge.Customer{ID: joID}}, start())
			c1 := jo(start())
			l.learns(subscriber.Answer{Ask: subscriber.Ask{Kind: subscriber.AskIdentity, Due: c.due}, Customer: &c1}, start().Add(c.at))
			assert.Equal(t, c.back, l.memory().Customer.Seen)
		})
	}
}
