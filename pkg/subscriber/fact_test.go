package subscriber_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// idsOf are the IDs of a decision, by the names of their outputs.
func idsOf(t require.TestingT, d subscriber.Decision) map[string]string {
	found := map[string]string{}
	add := func(name, id string) {
		require.NotContains(t, found, name)
		require.Regexp(t, "^[0-9a-f]{32}$", id)
		found[name] = id
	}
	for _, e := range d.Events {
		add("event "+string(e.Type)+" "+e.Status, e.ID)
	}
	for _, trigger := range d.Triggers {
		add("trigger "+string(trigger.Flow), trigger.ID)
	}
	for _, revocation := range d.Revocations {
		add("revocation", revocation.ID)
	}
	return found
}

const propertyEvent = "event customer_property "

// An ID is that of a fact: the time of receipt does not matter.
func TestIDsDoNotDependOnReceipt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := fullCase(usedTopics()...).Draw(t, "case")
		again := c
		again.at = instants().Draw(t, "received again at")
		first, second := decided(t, c), decided(t, again)
		if c.webhook.Topic == "charge/failed" && len(first.Triggers) != len(second.Triggers) {
			return // the retry is after the one receipt and before the other
		}
		want, got := idsOf(t, first), idsOf(t, second)
		if c.webhook.Topic == "subscription/deleted" || c.webhook.Topic == "customer/deleted" { // which have no other time
			delete(want, propertyEvent)
			delete(got, propertyEvent)
		}
		require.Equal(t, want, got)
	})
}

// Nor do they depend on whether the customer was included, looked up or in the state.
func TestIDsDoNotDependOnDelivery(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lookedUp := fullCase(usedTopics()...).Draw(t, "case")
		if lookedUp.webhook.Topic.Resource() == "customer" {
			return
		}
		known := customers(instants()).Draw(t, "customer")
		known.ID, known.Email, known.Counted = lookedUp.webhook.CustomerID(), "jo.bean@example.com", false
		lookedUp.settings.API, lookedUp.webhook.Customer = false, nil
		included, loaded := lookedUp, lookedUp
		lookedUp.state = stateAfterLookup(lookedUp.settings, *known)
		included.webhook.Customer, included.state = known, &subscriber.State{}
		loaded.state = loadedState(loaded.settings, *known)
		want := idsOf(t, decided(t, lookedUp))
		require.Equal(t, want, idsOf(t, decided(t, included)))
		require.Equal(t, want, idsOf(t, decided(t, loaded)))
	})
}

// A webhook without any time of its own, delivered again, is the same fact; another webhook of that resource may be another
// fact. Only the property, which is defined by its time alone, has another ID.
func TestIDsWithoutTimes(t *testing.T) {
	for _, topic := range usedTopics() {
		t.Run(string(topic), func(t *testing.T) {
			c := plain(topic, time.Time{})
			c.webhook.Hash, c.at = "one body", time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
			if c.webhook.Charge != nil {
				c.webhook.Charge.RetryAt = c.at.Add(48 * time.Hour)
			}
			again := clone(c)
			again.at = c.at.Add(time.Minute)
			first, second := idsOf(t, decided(t, c)), idsOf(t, decided(t, again))
			delete(first, propertyEvent)
			delete(second, propertyEvent)
			assert.Equal(t, first, second)
		})
	}
}

// Where the time is missing, another body is another fact.
func TestIDsWithoutTimesDiffer(t *testing.T) {
	for _, topic := range []recharge.Topic{
		"subscription/activated", "subscription/cancelled", "subscription/paused", "subscription/skipped", "subscription/unskipped", "customer/updated",
	} {
		t.Run(string(topic), func(t *testing.T) {
			c := plain(topic, time.Time{})
			c.webhook.Hash, c.at = "one body", time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
			renamed(&c)
			other := clone(c)
			other.webhook.Hash = "another body"
			first, second := idsOf(t, decided(t, c)), idsOf(t, decided(t, other))
			delete(first, propertyEvent)
			require.NotEmpty(t, first)
			for name, id := range first {
				assert.NotEqual(t, id, second[name], name)
			}
		})
	}
}

// No two outputs of a webhook share an id.
func TestIDsDoNotCollide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seen := map[string]string{}
		for name, id := range idsOf(t, decided(t, fullCase(usedTopics()...).Draw(t, "case"))) {
			require.NotContains(t, seen, id, "%s and %s", seen[id], name)
			seen[id] = name
		}
	})
}

// Another resource or another store is another fact.
func TestIDsDifferByResourceAndStore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := fullCase(usedTopics()...).Draw(t, "case")
		other := clone(c)
		if rapid.Bool().Draw(t, "other store") {
			other.settings.Store = "another"
		} else {
			setResourceID(&other.webhook, "1"+resourceID(c.webhook))
		}
		first, second := idsOf(t, decided(t, c)), idsOf(t, decided(t, other))
		if other.settings.Store == c.settings.Store {
			delete(first, propertyEvent) // the customer's, whatever the resource
			if c.webhook.Topic.Resource() != "customer" {
				delete(first, "event customer_change ")
			}
		}
		require.Len(t, second, len(idsOf(t, decided(t, c))))
		for name, id := range first {
			require.NotEqual(t, id, second[name], name)
		}
	})
}

func setResourceID(w *recharge.Webhook, id string) {
	switch {
	case w.Subscription != nil:
		w.Subscription.ID = id
	case w.Charge != nil:
		w.Charge.ID = id
	case w.Order != nil:
		w.Order.ID = id
	default:
		w.Customer.ID = id
	}
}

func decided(t require.TestingT, c aCase) subscriber.Decision {
	decision, err := c.decide()
	require.NoError(t, err)
	return decision
}

// A deletion has the time of its first receipt, because its body has none.
func TestDeletedTwice(t *testing.T) {
	r := newRun(t, byID())
	first := r.receives(with(about("subscription/deleted", start()), jo(start())), start().Add(time.Second))
	require.Equal(t, []string{"deleted"}, statuses(first))
	assert.Equal(t, start().Add(time.Second), first.Events[0].OccurredAt)
	again := about("subscription/deleted", start().Add(time.Hour))
	assert.Equal(t, reason.Duplicate, r.receives(again, start().Add(2*time.Hour)).Skip)
}

// Which fields define a fact, and which may change without making another.
func TestDiscriminators(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 250_000_000, time.UTC)
	const event, created, canceled = "event subscription ", "event subscription created", "event subscription canceled"
	tests := []struct {
		topic   recharge.Topic
		name    string
		change  func(*aCase)
		differs []string // all others are the same
	}{
		{"subscription/created", "updated_at", updated, []string{propertyEvent}},
		{"subscription/created", "created_at", func(c *aCase) { c.webhook.Subscription.CreatedAt = at.Add(time.Minute) }, nil},
		{"subscription/activated", "created_at", func(c *aCase) { c.webhook.Subscription.CreatedAt = at.Add(-time.Hour) }, nil},
		{"subscription/activated", "updated_at", updated, []string{event + "activated", propertyEvent, "trigger subscription_resumed", "revocation"}},
		{"subscription/cancelled", "updated_at", updated, nil},
		{"subscription/cancelled", "cancelled_at, a fraction", cancelledAt(at.Add(500 * time.Millisecond)), nil},
		{"subscription/cancelled", "cancelled_at", cancelledAt(at.Add(time.Second)), []string{canceled, "trigger subscription_canceled", "revocation"}},
		{"subscription/deleted", "updated_at", updated, nil},
		{"subscription/deleted", "cancelled_at", cancelledAt(at.Add(time.Hour)), nil},
		{"subscription/paused", "updated_at", updated, []string{"trigger subscription_paused", "revocation", propertyEvent}},
		{"subscription/skipped", "updated_at", updated, []string{"trigger order_skipped", "revocation", propertyEvent}},
		{"subscription/unskipped", "updated_at", updated, []string{"revocation", propertyEvent}},
		{"charge/created", "updated_at", updated, nil},
		{"charge/created", "status", func(c *aCase) { c.webhook.Charge.Status = "error" }, nil},
		{"charge/paid", "processed_at", func(c *aCase) { c.webhook.Charge.ProcessedAt = at.Add(time.Hour) }, nil},
		{"charge/paid", "attempts", attempts, nil},
		{"charge/upcoming", "updated_at", updated, nil},
		{"charge/upcoming", "scheduled_at", func(c *aCase) { c.webhook.Charge.ScheduledDate = "2026-04-01" }, []string{"trigger upcoming_order"}},
		{"charge/failed", "updated_at", updated, nil},
		{"charge/failed", "retry_date", func(c *aCase) { c.webhook.Charge.RetryAt = at.Add(99 * time.Hour) }, nil},
		{"charge/failed", "attempt", attempts, []string{"trigger charge_will_be_retried"}},
		{"charge/max_retries_reached", "attempt", attempts, nil},
		{"charge/max_retries_reached", "updated_at", updated, nil},
		{"order/upcoming", "updated_at", updated, nil},
		{"order/upcoming", "scheduled_at", func(c *aCase) { c.webhook.Order.ScheduledDate = "2026-04-01" }, []string{"trigger upcoming_order"}},
		{"order/processed", "updated_at", updated, nil},
		{"order/processed", "processed_at", func(c *aCase) { c.webhook.Order.ProcessedAt = at.Add(time.Hour) }, nil},
		{"customer/updated", "updated_at", updated, []string{"event customer_change ", propertyEvent}},
		{"customer/updated", "count", func(c *aCase) { c.webhook.Customer.ActiveSubscriptions = 0 }, []string{propertyEvent}},
		{"customer/updated", "count above one", func(c *aCase) { c.webhook.Customer.ActiveSubscriptions = 2 }, nil},
		{"customer/updated", "e-mail", func(c *aCase) { c.webhook.Customer.Email = "ann@example.com" }, []string{propertyEvent}},
		{"customer/activated", "updated_at", updated, []string{propertyEvent}},
	}
	for _, test := range tests {
		t.Run(string(test.topic)+" "+test.name, func(t *testing.T) {
			first, second := plain(test.topic, at), plain(test.topic, at)
			count(&first)
			count(&second)
			renamed(&first)
			renamed(&second)
			cancelledAt(at)(&first)
			cancelledAt(at)(&second)
			test.change(&second)
			want, got := idsOf(t, decided(t, first)), idsOf(t, decided(t, second))
			require.NotEmpty(t, want)
			require.Len(t, got, len(want))
			for name := range want {
				if slices.Contains(test.differs, name) {
					assert.NotEqual(t, want[name], got[name], name)
				} else {
					assert.Equal(t, want[name], got[name], name)
				}
			}
			for _, name := range test.differs {
				assert.Contains(t, want, name)
			}
		})
	}
}

func updated(c *aCase) {
	switch w := c.webhook; {
	case w.Subscription != nil:
		w.Subscription.UpdatedAt = w.Subscription.UpdatedAt.Add(time.Microsecond)
	case w.Charge != nil:
		w.Charge.UpdatedAt = w.Charge.UpdatedAt.Add(time.Microsecond)
	case w.Order != nil:
		w.Order.UpdatedAt = w.Order.UpdatedAt.Add(time.Microsecond)
	default:
		w.Customer.UpdatedAt = w.Customer.UpdatedAt.Add(time.Microsecond)
	}
}

func cancelledAt(at time.Time) func(*aCase) {
	return func(c *aCase) {
		if c.webhook.Subscription != nil {
			c.webhook.Subscription.CancelledAt = at
		}
	}
}

func attempts(c *aCase) { c.webhook.Charge.Attempts++ }

// renamed changes the name in a customer webhook.
func renamed(c *aCase) {
	if c.webhook.Topic == "customer/updated" {
		c.webhook.Customer.LastName = "Been"
	}
}

// count gives a customer webhook's customer one active subscription.
func count(c *aCase) {
	if c.webhook.Topic.Resource() == "customer" {
		c.webhook.Customer.Counted, c.webhook.Customer.ActiveSubscriptions = true, 1
	}
}

// A fact of two topics has one id.
func TestOneFactByTwoTopics(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		name       string
		one, other recharge.Topic
		change     func(*aCase)
		fact       string
	}{
		{"paid at once", "charge/created", "charge/paid", func(c *aCase) { c.webhook.Charge.Status = "success" }, "event subscription_charge paid"},
		{"expired", "subscription/cancelled", "subscription/updated", func(c *aCase) { c.webhook.Subscription.Status = "expired" }, "trigger subscription_expired"},
		{"failed for good", "charge/failed", "charge/max_retries_reached", func(c *aCase) { c.webhook.Charge.ErrorType = "DO_NOT_HONOR" }, "trigger charge_failed"},
		{"failed for good, revoked", "charge/failed", "charge/max_retries_reached", func(c *aCase) { c.webhook.Charge.ErrorType = "DO_NOT_HONOR" }, "revocation"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			one, other := plain(test.one, at), plain(test.other, at.Add(time.Minute))
			test.change(&one)
			test.change(&other)
			if other.webhook.Subscription != nil {
				other.webhook.Subscription.CreatedAt = at
			}
			id := idsOf(t, decided(t, one))[test.fact]
			require.NotEmpty(t, id)
			assert.Equal(t, id, idsOf(t, decided(t, other))[test.fact])
		})
	}
}

// The ids are in topics that are kept for months: they must never change.
func TestIDsGolden(t *testing.T) {
	decision := decided(t, plain("subscription/created", time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)))
	assert.Equal(t, map[string]string{
		"event subscription created":   "72399c19fa2c40b9293d4bb6484eef60",
		propertyEvent:                  "ba73b15a3aac7b1e9fd4655a7afbd84c",
		"trigger subscription_started": "b61cf6903efbf50b2bd78244d91cfb57",
	}, idsOf(t, decision))
}

// In the hour that occurs twice, a webhook of version 2021-01 that is delivered again may be read as an hour later. It is the same
// fact.
func TestHourThatOccursTwiceIsOneFact(t *testing.T) {
	first := time.Date(2026, 11, 1, 5, 10, 0, 0, time.UTC)
	for _, topic := range []recharge.Topic{"subscription/activated", "subscription/cancelled", "subscription/paused", "subscription/skipped"} {
		r := known(t)
		require.False(t, r.receives(about(topic, first), first.Add(time.Minute)).Empty())
		assert.Equal(t, reason.Duplicate, r.receives(about(topic, first.Add(time.Hour)), first.Add(2*time.Hour)).Skip, topic)
	}
}
