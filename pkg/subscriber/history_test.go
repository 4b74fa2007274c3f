package subscriber_test

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// world is a customer's data at Recharge, and the webhooks that it sent since the last action.
type world struct {
	now           time.Time
	customer      recharge.Customer
	subscriptions map[string]recharge.Subscription
	silent        bool // a charge that fails for good may cancel subscriptions without a webhook
	dated         bool // expirations have a time
	charges       int
	emails        int
	sent          []recharge.Webhook
}

// moment is the world after an action, and the webhooks that the action sent.
type moment struct {
	at     time.Time
	sent   []recharge.Webhook
	active bool
	world  world
}

// history generates a customer history: each action takes at least a second, and sends the webhooks that Recharge sends.
func history(actions int) *rapid.Generator[[]moment] { return histories(actions, false) }

func histories(actions int, silent bool) *rapid.Generator[[]moment] {
	return rapid.Custom(func(t *rapid.T) []moment {
		w := &world{silent: silent, now: start(), customer: jo(start()), subscriptions: make(map[string]recharge.Subscription)}
		w.dated = rapid.Bool().Draw(t, "expirations have a time")
		var all []moment
		for range rapid.IntRange(1, actions).Draw(t, "actions") {
			w.now = w.now.Add(time.Duration(rapid.Int64Range(1, 5*24*3600).Draw(t, "seconds")) * time.Second)
			w.sent = nil
			w.act(t)
			snapshot := *w
			snapshot.subscriptions = maps.Clone(w.subscriptions)
			all = append(all, moment{at: w.now, sent: w.sent, active: w.active() > 0, world: snapshot})
		}
		return all
	})
}

func (w *world) act(t *rapid.T) {
	before := w.active()
	id := strconv.Itoa(rapid.IntRange(1, 3).Draw(t, "subscription"))
	s, exists := w.subscriptions[id]
	switch action := rapid.SampledFrom([]string{
		"subscription", "subscription", "subscription", "e-mail", "name", "charge", "paid charge", "deleted charge", "fails for good",
	}).Draw(t, "action"); {
	case action == "e-mail":
		w.emails++
		w.customer.Email = "jo" + strconv.Itoa(w.emails) + "@example.com"
		w.sendCustomer("customer/updated")
	case action == "name":
		w.emails++
		w.customer.LastName = "Bean the " + strconv.Itoa(w.emails)
		w.sendCustomer("customer/updated")
	case action == "charge", action == "paid charge", action == "deleted charge", action == "fails for good":
		w.charge(t, action)
	case !exists:
		s = *about("", w.now, numbered(id)).Subscription
		s.CreatedAt = w.now
		w.send(t, "subscription/created", s)
	case s.Status == "active":
		w.endOrChange(t, s)
	case s.Status != "deleted":
		s.Status, s.CancelledAt = "active", time.Time{}
		w.send(t, "subscription/activated", s)
	}
	if after := w.active(); (before > 0) != (after > 0) && (!w.silent || rapid.Bool().Draw(t, "customer webhook is sent")) {
		topic := recharge.Topic("customer/activated")
		if after == 0 {
			topic = "customer/deactivated"
		}
		w.sendCustomer(topic)
	}
}

func (w *world) endOrChange(t *rapid.T, s recharge.Subscription) {
	topic := rapid.SampledFrom([]recharge.Topic{
		"subscription/cancelled", "subscription/deleted", "subscription/updated", "subscription/paused", "subscription/skipped", "subscription/unskipped",
	}).Draw(t, "change")
	switch {
	case topic == "subscription/cancelled":
		s.Status, s.CancelledAt = "cancelled", w.now
	case topic == "subscription/deleted":
		s.Status = "deleted"
	case topic == "subscription/updated" && rapid.Bool().Draw(t, "expires"):
		s.Status = "expired"
		if w.dated {
			s.CancelledAt = w.now
		}
	}
	w.send(t, topic, s)
}

// send sends a subscription's webhook, and the update that accompanies most of them.
func (w *world) send(t *rapid.T, topic recharge.Topic, s recharge.Subscription) {
	s.UpdatedAt = w.now
	w.subscriptions[s.ID] = s
	if s.Status == "deleted" {
		s.Status = "active" // the body shows the status before the deletion
	}
	w.subscription(t, topic, s)
	if topic != "subscription/deleted" && rapid.Bool().Draw(t, "update is sent too") {
		w.subscription(t, "subscription/updated", s)
	}
}

func (w *world) subscription(t *rapid.T, topic recharge.Topic, s recharge.Subscription) {
	webhook := recharge.Webhook{Topic: topic, Subscription: &s}
	if rapid.Bool().Draw(t, "customer is included") {
		c := counted(w.customer, w.active())
		webhook.Customer = &c
	}
	webhook.Hash = hashOf(topic, s)
	w.sent = append(w.sent, webhook)
}

func (w *world) sendCustomer(topic recharge.Topic) {
	w.customer.UpdatedAt = w.now
	w.sent = append(w.sent, ofCustomer(topic, counted(w.customer, w.active())))
}

func (w *world) charge(t *rapid.T, action string) {
	w.charges++
	id := strconv.Itoa(w.charges)
	charge := func(topic recharge.Topic, status string, change ...func(*recharge.Charge)) {
		w.sent = append(w.sent, ofCharge(topic, w.now, func(c *recharge.Charge) {
			c.ID, c.Status, c.LineItems = id, status, nil
			for _, change := range change {
				change(c)
			}
			for _, id := range slices.Sorted(maps.Keys(w.subscriptions)) {
				c.LineItems = append(c.LineItems, recharge.LineItem{SubscriptionID: id})
			}
		}))
	}
	switch action {
	case "charge":
		charge("charge/created", "queued")
		charge("charge/upcoming", "queued")
	case "paid charge":
		charge("charge/created", rapid.SampledFrom([]string{"queued", "success"}).Draw(t, "status"))
		charge("charge/paid", "success")
		for refund := range rapid.IntRange(0, 2).Draw(t, "refunds") {
			w.now = w.now.Add(time.Second)
			charge("charge/refunded", "partially_refunded", func(c *recharge.Charge) { c.TotalRefunds = strconv.Itoa(refund+1) + ".00" })
		}
	case "deleted charge":
		charge("charge/created", "queued")
		charge("charge/updated", "queued")
		charge("charge/deleted", "")
	case "fails for good":
		charge("charge/failed", "error")
		charge("charge/max_retries_reached", "error")
		if w.silent && rapid.Bool().Draw(t, "cancels") {
			w.cancelAll()
		}
	}
}

func (w *world) cancelAll() {
	for id, s := range w.subscriptions {
		if s.Status == "active" {
			s.Status, s.CancelledAt, s.UpdatedAt = "cancelled", w.now, w.now
			w.subscriptions[id] = s
		}
	}
}

func (w *world) active() (n int) {
	for _, s := range w.subscriptions {
		if s.Status == "active" {
			n++
		}
	}
	return n
}

// answers is the API's answer at that time.
func (w *world) answers(request recharge.LookupRequest) recharge.Lookup {
	if request.Kind == recharge.LookupCustomer {
		c := counted(w.customer, w.active())
		return recharge.Lookup{LookupRequest: request, Customer: &c}
	}
	a := recharge.Lookup{LookupRequest: request, Complete: true}
	for _, id := range slices.Sorted(maps.Keys(w.subscriptions)) {
		if s := w.subscriptions[id]; s.Status != "deleted" {
			a.Subscriptions = append(a.Subscriptions, s)
		}
	}
	return a
}

// webhooks are all webhooks of a history, in the order in which they were sent.
func webhooks(h []moment) (all []recharge.Webhook) {
	for _, m := range h {
		all = append(all, m.sent...)
	}
	return all
}

// mixedUp generates the same webhooks in any order, some of them duplicated, with the same bytes or with others.
func mixedUp(all []recharge.Webhook) *rapid.Generator[[]recharge.Webhook] {
	return rapid.Custom(func(t *rapid.T) []recharge.Webhook {
		mixed := slices.Clone(all)
		for range rapid.IntRange(0, 5).Draw(t, "again") {
			w := rapid.SampledFrom(all).Draw(t, "one")
			if rapid.Bool().Draw(t, "other bytes") {
				w.Hash = hashOf(w.Topic, w.Hash)
			}
			mixed = append(mixed, w)
		}
		return rapid.Permutation(mixed).Draw(t, "order")
	})
}
