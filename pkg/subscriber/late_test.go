package subscriber_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

func ofCharge(topic recharge.Topic, at time.Time, change ...func(*recharge.Charge)) recharge.Webhook {
	w := plain(topic, at).webhook
	for _, c := range change {
		c(w.Charge)
	}
	w.Hash = hashOf(topic, *w.Charge)
	return w
}

// A text about what was undone since is not sent, and only then.
func TestContradicted(t *testing.T) {
	at := start().Add(time.Hour)
	earlier, later := at.Add(-time.Minute), at.Add(time.Minute)
	success := func(c *recharge.Charge) { c.Status = "success" }
	expired := about("subscription/updated", at, status("expired"))
	tests := []struct {
		flow   flow.Key
		w      recharge.Webhook
		undoes []recharge.Webhook // each of them
		leaves []recharge.Webhook
	}{
		{
			flow.SubscriptionStarted, about("subscription/created", at, func(s *recharge.Subscription) { s.CreatedAt = at }),
			[]recharge.Webhook{about("subscription/cancelled", later), about("subscription/deleted", later)},
			[]recharge.Webhook{
				about("subscription/updated", later), about("subscription/cancelled", earlier), about("subscription/activated", later),
				about("subscription/paused", later), about("subscription/cancelled", later, numbered("2")),
			},
		},
		{
			flow.SubscriptionPaused, about("subscription/paused", at),
			[]recharge.Webhook{about("subscription/activated", later)},
			[]recharge.Webhook{about("subscription/activated", at), about("subscription/updated", later), about("subscription/cancelled", later)},
		},
		{
			flow.SubscriptionResumed, about("subscription/activated", at),
			[]recharge.Webhook{about("subscription/cancelled", later), about("subscription/paused", later)},
			[]recharge.Webhook{about("subscription/cancelled", earlier), about("subscription/paused", earlier), about("subscription/updated", later)},
		},
		{
			flow.SubscriptionCanceled, about("subscription/cancelled", at),
			[]recharge.Webhook{about("subscription/activated", later)},
			[]recharge.Webhook{about("subscription/activated", earlier), about("subscription/deleted", later), about("subscription/updated", later)},
		},
		{
			flow.SubscriptionExpired, expired,
			[]recharge.Webhook{about("subscription/activated", later)},
			[]recharge.Webhook{about("subscription/activated", earlier), about("subscription/updated", later, status("expired"))},
		},
		{
			flow.UpcomingOrder, ofCharge("charge/upcoming", at),
			[]recharge.Webhook{about("subscription/skipped", later), about("subscription/cancelled", later), ofCharge("charge/paid", later), ofCharge("charge/created", later, success)},
			[]recharge.Webhook{about("subscription/skipped", earlier), about("subscription/unskipped", later), ofCharge("charge/created", later), ofCharge("charge/failed", later)},
		},
		{
			flow.OrderSkipped, about("subscription/skipped", at),
			[]recharge.Webhook{about("subscription/unskipped", later)},
			[]recharge.Webhook{about("subscription/unskipped", earlier), about("subscription/cancelled", later)},
		},
		{
			flow.ChargeWillBeRetried, ofCharge("charge/failed", at),
			[]recharge.Webhook{ofCharge("charge/paid", later), ofCharge("charge/created", later, success)},
			[]recharge.Webhook{ofCharge("charge/created", later), ofCharge("charge/paid", later, func(c *recharge.Charge) { c.ID = "2" })},
		},
		{
			flow.ChargeFailed, ofCharge("charge/max_retries_reached", at),
			[]recharge.Webhook{ofCharge("charge/paid", later)},
			[]recharge.Webhook{ofCharge("charge/failed", later), about("subscription/cancelled", later)},
		},
		{flow.ChargePaid, ofCharge("charge/paid", at), nil, []recharge.Webhook{about("subscription/cancelled", later), ofCharge("charge/failed", later)}},
		{flow.OrderProcessed, plain("order/processed", at).webhook, nil, []recharge.Webhook{about("subscription/cancelled", later), about("subscription/skipped", later)}},
		{flow.CustomerAccountActivation, ofCustomer("customer/activated", jo(at)), nil, []recharge.Webhook{ofCustomer("customer/deactivated", jo(later)), about("subscription/cancelled", later)}},
	}
	decide := func(t *testing.T, before, w recharge.Webhook) (subscriber.Decision, *life) {
		l := newLife(t, byID())
		c := jo(start())
		l.learns(subscriber.Answer{Ask: subscriber.Ask{Kind: subscriber.AskIdentity}, Customer: &c}, start())
		l.hears(before, later)
		return l.hears(w, later), l
	}
	for _, test := range tests {
		for _, w := range test.undoes {
			t.Run(string(test.flow)+" undone by "+string(w.Topic), func(t *testing.T) {
				d, l := decide(t, w, test.w)
				assert.NotContains(t, flows(d), string(test.flow))
				if d.Empty() {
					assert.Equal(t, subscriber.SkipContradicted, d.Skip)
				}
				again := test.w
				again.Hash = "other bytes"
				assert.Equal(t, subscriber.SkipTold, l.hears(again, later).Skip, "settled")
			})
		}
		for _, w := range test.leaves {
			t.Run(string(test.flow)+" left by "+string(w.Topic), func(t *testing.T) {
				d, _ := decide(t, w, test.w)
				want := string(test.flow)
				if test.flow == flow.SubscriptionExpired && w.Subscription.Status == "expired" {
					require.Empty(t, d.Triggers, "once")
					return
				}
				assert.Contains(t, flows(d), want)
			})
		}
	}
}

// What is undone is still a fact: only its text isn't sent.
func TestLateFactsStayFacts(t *testing.T) {
	l := newLife(t, byID())
	l.hears(with(about("subscription/activated", start().Add(time.Hour)), jo(start())), start().Add(time.Hour))
	d := l.hears(about("subscription/cancelled", start()), start().Add(2*time.Hour))
	require.Equal(t, []string{"canceled"}, statuses(d))
	assert.Equal(t, start(), d.Events[0].OccurredAt, "its own time")
	assert.Empty(t, d.Triggers)
	require.Len(t, d.Revocations, 1)
	assert.Equal(t, start(), d.Revocations[0].OccurredAt, "which takes back only what came before")
	assert.Equal(t, "active", l.memory().SubscriptionRows(store, joID)["784594001"].Status)
}

// A text about a charge or an order goes when one of its subscriptions is left.
func TestContradictedInPart(t *testing.T) {
	two := ofCharge("charge/upcoming", start().Add(time.Hour), func(c *recharge.Charge) {
		c.LineItems = []recharge.LineItem{{SubscriptionID: "784594001"}, {SubscriptionID: "2"}}
	})
	skip := func(id string) recharge.Webhook {
		return with(about("subscription/skipped", start().Add(2*time.Hour), numbered(id)), jo(start()))
	}
	l := newLife(t, byID())
	l.hears(skip("2"), start().Add(2*time.Hour))
	assert.Equal(t, []string{"upcoming_order"}, flows(l.hears(two, start().Add(2*time.Hour))))
	l = newLife(t, byID())
	l.hears(skip("2"), start().Add(2*time.Hour))
	l.hears(skip("784594001"), start().Add(2*time.Hour))
	assert.Equal(t, subscriber.SkipContradicted, l.hears(two, start().Add(2*time.Hour)).Skip)
}

// A subscription expires once per life, in whatever order its webhooks come.
func TestExpiredOncePerLife(t *testing.T) {
	at := func(hours int) time.Time { return start().Add(time.Duration(hours) * time.Hour) }
	expired := func(hours int) recharge.Webhook { return about("subscription/updated", at(hours), status("expired")) }
	activated := func(hours int) recharge.Webhook { return about("subscription/activated", at(hours)) }
	tests := []struct {
		name string
		say  []recharge.Webhook
		want int
	}{
		{"once", []recharge.Webhook{expired(1)}, 1},
		{"said again and again", []recharge.Webhook{expired(1), expired(2), expired(3)}, 1},
		{"by two topics", []recharge.Webhook{expired(1), about("subscription/cancelled", at(1), status("expired"))}, 1},
		{"two lives", []recharge.Webhook{expired(1), activated(2), expired(3), expired(4)}, 2},
		{"the activation comes late", []recharge.Webhook{expired(3), activated(2), expired(3), expired(4)}, 1},
		{"the first life's expiry comes late", []recharge.Webhook{activated(2), expired(1), expired(3)}, 1}, // its text was undone
		{"three lives", []recharge.Webhook{expired(1), activated(2), expired(3), activated(4), expired(5)}, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLife(t, byID())
			c := jo(start())
			l.learns(subscriber.Answer{Ask: subscriber.Ask{Kind: subscriber.AskIdentity}, Customer: &c}, start())
			for i, w := range test.say {
				l.hears(w, at(10+i))
			}
			found := 0
			for _, f := range flows(l.all) {
				if f == string(flow.SubscriptionExpired) {
					found++
				}
			}
			assert.Equal(t, test.want, found)
		})
	}
}

// An account is activated once, however long ago that was.
func TestAccountActivatedOnce(t *testing.T) {
	l := newLife(t, byID())
	assert.Equal(t, []string{"customer_account_activation"}, flows(l.hears(ofCustomer("customer/activated", jo(start())), start())))
	for _, after := range []int{1, 13, 15, 40} {
		at := start().AddDate(0, after, 0)
		assert.Empty(t, flows(l.hears(ofCustomer("customer/activated", jo(at)), at)), after)
	}
}
