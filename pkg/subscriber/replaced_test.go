package subscriber_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

func createdAt(at time.Time) func(*recharge.Subscription) {
	return func(s *recharge.Subscription) { s.CreatedAt = at }
}

// added is the webhook of another subscription.
func added(at time.Time, change ...func(*recharge.Subscription)) recharge.Webhook {
	return about("subscription/created", at, append([]func(*recharge.Subscription){numbered("2"), createdAt(at)}, change...)...)
}

func endedAt(at time.Time) func(*recharge.Subscription) {
	return func(s *recharge.Subscription) { s.CancelledAt = at }
}

// textOfCancellation reports whether a text about the usual subscription's cancellation is left in the end.
func textOfCancellation(r *run) bool {
	return slices.ContainsFunc(r.all.Triggers, func(t subscriber.Trigger) bool {
		return t.Flow == flow.SubscriptionCanceled && t.Subscription.ID == "784594001" && !revoked(t, r.all.Revocations)
	})
}

// A cancellation has no text if the customer got another subscription in its place, in any order of receipt.
func TestReplaced(t *testing.T) {
	at := start().AddDate(0, 0, 9)
	canceled := about("subscription/cancelled", at)
	tests := []struct {
		name  string
		other []recharge.Webhook
		text  bool
	}{
		{"added a minute before", []recharge.Webhook{added(at.Add(-time.Minute))}, false},
		{"added 10 minutes before", []recharge.Webhook{added(at.Add(-10 * time.Minute))}, false},
		{"added earlier", []recharge.Webhook{added(at.Add(-10*time.Minute - time.Second))}, true},
		{"added in the same second", []recharge.Webhook{added(at)}, false},
		{"added a minute after", []recharge.Webhook{added(at.Add(time.Minute))}, false},
		{"added 10 minutes after", []recharge.Webhook{added(at.Add(10 * time.Minute))}, false},
		{"added later", []recharge.Webhook{added(at.Add(10*time.Minute + time.Second))}, true},
		{"a one-time product", []recharge.Webhook{added(at.Add(-time.Minute), status(recharge.StatusOneTime))}, true},
		{"canceled before", []recharge.Webhook{
			added(at.Add(-5 * time.Minute)), about("subscription/cancelled", at.Add(-time.Minute), numbered("2"), createdAt(at.Add(-5*time.Minute))),
		}, true},
		{"canceled in the second of its creation", []recharge.Webhook{
			added(at.Add(time.Minute)), about("subscription/cancelled", at.Add(time.Minute), numbered("2"), createdAt(at.Add(time.Minute))),
		}, true},
		{"canceled later", []recharge.Webhook{
			added(at.Add(-time.Minute)), about("subscription/cancelled", at.Add(time.Hour), numbered("2"), createdAt(at.Add(-time.Minute)), endedAt(time.Time{})),
		}, false},
		{"canceled later, by an update only", []recharge.Webhook{
			added(at.Add(-time.Minute)),
			about("subscription/updated", at.Add(time.Hour), numbered("2"), createdAt(at.Add(-time.Minute)), status("cancelled"), endedAt(at.Add(time.Hour))),
		}, false},
		{"expired later", []recharge.Webhook{
			added(at.Add(-time.Minute)), about("subscription/updated", at.Add(time.Hour), numbered("2"), createdAt(at.Add(-time.Minute)), status("expired")),
		}, false},
		{"without the time of its creation", []recharge.Webhook{added(at, createdAt(time.Time{}))}, true},
		{"deleted before", []recharge.Webhook{added(at.Add(-5 * time.Minute)), about("subscription/deleted", at.Add(-time.Minute), numbered("2"))}, true},
		{"nothing", nil, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := known(t, append(slices.Clone(test.other), canceled)...)
			assert.Equal(t, test.text, textOfCancellation(r), "canceled last")
			assert.Contains(t, statuses(r.all), "canceled", "the event")
			values := r.propertyValues(r.all)
			if len(test.other) == 1 && test.other[0].Subscription.Status == "active" {
				assert.Equal(t, []string{"TRUE " + joID}, values)
			}
			if len(test.other) == 1 {
				assert.Equal(t, test.text, textOfCancellation(known(t, canceled, test.other[0])), "canceled first")
			}
		})
	}
	t.Run("the text is revoked", func(t *testing.T) {
		r := known(t, canceled)
		require.Equal(t, []string{"subscription_canceled"}, flows(r.all))
		d := r.receives(added(at.Add(-time.Minute)), start().AddDate(0, 0, 10))
		require.Len(t, d.Revocations, 1)
		assert.Equal(t, []flow.Key{flow.SubscriptionCanceled}, d.Revocations[0].Flows)
		assert.Equal(t, []string{"subscription/784594001"}, d.Revocations[0].Items)
		assert.Equal(t, recharge.Topic("subscription/created"), d.Revocations[0].Cause)
		assert.Equal(t, at.Add(time.Microsecond), d.Revocations[0].OccurredAt, "after what it revokes")
		assert.Equal(t, reason.Duplicate, r.receives(added(at.Add(-time.Minute)), start().AddDate(0, 0, 11)).Skip)
	})
	t.Run("the text is revoked by one that is created later", func(t *testing.T) {
		d := known(t, canceled).receives(added(at.Add(time.Minute)), start().AddDate(0, 0, 10))
		require.Len(t, d.Revocations, 1)
		assert.Equal(t, at.Add(time.Minute), d.Revocations[0].OccurredAt)
	})
	t.Run("several at once", func(t *testing.T) {
		var received []recharge.Webhook
		for _, id := range []string{"15", "12", "14", "11", "13"} {
			received = append(received, about("subscription/cancelled", at, numbered(id)))
		}
		d := known(t, received...).receives(added(at.Add(time.Minute)), start().AddDate(0, 0, 10))
		var items []string
		for _, r := range d.Revocations {
			items = append(items, r.Items...)
		}
		assert.Equal(t, []string{"subscription/11", "subscription/12", "subscription/13", "subscription/14", "subscription/15"}, items)
	})
	t.Run("a deleted one may be of the same checkout", func(t *testing.T) {
		soon := start().Add(time.Minute)
		r := known(t, about("subscription/created", start()), about("subscription/cancelled", soon), about("subscription/deleted", soon))
		assert.Empty(t, r.receives(added(start().Add(time.Second)), start().AddDate(0, 0, 1)).Revocations)
	})
	t.Run("the reason", func(t *testing.T) {
		r := known(t, added(at.Add(-time.Minute)))
		r.settings.CustomerID = subscriber.ByRechargeID
		again := about("subscription/cancelled", at)
		d := r.receives(again, at.Add(time.Second))
		assert.Empty(t, d.Triggers)
		again.Hash = "other bytes"
		assert.Equal(t, reason.Duplicate, r.receives(again, at.Add(time.Minute)).Skip)
	})
	t.Run("an expiry is no swap", func(t *testing.T) {
		r := known(t, added(at.Add(-time.Minute)), about("subscription/cancelled", at, status("expired")))
		assert.Contains(t, flows(r.all), "subscription_expired")
	})
}

// A swap ends without a text in every order of its webhooks, with duplicates and updates. Of the others, the last that was
// canceled has its text.
func TestSwapInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := start().AddDate(0, 0, 9)
		apart := time.Duration(rapid.IntRange(-700, 700).Draw(t, "seconds")) * time.Second
		received := []recharge.Webhook{
			about("subscription/created", start()), added(at.Add(apart)), about("subscription/cancelled", at),
			about("subscription/updated", at, status("cancelled")),
			about("subscription/updated", at.Add(apart), numbered("2"), createdAt(at.Add(apart))),
		}
		r := known(t, mixedUp(received).Draw(t, "received")...)
		require.Equal(t, apart.Abs() > 10*time.Minute, textOfCancellation(r))
	})
}

// All subscriptions of a checkout are canceled: each has its text.
func TestCanceledTogether(t *testing.T) {
	at := start().Add(5 * time.Minute)
	r := known(t, about("subscription/created", start()), added(start().Add(time.Second)),
		about("subscription/cancelled", at), about("subscription/cancelled", at.Add(time.Second), numbered("2"), createdAt(start().Add(time.Second))))
	assert.Len(t, slices.DeleteFunc(flows(r.all), func(f string) bool { return f != string(flow.SubscriptionCanceled) }), 2)
}

// Subscriptions that are created within a minute are of one checkout: none replaces another.
func TestCheckoutIsNoSwap(t *testing.T) {
	for apart, text := range map[time.Duration]bool{
		0: true, time.Second: true, time.Minute: true, time.Minute + time.Second: false, -time.Second: true, -time.Hour: true,
	} {
		r := known(t, about("subscription/created", start()), added(start().Add(apart)), about("subscription/cancelled", start().Add(5*time.Minute)))
		assert.Equal(t, text, textOfCancellation(r), apart)
	}
}

// A prepaid subscription that is canceled within a day of its checkout is a gift that was to end: an event, no text.
func TestPrepaidGift(t *testing.T) {
	prepaid := func(s *recharge.Subscription) { s.IsPrepaid = true }
	intervals := func(charge, order int) func(*recharge.Subscription) {
		return func(s *recharge.Subscription) { s.ChargeInterval, s.OrderInterval = charge, order }
	}
	tests := []struct {
		name   string
		after  time.Duration
		change func(*recharge.Subscription)
		text   bool
	}{
		{"at once", 0, prepaid, false},
		{"before its creation", -time.Second, prepaid, true},
		{"after 3 minutes", 3 * time.Minute, prepaid, false},
		{"after a day", 24 * time.Hour, prepaid, false},
		{"after more than a day", 24*time.Hour + time.Second, prepaid, true},
		{"2021-01: one charge for three orders", time.Hour, intervals(90, 30), false},
		{"one charge for each order", time.Hour, intervals(30, 30), true},
		{"intervals unknown", time.Hour, intervals(90, 0), true},
		{"not prepaid", time.Hour, func(*recharge.Subscription) {}, true},
		{"without the time of its creation", time.Hour, func(s *recharge.Subscription) { s.IsPrepaid, s.CreatedAt = true, time.Time{} }, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := known(t, about("subscription/cancelled", start().Add(test.after), test.change))
			assert.Equal(t, []string{"canceled"}, statuses(r.all))
			assert.Equal(t, test.text, textOfCancellation(r))
		})
		for _, topic := range []recharge.Topic{"subscription/updated", "subscription/cancelled"} {
			t.Run(test.name+", expired by "+string(topic), func(t *testing.T) {
				r := known(t, about(topic, start().Add(test.after), test.change, status("expired")))
				assert.Equal(t, test.text, slices.Contains(flows(r.all), string(flow.SubscriptionExpired)))
			})
		}
	}
}

// A one-time product in the form of a subscription is no subscription.
func TestOneTimeProduct(t *testing.T) {
	oneTime := status(recharge.StatusOneTime)
	for _, topic := range []recharge.Topic{
		"subscription/created", "subscription/activated", "subscription/cancelled", "subscription/deleted", "subscription/updated",
		"subscription/paused", "subscription/skipped", "subscription/unskipped",
	} {
		t.Run(string(topic), func(t *testing.T) {
			r := known(t)
			assert.Equal(t, reason.OneTimeProduct, r.receives(about(topic, start(), oneTime), start()).Skip)
			assert.Empty(t, r.state().SubscriptionRows(store, joID))
			assert.Empty(t, r.requests)
			without := about("subscription/deleted", start(), status(""))
			assert.Equal(t, reason.OneTimeProduct, r.receives(without, start()).Skip, "a deletion has no status")
		})
	}
	t.Run("it does not count for the property", func(t *testing.T) {
		r := known(t)
		r.receives(ofCustomer("customer/updated", counted(jo(start().Add(time.Hour)), 0)), start())
		r.receives(about("subscription/created", start().Add(2*time.Hour), oneTime), start().Add(2*time.Hour))
		r.receives(about("subscription/deleted", start().Add(3*time.Hour), oneTime), start().Add(3*time.Hour))
		assert.Equal(t, []string{"FALSE " + joID}, r.propertyValues(r.all))
		r.receives(about("subscription/created", start().Add(4*time.Hour), numbered("2")), start().Add(4*time.Hour))
		r.receives(about("subscription/created", start().Add(5*time.Hour), numbered("3"), oneTime), start().Add(5*time.Hour))
		assert.Equal(t, []string{"FALSE " + joID, "TRUE " + joID}, r.propertyValues(r.all))
	})
	t.Run("its time is not that of the property", func(t *testing.T) {
		r := known(t)
		r.imports(imported(), start())
		r.receives(about("subscription/updated", minute(60), numbered("2"), oneTime), minute(60))
		d := r.receives(about("subscription/cancelled", minute(30)), minute(61))
		require.Equal(t, []string{"FALSE " + joID}, r.propertyValues(d))
		assert.Equal(t, minute(30), d.Events[len(d.Events)-1].OccurredAt)
	})
	t.Run("a count older than it decides", func(t *testing.T) {
		at := start().Add(5 * time.Hour)
		for _, last := range []recharge.Webhook{about("subscription/updated", at, oneTime), about("subscription/deleted", at, status(""))} {
			r := known(t, about("subscription/created", start(), oneTime))
			r.receives(last, at)
			d := r.receives(ofCustomer("customer/updated", counted(jo(start().Add(4*time.Hour)), 1)), at)
			assert.Equal(t, []string{"TRUE " + joID}, r.propertyValues(d), last.Topic)
		}
	})
	t.Run("it becomes a subscription", func(t *testing.T) {
		r := known(t, about("subscription/created", start(), oneTime))
		later := start().Add(time.Hour)
		assert.Equal(t, []string{"activated"}, statuses(r.receives(about("subscription/activated", later), later)))
		assert.Len(t, r.state().SubscriptionRows(store, joID), 1)
	})
	t.Run("an included customer is absorbed", func(t *testing.T) {
		changed := jo(start().Add(time.Hour))
		changed.Email = "jo@example.org"
		r := known(t)
		d := r.receives(with(about("subscription/updated", start().Add(time.Hour), oneTime), changed), start().Add(time.Hour))
		require.Len(t, d.Events, 1)
		assert.Equal(t, subscriber.EventCustomerChange, d.Events[0].Type)
	})
}
