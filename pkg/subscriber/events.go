package subscriber

import (
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

func (d *draft) subscriptionCreated() {
	s := d.webhook.Subscription
	fact := d.subscriptionEvent(StatusCreated, firstTime(s.CreatedAt, d.receivedAt), "")
	d.trigger(flow.SubscriptionStarted, firstTime(s.CreatedAt, d.receivedAt), fact)
}

func (d *draft) subscriptionActivated() {
	s := d.webhook.Subscription
	at := firstTime(s.UpdatedAt, d.receivedAt)
	fact := d.subscriptionEvent(StatusActivated, at, d.changed(s.UpdatedAt))
	d.trigger(flow.SubscriptionResumed, at, fact)
	d.revoke(at, fact, flow.SubscriptionCanceled, flow.SubscriptionExpired, flow.SubscriptionPaused)
}

func (d *draft) subscriptionCancelled() {
	s := d.webhook.Subscription
	at := firstTime(s.CancelledAt, s.UpdatedAt, d.receivedAt)
	fact := d.subscriptionEvent(StatusCanceled, at, d.changed(firstTime(s.CancelledAt, s.UpdatedAt).Truncate(time.Second)))
	if s.Status == statusExpired {
		d.expired()
	} else {
		d.trigger(flow.SubscriptionCanceled, at, fact)
	}
	d.revoke(at, fact, flow.SubscriptionStarted, flow.SubscriptionResumed, flow.UpcomingOrder)
}

// subscriptionDeleted happened when it was first received: the body's own times
// are those of earlier changes.
func (d *draft) subscriptionDeleted() {
	at := firstTime(d.memory.Subscriptions[d.webhook.Subscription.ID].Last[deleted], d.receivedAt)
	fact := d.subscriptionEvent(StatusDeleted, at, "")
	d.revoke(at, fact, flow.SubscriptionStarted)
}

// subscriptionEvent adds an event and returns its fact id.
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
			d.chargeEvent(StatusPaid, firstTime(c.ProcessedAt, c.UpdatedAt, d.receivedAt))
		}
	case "charge/paid":
		d.chargePaid()
	case "charge/upcoming":
		d.upcomingCharge()
	case "charge/failed":
		d.chargeFailed()
	case "charge/max_retries_reached":
		d.retriesReached()
	}
}

func (d *draft) chargePaid() {
	c := d.webhook.Charge
	at := firstTime(c.ProcessedAt, c.UpdatedAt, d.receivedAt)
	fact := d.chargeEvent(StatusPaid, at)
	d.trigger(flow.ChargePaid, at, fact)
	d.revoke(at, fact, flow.ChargeWillBeRetried, flow.ChargeFailed, flow.UpcomingOrder)
}

func (d *draft) chargeEvent(status string, at time.Time) string {
	c := d.webhook.Charge
	e := Event{
		ID:   factID(d.settings.Store, string(EventCharge), status, c.ID),
		Type: EventCharge, Status: status, OccurredAt: at, Charge: chargeOf(c),
	}
	d.out.Events = append(d.out.Events, e)
	return e.ID
}

func (d *draft) customerRule() {
	switch d.webhook.Topic {
	case "customer/activated":
		d.accountActivated()
	case "customer/created", "customer/deactivated":
		if !d.settings.ActiveProperty {
			d.skip(SkipPropertyOff)
		}
	}
}

// accountActivated is told at the first activation ever: every one that comes back as a subscriber is another.
func (d *draft) accountActivated() {
	c := d.webhook.Customer
	if d.before.Customer.Activated {
		d.skip(SkipTold)
		return
	}
	d.memory.Customer.Activated = !d.memory.gone()
	d.trigger(flow.CustomerAccountActivation, firstTime(c.UpdatedAt, d.receivedAt), factID(d.settings.Store, "customer_activated", c.ID))
}

func (d *draft) customerDeleted() { d.gone = true }

// forget says FALSE where TRUE was said, and leaves nothing personal behind.
func (d *draft) forget() {
	said := d.memory.Customer.Flag
	if d.settings.ActiveProperty && said != nil && said.Value {
		d.sayFlag(false, d.receivedAt, said.To)
	}
	d.memory.Customer = KnownCustomer{DeletedAt: firstTime(d.before.Customer.DeletedAt, d.receivedAt)}
	clear(d.memory.Subscriptions)
}

func propertyID(e Event, destinationID string) string {
	return factID(e.Store, string(EventProperty), e.Property.Name, strconv.FormatBool(e.Property.Value), instant(e.OccurredAt), destinationID)
}

func subscriptionOf(s *recharge.Subscription) *Subscription {
	return &Subscription{
		ID: s.ID, AddressID: s.AddressID, SourceStatus: s.Status,
		ProductID: s.ProductID, VariantID: s.VariantID, SKU: s.SKU,
		ProductTitle: s.ProductTitle, VariantTitle: s.VariantTitle,
		Price: s.Price, Currency: s.Currency, Quantity: s.Quantity,
		IntervalUnit: s.IntervalUnit, OrderInterval: s.OrderInterval, ChargeInterval: s.ChargeInterval,
		NextChargeDate: s.NextChargeDate, IsPrepaid: s.IsPrepaid,
		CreatedAt: s.CreatedAt, CancelledAt: s.CancelledAt,
		CancellationReason: s.CancellationReason, CancellationReasonComments: s.CancellationReasonComments,
	}
}

func chargeOf(c *recharge.Charge) *Charge {
	return &Charge{
		ID: c.ID, AddressID: c.AddressID, SourceStatus: c.Status, Type: c.Type, OrderID: c.OrderID,
		Currency: c.Currency, TotalPrice: c.TotalPrice, SubtotalPrice: c.SubtotalPrice,
		TotalDiscounts: c.TotalDiscounts, TotalTax: c.TotalTax,
		ScheduledDate: c.ScheduledDate, ProcessedAt: c.ProcessedAt, RetryAt: c.RetryAt,
		Attempts: c.Attempts, ErrorType: c.ErrorType, CreatedAt: c.CreatedAt, Items: itemsOf(c.LineItems),
	}
}

func orderOf(o *recharge.Order) *Order {
	return &Order{
		ID: o.ID, ChargeID: o.ChargeID, AddressID: o.AddressID, Number: o.Number, IsPrepaid: o.IsPrepaid,
		Currency: o.Currency, TotalPrice: o.TotalPrice, ScheduledDate: o.ScheduledDate, Items: itemsOf(o.LineItems),
	}
}

func itemsOf(lines []recharge.LineItem) []Item {
	items := make([]Item, len(lines))
	for i, l := range lines {
		items[i] = Item(l)
	}
	return items
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
