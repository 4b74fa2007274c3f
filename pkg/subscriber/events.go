package subscriber

import (
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

func (d *draft) subscriptionCreated() {
	s := d.webhook.Subscription
	fact := d.subscriptionEvent(StatusCreated, firstTime(s.CreatedAt, d.receivedAt), "")
	d.happened(flow.Created, firstTime(s.CreatedAt, d.receivedAt), fact)
	d.revokeReplaced()
}

func (d *draft) subscriptionActivated() {
	s := d.webhook.Subscription
	at := firstTime(s.UpdatedAt, d.receivedAt)
	fact := d.subscriptionEvent(StatusActivated, at, d.changed(s.UpdatedAt))
	if before := d.before.Subscriptions[s.ID]; before.paused() && at.After(before.Last[flow.Paused]) {
		d.fact(StatusResumed, at, fact)
	}
	d.happened(flow.Activated, at, fact)
}

func (d *draft) subscriptionCancelled() {
	s := d.webhook.Subscription
	at := firstTime(s.CancelledAt, s.UpdatedAt, d.receivedAt)
	fact := d.subscriptionEvent(StatusCanceled, at, d.changed(firstTime(s.CancelledAt, s.UpdatedAt).Truncate(time.Second)))
	if s.Status != statusExpired {
		d.happened(flow.Canceled, at, fact)
		return
	}
	d.expired() // instead of the trigger for a cancellation
	d.revoke(flow.Canceled, at, fact)
}

// subscriptionDeleted drafts a deletion. Its time is that of the first receipt, because the body only has times of earlier
// changes.
func (d *draft) subscriptionDeleted() {
	at := firstTime(d.state.Subscriptions[d.webhook.Subscription.ID].Last[flow.Deleted], d.receivedAt)
	fact := d.subscriptionEvent(StatusDeleted, at, "")
	d.happened(flow.Deleted, at, fact)
}

// subscriptionEvent drafts an event and returns its fact id.
func (d *draft) subscriptionEvent(status string, at time.Time, discriminator string) string {
	s := d.webhook.Subscription
	e := Event{
		ID:   factID(d.settings.Store, string(EventSubscription), status, s.ID, discriminator),
		Type: EventSubscription, Status: status, OccurredAt: at, Subscription: subscriptionOf(s),
	}
	d.out.Events = append(d.out.Events, e)
	return e.ID
}

func (d *draft) chargeRule() {
	c := d.webhook.Charge
	switch d.webhook.Topic {
	case "charge/created":
		d.chargeEvent(StatusCreated, firstTime(c.CreatedAt, d.receivedAt))
		if c.Status == "success" {
			at, fact := d.paid()
			d.revoke(flow.Paid, at, fact) // the text comes with charge/paid
		}
	case "charge/paid":
		at, fact := d.paid()
		d.happened(flow.Paid, at, fact)
	case "charge/upcoming":
		d.upcomingCharge()
	case "charge/failed":
		d.chargeFailed()
	case "charge/max_retries_reached":
		d.retriesReached()
	case "charge/refunded":
		d.refunded()
	}
}

// paid drafts the event of a payment and returns its time and fact id. Both topics that show a payment give the same event.
func (d *draft) paid() (at time.Time, fact string) {
	c := d.webhook.Charge
	d.notePaid(c.ID)
	at = firstTime(c.ProcessedAt, c.UpdatedAt, d.receivedAt)
	return at, d.chargeEvent(StatusPaid, at)
}

func (d *draft) chargeEvent(status string, at time.Time) string {
	c := d.webhook.Charge
	e := Event{
		ID:   factID(d.settings.Store, string(EventCharge), status, c.ID),
		Type: EventCharge, Status: status, OccurredAt: at, Charge: d.chargeInDetail(),
	}
	d.out.Events = append(d.out.Events, e)
	return e.ID
}

func (d *draft) customerRule() {
	switch d.webhook.Topic {
	case "customer/activated":
		d.accountActivated()
	case "customer/created", "customer/deactivated":
		if d.webhook.Topic == "customer/created" && d.settings.Switches.NewAccounts {
			d.accountActivated()
		}
		if !d.settings.ActiveProperty {
			d.skip(reason.ActivePropertyOff)
		}
	}
}

// accountActivated drafts the first activation of a customer, or their creation if that counts as one. Recharge sends another one each time
// the customer subscribes again.
func (d *draft) accountActivated() {
	c := d.webhook.Customer
	if d.before.Customer.Activated {
		d.skip(reason.Duplicate)
		return
	}
	d.state.Customer.Activated = !d.state.gone()
	d.happened(flow.AccountActivated, firstTime(c.UpdatedAt, d.receivedAt), factID(d.settings.Store, "customer_activated", c.ID))
}

func (d *draft) customerDeleted() { d.gone = true }

// forget sets the active property to FALSE if it was TRUE, and removes all personal data. A deletion has no time of its own. The
// property's is just after everything known, so that it is earlier than any change of the next customer with this address.
func (d *draft) forget() {
	last := d.state.Customer.ActiveProperty
	if d.settings.ActiveProperty && last != nil && last.Value {
		known := d.before.knownLast()
		if c := d.webhook.Customer; c != nil {
			known = later(known, c.UpdatedAt)
		}
		d.setActiveProperty(false, justAfter(known), last.To)
	}
	d.closeCharges()
	d.state.Customer = CustomerState{DeletedAt: firstTime(d.before.Customer.DeletedAt, d.receivedAt)}
	clear(d.state.Subscriptions)
}

func propertyID(e Event, destinationID string) string {
	return factID(e.Store, string(EventProperty), e.Property.Name, strconv.FormatBool(e.Property.Value), instant(e.OccurredAt), destinationID)
}

func customerOf(c *recharge.Customer) *Customer {
	out := &Customer{
		PlatformID: c.PlatformID, Email: c.Email, FirstName: c.FirstName, LastName: c.LastName,
		Phone: c.Phone, CreatedAt: c.CreatedAt,
	}
	if c.Counted {
		out.ActiveSubscriptions, out.TotalSubscriptions = &c.ActiveSubscriptions, &c.TotalSubscriptions
	}
	return out
}
