package subscriber_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
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

// A late trigger is contradicted by each happening that revokes it, and by no other.
func TestContradicted(t *testing.T) {
	at := start().Add(time.Hour)
	earlier, later := at.Add(-time.Minute), at.Add(time.Minute)
	success := func(c *recharge.Charge) { c.Status = "success" }
	expired := about("subscription/updated", at, status("expired"))
	tests := []struct {
		flow        flow.Key
		w           recharge.Webhook
		contradicts []recharge.Webhook // each of them
		leaves      []recharge.Webhook
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
	decide := func(t *testing.T, before, w recharge.Webhook) (subscriber.Decision, *run) {
		r := newRun(t, byID())
		c := jo(start())
		r.applies(recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupCustomer}, Customer: &c}, start())
		r.receives(before, later)
		return r.receives(w, later), r
	}
	for _, test := range tests {
		for _, w := range test.contradicts {
			t.Run(string(test.flow)+" contradicted by "+string(w.Topic), func(t *testing.T) {
				d, r := decide(t, w, test.w)
				assert.NotContains(t, flows(d), string(test.flow))
				if d.Empty() {
					assert.Equal(t, reason.Contradicted, d.Skip)
				}
				again := test.w
				again.Hash = "other bytes"
				assert.Equal(t, reason.Duplicate, r.receives(again, later).Skip, "emitted once")
			})
		}
		for _, w := range test.leaves {
			t.Run(string(test.flow)+" not contradicted by "+string(w.Topic), func(t *testing.T) {
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

// The event of a fact is emitted even if its trigger is contradicted.
func TestEventOfContradictedTriggerIsEmitted(t *testing.T) {
	r := newRun(t, byID())
	r.receives(with(about("subscription/activated", start().Add(time.Hour)), jo(start())), start().Add(time.Hour))
	d := r.receives(about("subscription/cancelled", start()), start().Add(2*time.Hour))
	require.Equal(t, []string{"canceled"}, statuses(d))
	assert.Equal(t, start(), d.Events[0].OccurredAt, "its own time")
	assert.Empty(t, d.Triggers)
	require.Len(t, d.Revocations, 1)
	assert.Equal(t, start(), d.Revocations[0].OccurredAt, "which revokes only what happened before")
	assert.Equal(t, "active", r.state().SubscriptionRows(store, joID)["784594001"].Status)
}

// A trigger of a charge is contradicted only when all its subscriptions are.
func TestContradictedInPart(t *testing.T) {
	two := ofCharge("charge/upcoming", start().Add(time.Hour), func(c *recharge.Charge) {
		c.LineItems = []recharge.LineItem{{SubscriptionID: "784594001"}, {SubscriptionID: "2"}}
	})
	skip := func(id string) recharge.Webhook {
		return with(about("subscription/skipped", start().Add(2*time.Hour), numbered(id)), jo(start()))
	}
	r := newRun(t, byID())
	r.receives(skip("2"), start().Add(2*time.Hour))
	assert.Equal(t, []string{"upcoming_order"}, flows(r.receives(two, start().Add(2*time.Hour))))
	r = newRun(t, byID())
	r.receives(skip("2"), start().Add(2*time.Hour))
	r.receives(skip("784594001"), start().Add(2*time.Hour))
	assert.Equal(t, reason.Contradicted, r.receives(two, start().Add(2*time.Hour)).Skip)
}

// A subscription expires once between two activations, in any order of its webhooks.
func TestExpiredOncePerActivation(t *testing.T) {
	at := func(hours int) time.Time { return start().Add(time.Duration(hours) * time.Hour) }
	expired := func(hours int) recharge.Webhook { return about("subscription/updated", at(hours), status("expired")) }
	dated := func(topic recharge.Topic, expiredAt, updatedAt int) recharge.Webhook {
		return about(topic, at(updatedAt), status("expired"), func(s *recharge.Subscription) { s.CancelledAt = at(expiredAt) })
	}
	activated := func(hours int) recharge.Webhook { return about("subscription/activated", at(hours)) }
	tests := []struct {
		name     string
		received []recharge.Webhook
		want     int
	}{
		{"once", []recharge.Webhook{expired(1)}, 1},
		{"repeated", []recharge.Webhook{expired(1), expired(2), expired(3)}, 1},
		{"by two topics", []recharge.Webhook{expired(1), about("subscription/cancelled", at(1), status("expired"))}, 1},
		{"expired, activated, expired", []recharge.Webhook{expired(1), activated(2), expired(3), expired(4)}, 2},
		{"the activation arrives late", []recharge.Webhook{expired(3), activated(2), expired(3), expired(4)}, 1},
		{"the first expiry arrives late", []recharge.Webhook{activated(2), expired(1), expired(3)}, 1}, // contradicted
		{"with a time, by two topics and again", []recharge.Webhook{
			dated("subscription/updated", 1, 1), dated("subscription/cancelled", 1, 1), dated("subscription/updated", 1, 5),
		}, 1},
		{"first without its time, then with it", []recharge.Webhook{expired(2), dated("subscription/cancelled", 1, 3), expired(4)}, 1},
		{"first with its time, then without", []recharge.Webhook{dated("subscription/cancelled", 1, 1), expired(2)}, 1},
		{"with times, the activation arrives late", []recharge.Webhook{dated("subscription/updated", 1, 1), dated("subscription/updated", 3, 3), activated(2)}, 2},
		{"three activations", []recharge.Webhook{expired(1), activated(2), expired(3), activated(4), expired(5)}, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRun(t, byID())
			c := jo(start())
			r.applies(recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupCustomer}, Customer: &c}, start())
			for i, w := range test.received {
				r.receives(w, at(10+i))
			}
			found := 0
			for _, f := range flows(r.all) {
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
	r := newRun(t, byID())
	assert.Equal(t, []string{"customer_account_activation"}, flows(r.receives(ofCustomer("customer/activated", jo(start())), start())))
	for _, after := range []int{1, 13, 15, 40} {
		at := start().AddDate(0, after, 0)
		assert.Empty(t, flows(r.receives(ofCustomer("customer/activated", jo(at)), at)), after)
	}
}
