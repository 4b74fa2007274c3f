package subscriber_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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

// A decision has outputs, or a reason for none, or an error. The same input always gives the same decision.
func TestDecideIsOneOfThree(t *testing.T) {
	topics := append(usedTopics(), unusedTopics()...)
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase(topics...).Draw(t, "case")
		decision, err := c.decide()
		again, errAgain := c.decide()
		require.Equal(t, decision, again)
		require.Equal(t, err, errAgain)
		if err != nil {
			var needed *subscriber.LookupNeeded
			require.True(t, errors.As(err, &needed) || errors.Is(err, subscriber.ErrCustomerUnknown), err)
			require.Equal(t, subscriber.Decision{}, decision)
			return
		}
		requireReason(t, decision)
	})
}

// The same holds for ApplyLookup.
func TestApplyLookupIsOneOfThree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase(usedTopics()...).Draw(t, "case")
		id := c.webhook.CustomerID()
		a := answers(id, maybe(instants())).Draw(t, "answer")
		known := fmt.Sprintf("%+v", deep(c.state))
		decision, after, err := apply(c.settings, c.state, id, a, c.at)
		again, afterAgain, errAgain := apply(c.settings, c.state, id, a, c.at)
		require.Equal(t, decision, again)
		require.Equal(t, after, afterAgain)
		require.Equal(t, err, errAgain)
		require.Equal(t, known, fmt.Sprintf("%+v", deep(c.state)))
		if err != nil {
			var needed *subscriber.LookupNeeded
			require.ErrorAs(t, err, &needed)
			require.True(t, a.imported || a.Kind != recharge.LookupCustomer, "the customer was looked up")
			require.Same(t, c.state, after)
			return
		}
		requireReason(t, decision)
	})
}

// requireReason requires a reason of a decision without output, and none with an event, a trigger or a revocation. Facts alone may have one:
// why there is no text.
func requireReason(t require.TestingT, d subscriber.Decision) {
	switch {
	case d.Empty():
		require.NotEmpty(t, d.Skip)
	case len(d.Events)+len(d.Triggers)+len(d.Revocations) > 0:
		require.Empty(t, d.Skip)
	}
}

// Decide changes neither the webhook nor the state that it is given, and nor do later decisions on its result.
func TestDecideDoesNotChangeItsInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase(usedTopics()...).Draw(t, "case")
		before, known := clone(c), fmt.Sprintf("%+v", deep(c.state))
		_, after, err := subscriber.Decide(c.settings, c.state, c.webhook, c.at)
		if err != nil {
			require.Same(t, c.state, after, "after an error the state is unchanged")
		}
		id := c.webhook.CustomerID()
		for range 2 {
			w := webhook(usedTopics(), maybe(instants())).Draw(t, "next")
			setCustomer(&w, id)
			if w.Topic.Resource() == c.webhook.Topic.Resource() {
				setResourceID(&w, resourceID(c.webhook))
			}
			_, after, _ = subscriber.Decide(c.settings, after, w, c.at)
			_, after, _ = apply(c.settings, after, id, answers(id, maybe(instants())).Draw(t, "answer"), c.at)
		}
		require.Equal(t, known, fmt.Sprintf("%+v", deep(c.state)))
		c.state, before.state = nil, nil
		require.Equal(t, before, c)
	})
}

// deep is the whole state, as rows: what its pointers refer to is included.
func deep(m *subscriber.State) map[string][]byte {
	rows := newRows()
	if err := rows.save("all", &subscriber.State{}, m); err != nil {
		panic(err)
	}
	return rows.Rows
}

func clone(c aCase) aCase {
	c.webhook.Subscription = copyOf(c.webhook.Subscription)
	c.webhook.Charge = copyOf(c.webhook.Charge)
	c.webhook.Order = copyOf(c.webhook.Order)
	c.webhook.Customer = copyOf(c.webhook.Customer)
	if c.webhook.Charge != nil {
		c.webhook.Charge.LineItems = slices.Clone(c.webhook.Charge.LineItems)
	}
	if c.webhook.Order != nil {
		c.webhook.Order.LineItems = slices.Clone(c.webhook.Order.LineItems)
	}
	return c
}

func copyOf[T any](p *T) *T {
	if p == nil {
		return nil
	}
	value := *p
	return &value
}

func TestOtherTopicsAreSkipped(t *testing.T) {
	for _, topic := range unusedTopics() {
		assert.False(t, subscriber.Switches{}.Uses(topic), topic)
	}
	for _, topic := range usedTopics() {
		assert.True(t, subscriber.Switches{}.Uses(topic), topic)
	}
	rapid.Check(t, func(t *rapid.T) {
		decision, err := anyCase(unusedTopics()...).Draw(t, "case").decide()
		require.NoError(t, err)
		require.Equal(t, subscriber.Decision{Skip: reason.TopicNotUsed}, decision)
	})
}

// Only the allowed facts become events.
func TestOnlyAllowedEvents(t *testing.T) {
	allowed := map[subscriber.EventType][]string{
		subscriber.EventSubscription:   {"activated", "canceled", "created", "deleted"},
		subscriber.EventCharge:         {"created", "paid"},
		subscriber.EventCustomerChange: {""},
		subscriber.EventProperty:       {""},
	}
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase(usedTopics()...).Draw(t, "case")
		decision, err := c.decide()
		if err != nil {
			return
		}
		for _, e := range decision.Events {
			require.Contains(t, allowed[e.Type], e.Status)
			require.False(t, e.OccurredAt.IsZero())
			require.Equal(t, c.settings.Store, e.Store)
			require.Equal(t, c.webhook.CustomerID(), e.RechargeCustomerID)
			require.Equal(t, 1, objects(e), "an event has the object of its type and no other")
			if e.Type == subscriber.EventCustomerChange {
				require.NotNil(t, c.webhook.Customer)
				require.NotEmpty(t, e.Customer.PlatformID)
			}
			if e.Type == subscriber.EventProperty {
				require.True(t, c.settings.ActiveProperty)
			}
		}
	})
}

func objects(e subscriber.Event) int {
	n := 0
	for _, there := range []bool{e.Subscription != nil, e.Charge != nil, e.Customer != nil, e.Property != nil} {
		if there {
			n++
		}
	}
	return n
}

func TestTriggersAreComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase(usedTopics()...).Draw(t, "case")
		decision, err := c.decide()
		if err != nil {
			return
		}
		if !c.settings.SMS {
			require.Empty(t, decision.Triggers)
			require.Empty(t, decision.Revocations)
			return
		}
		for _, trigger := range decision.Triggers {
			require.Contains(t, flow.Keys(), trigger.Flow)
			require.False(t, trigger.StaleAt.IsZero())
			require.False(t, trigger.OccurredAt.IsZero())
			require.True(t, strings.HasPrefix(trigger.Cause, store+"/"+c.webhook.CustomerID()+"/"+string(trigger.Flow)+"/"), trigger.Cause)
			requireItems(t, c.webhook, trigger.Items)
		}
		for _, revocation := range decision.Revocations {
			require.NotEmpty(t, revocation.Flows)
			require.Subset(t, flow.Keys(), revocation.Flows)
			require.False(t, revocation.OccurredAt.IsZero())
			require.Equal(t, c.webhook.Topic, revocation.Cause)
			if revocation.Cause == "subscription/created" { // of those that the new one replaces
				require.True(t, strings.HasPrefix(revocation.Items[0], "subscription/"))
				continue
			}
			requireItems(t, c.webhook, revocation.Items)
		}
	})
}

// requireItems requires the webhook's own resource to be first.
func requireItems(t require.TestingT, w recharge.Webhook, items []string) {
	require.NotEmpty(t, items)
	require.Equal(t, w.Topic.Resource()+"/"+resourceID(w), items[0])
	for _, item := range items {
		require.NotEqual(t, "subscription/", item)
	}
}

func resourceID(w recharge.Webhook) string {
	switch {
	case w.Subscription != nil:
		return w.Subscription.ID
	case w.Charge != nil:
		return w.Charge.ID
	case w.Order != nil:
		return w.Order.ID
	}
	return w.Customer.ID
}

// A cause identifies the customer's action: the same action at another time has the same cause.
func TestCauseHasNoTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := fullCase(usedTopics()...).Draw(t, "case")
		c.settings.SMS = true
		later := clone(c)
		shift(&later, time.Duration(rapid.Int64Range(1, int64(90*24*time.Hour)).Draw(t, "later by")))
		first, err := c.decide()
		require.NoError(t, err)
		second, err := later.decide()
		require.NoError(t, err)
		require.Equal(t, causes(first), causes(second))
	})
}

// shift moves all times, the time of receipt included.
func shift(c *aCase, by time.Duration) {
	c.at = c.at.Add(by)
	var times []*time.Time
	switch w := c.webhook; {
	case w.Subscription != nil:
		times = append(times, &w.Subscription.CreatedAt, &w.Subscription.UpdatedAt, &w.Subscription.CancelledAt)
	case w.Charge != nil:
		times = append(times, &w.Charge.CreatedAt, &w.Charge.UpdatedAt, &w.Charge.ProcessedAt, &w.Charge.RetryAt)
	case w.Order != nil:
		times = append(times, &w.Order.CreatedAt, &w.Order.UpdatedAt, &w.Order.ProcessedAt)
	}
	if c.webhook.Customer != nil {
		times = append(times, &c.webhook.Customer.CreatedAt, &c.webhook.Customer.UpdatedAt)
	}
	for _, t := range times {
		*t = t.Add(by)
	}
}

func causes(d subscriber.Decision) []string {
	var found []string
	for _, trigger := range d.Triggers {
		found = append(found, trigger.Cause)
	}
	return found
}

// The time at which the trigger of each flow becomes stale.
func TestStaleAt(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	next := time.Date(2026, 3, 31, 4, 0, 0, 0, time.UTC) // midnight in New York
	tests := []struct {
		topic recharge.Topic
		flow  flow.Key
		stale time.Time
	}{
		{"subscription/created", flow.SubscriptionStarted, at.Add(24 * time.Hour)},
		{"subscription/paused", flow.SubscriptionPaused, at.Add(24 * time.Hour)},
		{"subscription/activated", flow.SubscriptionResumed, at.Add(36 * time.Hour)},
		{"subscription/cancelled", flow.SubscriptionCanceled, at.Add(24 * time.Hour)},
		{"subscription/skipped", flow.OrderSkipped, next},
		{"charge/upcoming", flow.UpcomingOrder, next},
		{"charge/failed", flow.ChargeWillBeRetried, at.Add(72 * time.Hour)}, // when Recharge tries again
		{"charge/max_retries_reached", flow.ChargeFailed, at.Add(48 * time.Hour)},
		{"charge/paid", flow.ChargePaid, at.Add(24 * time.Hour)},
		{"order/upcoming", flow.UpcomingOrder, next},
		{"order/processed", flow.OrderProcessed, at.Add(24 * time.Hour)},
		{"customer/activated", flow.CustomerAccountActivation, at.Add(72 * time.Hour)},
	}
	for _, test := range tests {
		t.Run(string(test.topic), func(t *testing.T) {
			decision, err := plain(test.topic, at).decide()
			require.NoError(t, err)
			require.Len(t, decision.Triggers, 1)
			assert.Equal(t, test.flow, decision.Triggers[0].Flow)
			assert.Equal(t, at, decision.Triggers[0].OccurredAt)
			assert.Equal(t, test.stale, decision.Triggers[0].StaleAt)
		})
	}
}

// plain is the usual webhook of a topic: everything happened at the same time,
// the next charge is on the 31st.
func plain(topic recharge.Topic, at time.Time) aCase {
	const next recharge.Date = "2026-03-31"
	jo := recharge.Customer{
		ID: "246936001", Email: "jo.bean@example.com", Phone: "+15035550100", PhoneKnown: true, PlatformID: "5213433266347",
		CreatedAt: at, UpdatedAt: at,
	}
	known := jo
	known.UpdatedAt = at.Add(-time.Hour)
	w := recharge.Webhook{Topic: topic, Version: recharge.Version202111}
	switch topic.Resource() {
	case "subscription":
		w.Subscription = &recharge.Subscription{
			ID: "784594001", CustomerID: jo.ID, AddressID: "178918", Status: "active", NextChargeDate: next,
			CreatedAt: at, UpdatedAt: at,
		}
		if topic == "subscription/cancelled" {
			w.Subscription.Status = "cancelled"
		}
	case "charge":
		w.Charge = &recharge.Charge{
			ID: "580825303", CustomerID: jo.ID, AddressID: "178918", Status: "queued", ScheduledDate: next,
			ErrorType: "CARD_DECLINED", Attempts: 1, RetryAt: at.Add(72 * time.Hour), CreatedAt: at, UpdatedAt: at,
			LineItems: []recharge.LineItem{{SubscriptionID: "784594001"}, {Title: "one time only"}},
		}
	case "order":
		w.Order = &recharge.Order{
			ID: "417810001", ChargeID: "580825303", CustomerID: jo.ID, AddressID: "178918", ScheduledDate: next,
			CreatedAt: at, UpdatedAt: at,
		}
	case "customer":
		w.Customer = &jo
	}
	return aCase{
		settings: plainSettings(), webhook: w, at: at.Add(2 * time.Second), state: loadedState(plainSettings(), known),
	}
}

func plainSettings() subscriber.Settings {
	s := byEmail()
	s.API = false
	return s
}
