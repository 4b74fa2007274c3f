package subscriber

import (
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

const hour = time.Hour

// subscriptionFlows are the topics of a subscription that only concern texts.
func (d *draft) subscriptionFlows() {
	s := d.webhook.Subscription
	at := firstTime(s.UpdatedAt, d.receivedAt)
	fact := factID(d.settings.Store, string(d.webhook.Topic), s.ID, d.changed(s.UpdatedAt))
	switch d.webhook.Topic {
	case "subscription/updated":
		d.expired()
	case "subscription/paused":
		d.trigger(flow.SubscriptionPaused, at, fact)
		d.revoke(at, fact, flow.SubscriptionResumed)
	case "subscription/skipped":
		d.trigger(flow.OrderSkipped, at, fact)
		d.revoke(at, fact, flow.UpcomingOrder)
	case "subscription/unskipped":
		d.revoke(at, fact, flow.OrderSkipped)
	}
}

// expired holds once per life of a subscription: many updates may repeat the
// status. A life began when it was activated last before, else when it was created.
func (d *draft) expired() {
	s := d.webhook.Subscription
	if s.Status != statusExpired {
		return
	}
	at := firstTime(s.CancelledAt, s.UpdatedAt, d.receivedAt)
	known := d.memory.Subscriptions[s.ID]
	began := known.Last[activated]
	if began.After(at) { // that is a later life
		began = time.Time{}
	}
	if told := known.Last[expired]; !told.IsZero() && !began.After(told) {
		d.skip(SkipTold)
		return
	}
	if !d.memory.gone() && d.customerID != "" {
		known.happened(expired, at)
		d.memory.Subscriptions[s.ID] = known
	}
	began = firstTime(began, s.CreatedAt)
	d.trigger(flow.SubscriptionExpired, at, factID(d.settings.Store, "subscription_expired", s.ID, instant(began)))
}

// upcomingCharge is told once per charge and day: a charge that is moved comes up again.
func (d *draft) upcomingCharge() {
	c := d.webhook.Charge
	d.trigger(flow.UpcomingOrder, firstTime(c.UpdatedAt, d.receivedAt),
		factID(d.settings.Store, "charge_upcoming", c.ID, string(c.ScheduledDate)))
}

func (d *draft) orderFlows() {
	o := d.webhook.Order
	at := firstTime(o.UpdatedAt, d.receivedAt)
	if d.webhook.Topic == "order/upcoming" {
		d.trigger(flow.UpcomingOrder, at, factID(d.settings.Store, "order_upcoming", o.ID, string(o.ScheduledDate)))
		return
	}
	at = firstTime(o.ProcessedAt, at)
	d.trigger(flow.OrderProcessed, at, factID(d.settings.Store, "order_processed", o.ID))
}

// trigger adds one for the webhook's resource. fact is what it comes from.
func (d *draft) trigger(key flow.Key, at time.Time, fact string) {
	t := Trigger{
		ID: factID(d.settings.Store, "trigger", string(key), fact), Flow: key,
		OccurredAt: at, StaleAt: d.staleAt(key, at), Items: d.items(),
	}
	switch w := d.webhook; {
	case w.Subscription != nil:
		t.Subscription = subscriptionOf(w.Subscription)
	case w.Charge != nil:
		t.Charge = chargeOf(w.Charge)
	case w.Order != nil:
		t.Order = orderOf(w.Order)
	}
	d.out.Triggers = append(d.out.Triggers, t)
}

// revoke takes back the flows' triggers about the webhook's resource.
func (d *draft) revoke(at time.Time, fact string, flows ...flow.Key) {
	d.out.Revocations = append(d.out.Revocations, Revocation{
		ID: factID(d.settings.Store, "revocation", fact), Cause: d.webhook.Topic,
		Flows: flows, Items: d.items(), OccurredAt: at,
	})
}

// staleAt is when a text about something that happened at is pointless.
func (d *draft) staleAt(key flow.Key, at time.Time) time.Time {
	switch key {
	case flow.SubscriptionResumed:
		return at.Add(36 * hour)
	case flow.SubscriptionExpired, flow.CustomerAccountActivation:
		return at.Add(72 * hour)
	case flow.ChargeFailed:
		return at.Add(48 * hour)
	case flow.UpcomingOrder:
		return firstTime(d.scheduled(), at.Add(72*hour))
	case flow.OrderSkipped:
		return firstTime(d.webhook.Subscription.NextChargeDate.Start(), at.Add(24*hour))
	case flow.ChargeWillBeRetried:
		return d.webhook.Charge.RetryAt
	}
	return at.Add(24 * hour)
}

func (d *draft) scheduled() time.Time {
	if d.webhook.Order != nil {
		return d.webhook.Order.ScheduledDate.Start()
	}
	return d.webhook.Charge.ScheduledDate.Start()
}

// items are the resources that the webhook is about: a charge or an order also
// stands for the subscriptions it was made for.
func (d *draft) items() []string {
	switch w := d.webhook; {
	case w.Subscription != nil:
		return []string{"subscription/" + w.Subscription.ID}
	case w.Charge != nil:
		items := []string{"charge/" + w.Charge.ID}
		for _, l := range w.Charge.LineItems {
			items = appendSubscription(items, l.SubscriptionID)
		}
		return items
	case w.Order != nil:
		items := []string{"order/" + w.Order.ID}
		for _, l := range w.Order.LineItems {
			items = appendSubscription(items, l.SubscriptionID)
		}
		return items
	}
	return []string{"customer/" + d.webhook.Customer.ID}
}

func appendSubscription(items []string, id string) []string {
	if id == "" {
		return items
	}
	return append(items, "subscription/"+id)
}

// cause names the customer's action: store, customer, flow, address, and the
// charge for flows about charges and orders. No time in it.
func (d *draft) cause(t Trigger) string {
	address, charge := "", ""
	switch {
	case t.Subscription != nil:
		address = t.Subscription.AddressID
	case t.Charge != nil:
		address, charge = t.Charge.AddressID, t.Charge.ID
	case t.Order != nil:
		address, charge = t.Order.AddressID, t.Order.ChargeID
	}
	return strings.Join([]string{t.Store, t.RechargeCustomerID, string(t.Flow), address, charge}, "/")
}
