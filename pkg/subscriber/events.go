package subscriber

import (
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

func (d *draft) subscriptionCreated() {
	s := d.webhook.Subscription
	at := firstTime(s.CreatedAt, d.receivedAt)
	fact := d.subscriptionEvent(StatusCreated, at, "")
	d.active(true, at)
	d.trigger(flow.SubscriptionStarted, at, fact)
}

func (d *draft) subscriptionActivated() {
	s := d.webhook.Subscription
	at := firstTime(s.UpdatedAt, d.receivedAt)
	fact := d.subscriptionEvent(StatusActivated, at, d.changed(s.UpdatedAt))
	d.active(true, at)
	d.trigger(flow.SubscriptionResumed, at, fact)
	d.revoke(at, fact, flow.SubscriptionCanceled, flow.SubscriptionExpired, flow.SubscriptionPaused)
}

func (d *draft) subscriptionCancelled() {
	s := d.webhook.Subscription
	at := firstTime(s.CancelledAt, s.UpdatedAt, d.receivedAt)
	fact := d.subscriptionEvent(StatusCanceled, at, d.changed(firstTime(s.CancelledAt, s.UpdatedAt).Truncate(time.Second)))
	d.activeFromCount()
	if s.Status == "expired" {
		d.expired()
	} else {
		d.trigger(flow.SubscriptionCanceled, at, fact)
	}
	d.revoke(at, fact, flow.SubscriptionStarted, flow.SubscriptionResumed, flow.UpcomingOrder)
}

// subscriptionDeleted happened when it was first received: the body's own times
// are those of earlier changes.
func (d *draft) subscriptionDeleted() {
	at := d.receivedAt
	fact := d.subscriptionEvent(StatusDeleted, at, "")
	d.activeFromCount()
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
		d.chargeFailedForGood()
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
	c := d.webhook.Customer
	at := firstTime(c.UpdatedAt, d.receivedAt)
	d.activeFromCount()
	switch d.webhook.Topic {
	case "customer/updated":
		d.customerChange(at)
	case "customer/activated":
		d.trigger(flow.CustomerAccountActivation, at, factID(d.settings.Store, "customer_activated", c.ID))
	}
}

// customerChange tells of a change in the Shopify account, so it needs one.
func (d *draft) customerChange(at time.Time) {
	c := d.webhook.Customer
	if c.PlatformID == "" {
		d.skip(SkipNoShopify)
		return
	}
	d.out.Events = append(d.out.Events, Event{
		ID:   factID(d.settings.Store, string(EventCustomerChange), "", c.ID, d.changed(c.UpdatedAt)),
		Type: EventCustomerChange, OccurredAt: at, Customer: customerOf(c),
	})
}

// active sets the property. Its id is known with the customer: see address.
func (d *draft) active(value bool, at time.Time) {
	d.out.Events = append(d.out.Events, Event{
		Type: EventProperty, OccurredAt: at, Property: &Property{Name: PropertyActive, Value: value},
	})
}

// activeFromCount sets the property from the customer's own count, where a
// customer object came with the webhook or was fetched for it. The end of one
// subscription alone says nothing about the others.
func (d *draft) activeFromCount() {
	c := d.webhook.Customer
	if c == nil && d.looked != nil && d.looked.Fresh {
		c = &d.looked.Customer
	}
	d.countWanted = d.settings.ActiveProperty && d.settings.API && d.webhook.Customer == nil
	if c == nil || !c.Counted {
		return
	}
	d.active(c.ActiveSubscriptions > 0, firstTime(c.UpdatedAt, d.receivedAt))
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
