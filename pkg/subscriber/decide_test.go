package subscriber_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// A decision is outputs, or a named reason for none, or an error; and the same
// input always gives the same one.
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
		require.Equal(t, decision.Empty(), decision.Skip != "")
	})
}

// Deciding leaves the webhook and the lookup, which the cache keeps, as they were.
func TestDecideChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase(usedTopics()...).Draw(t, "case")
		before := clone(c)
		_, _ = c.decide()
		require.Equal(t, before, c)
	})
}

func clone(c aCase) aCase {
	c.webhook.Subscription = copyOf(c.webhook.Subscription)
	c.webhook.Charge = copyOf(c.webhook.Charge)
	c.webhook.Order = copyOf(c.webhook.Order)
	c.webhook.Customer = copyOf(c.webhook.Customer)
	c.looked = copyOf(c.looked)
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
		assert.False(t, subscriber.Uses(topic), topic)
	}
	for _, topic := range usedTopics() {
		assert.True(t, subscriber.Uses(topic), topic)
	}
	rapid.Check(t, func(t *rapid.T) {
		decision, err := anyCase(unusedTopics()...).Draw(t, "case").decide()
		require.NoError(t, err)
		require.Equal(t, subscriber.Decision{Skip: subscriber.SkipTopicNotUsed}, decision)
	})
}

// Only the facts that were asked for become events.
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
				require.Equal(t, recharge.Topic("customer/updated"), c.webhook.Topic)
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

// The end of one subscription says nothing about the others: only a count does.
func TestNeverInactiveWithoutACount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCase("subscription/cancelled", "subscription/deleted", "customer/updated", "customer/deactivated").Draw(t, "case")
		c.settings.ActiveProperty, c.settings.CustomerID = true, subscriber.ByRechargeID
		decision, err := c.decide()
		if err != nil {
			return
		}
		for _, e := range decision.Events {
			if e.Property == nil || e.Property.Value {
				continue
			}
			counting := c.webhook.Customer
			if counting == nil && c.looked != nil && c.looked.Fresh {
				counting = &c.looked.Customer
			}
			require.NotNil(t, counting)
			require.True(t, counting.Counted)
			require.Zero(t, counting.ActiveSubscriptions)
		}
	})
}

// Whose count decides: that of a customer who came along, else of one who was
// asked for because of this very webhook.
func TestWhoseCount(t *testing.T) {
	counted := func(active int) recharge.Customer {
		return recharge.Customer{ID: "246936001", Email: "jo@example.com", PhoneKnown: true, Counted: true, ActiveSubscriptions: active}
	}
	uncounted := recharge.Customer{ID: "246936001", Email: "jo@example.com", PhoneKnown: true}
	none, some := counted(0), counted(2)
	tests := []struct {
		name     string
		included *recharge.Customer
		looked   subscriber.Lookup
		want     string // the property
	}{
		{"included, none left", &none, subscriber.Lookup{Customer: some, Fresh: true}, "false"},
		{"included, some left", &some, subscriber.Lookup{Customer: none, Fresh: true}, "true"},
		{"included, no count", &uncounted, subscriber.Lookup{Customer: none, Fresh: true}, ""},
		{"asked for, none left", nil, subscriber.Lookup{Customer: none, Fresh: true}, "false"},
		{"asked for, some left", nil, subscriber.Lookup{Customer: some, Fresh: true}, "true"},
		{"asked for, no count", nil, subscriber.Lookup{Customer: uncounted, Fresh: true}, ""},
		{"asked for, unknown", nil, subscriber.Lookup{Fresh: true}, ""},
		{"remembered, none left", nil, subscriber.Lookup{Customer: none}, ""},
		{"remembered, some left", nil, subscriber.Lookup{Customer: some}, ""},
	}
	for _, topic := range []recharge.Topic{"subscription/cancelled", "subscription/deleted"} {
		for _, test := range tests {
			t.Run(string(topic)+" "+test.name, func(t *testing.T) {
				c := plain(topic, time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))
				c.settings.CustomerID = subscriber.ByRechargeID
				c.webhook.Customer, c.looked = test.included, &test.looked
				got := ""
				for _, e := range decided(t, c).Events {
					if e.Property != nil {
						got = strconv.FormatBool(e.Property.Value)
					}
				}
				assert.Equal(t, test.want, got)
			})
		}
	}
}

// A property is set at most once by one webhook: which of two would win?
func TestOneProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		decision, err := anyCase(usedTopics()...).Draw(t, "case").decide()
		if err != nil {
			return
		}
		n := 0
		for _, e := range decision.Events {
			if e.Property != nil {
				n++
			}
		}
		require.LessOrEqual(t, n, 1)
	})
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
			requireItems(t, c.webhook, revocation.Items)
		}
	})
}

// requireItems wants the webhook's own resource first.
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

// A cause names the customer's action, and the same one at another time has the
// same cause.
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

// shift moves all that has a time, the receipt included.
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

// How long each text is worth sending.
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
	w := recharge.Webhook{Topic: topic, Version: recharge.Version202111}
	switch topic.Resource() {
	case "subscription":
		w.Subscription = &recharge.Subscription{
			ID: "784594001", CustomerID: jo.ID, AddressID: "178918", Status: "active", NextChargeDate: next,
			CreatedAt: at, UpdatedAt: at,
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
		settings: subscriber.Settings{Store: store, CustomerID: subscriber.ByEmail, CustomerIDName: "registered", ActiveProperty: true, SMS: true},
		webhook:  w, at: at.Add(2 * time.Second), looked: &subscriber.Lookup{Customer: jo},
	}
}
