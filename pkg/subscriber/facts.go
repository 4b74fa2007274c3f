package subscriber

import (
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/jsonappend"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// The statuses of facts: what happened and is not tracked unless a store asks for it. A fact has the form of a tracking event.
const (
	StatusUpcoming       = "upcoming"
	StatusFailed         = "failed"
	StatusGaveUp         = "gave_up"
	StatusRefunded       = "refunded"
	StatusOrderProcessed = "order_processed"
	StatusPaused         = "paused"
	StatusResumed        = "resumed"
	StatusSkipped        = "skipped"
	StatusUnskipped      = "unskipped"
	StatusSwapped        = "swapped"
	StatusChanged        = "changed"
	StatusExpired        = "expired"
)

// FactStatuses lists the statuses of facts about charges and orders, then those about subscriptions.
func FactStatuses() []string {
	return []string{
		StatusUpcoming, StatusFailed, StatusGaveUp, StatusRefunded, StatusOrderProcessed,
		StatusPaused, StatusResumed, StatusSkipped, StatusUnskipped, StatusSwapped, StatusChanged, StatusExpired,
	}
}

// StatusesOf lists the statuses that an event or fact of the same resource can have.
func StatusesOf(e Event) []string {
	switch {
	case e.Subscription != nil:
		return []string{
			StatusCreated, StatusActivated, StatusCanceled, StatusDeleted,
			StatusPaused, StatusResumed, StatusSkipped, StatusUnskipped, StatusSwapped, StatusChanged, StatusExpired,
		}
	case e.Charge != nil:
		return []string{StatusCreated, StatusPaid, StatusUpcoming, StatusFailed, StatusGaveUp, StatusRefunded}
	case e.Order != nil:
		return []string{StatusUpcoming, StatusOrderProcessed}
	}
	return nil
}

// AlwaysTracked reports whether a status is tracked in every store.
func AlwaysTracked(kind EventType, status string) bool {
	switch status {
	case StatusActivated, StatusCanceled, StatusDeleted:
		return kind == EventSubscription
	case StatusPaid:
		return kind == EventCharge
	}
	return status == StatusCreated
}

// Previous has the values before a change; those that did not change, or are unknown, are empty.
type Previous struct {
	Price          string        `json:"price,omitempty"`
	Quantity       int           `json:"quantity,omitempty"`
	IntervalUnit   string        `json:"interval_unit,omitempty"`
	OrderInterval  int           `json:"order_interval,omitempty"`
	ChargeInterval int           `json:"charge_interval,omitempty"`
	NextChargeDate recharge.Date `json:"next_charge_date,omitempty"`
	AddressID      string        `json:"address_id,omitempty"`
	ProductID      string        `json:"product_id,omitempty"`
	VariantID      string        `json:"variant_id,omitempty"`
	SKU            string        `json:"sku,omitempty"`
	ProductTitle   string        `json:"product_title,omitempty"`
	VariantTitle   string        `json:"variant_title,omitempty"`
	ScheduledDate  recharge.Date `json:"scheduled_date,omitempty"`
	TotalRefunds   string        `json:"total_refunds,omitempty"`
}

func (p *Previous) append(w *jsonappend.Writer) {
	if p == nil {
		return
	}
	w.BeginMember("previous")
	w.OptString("price", p.Price)
	w.OptInt("quantity", p.Quantity)
	w.OptString("interval_unit", p.IntervalUnit)
	w.OptInt("order_interval", p.OrderInterval)
	w.OptInt("charge_interval", p.ChargeInterval)
	w.OptString("next_charge_date", string(p.NextChargeDate))
	w.OptString("address_id", p.AddressID)
	w.OptString("product_id", p.ProductID)
	w.OptString("variant_id", p.VariantID)
	w.OptString("sku", p.SKU)
	w.OptString("product_title", p.ProductTitle)
	w.OptString("variant_title", p.VariantTitle)
	w.OptString("scheduled_date", string(p.ScheduledDate))
	w.OptString("total_refunds", p.TotalRefunds)
	w.End()
}

// orNil returns nil if nothing changed.
func (p Previous) orNil() *Previous {
	if p == (Previous{}) {
		return nil
	}
	return &p
}

// fact drafts a fact of the webhook's resource. what is the id of what happened.
func (d *draft) fact(status string, at time.Time, what string) {
	e := Event{ID: factID(d.settings.Store, "fact", status, what), Status: status, OccurredAt: at}
	switch w := d.webhook; {
	case w.Subscription != nil:
		e.Type, e.Subscription, e.Previous = EventSubscription, subscriptionOf(w.Subscription), d.previousSubscription().orNil()
	case w.Charge != nil:
		e.Type, e.Charge, e.Previous = EventCharge, d.chargeInDetail(), d.previousCharge().orNil()
	case w.Order != nil:
		e.Type, e.Order = EventCharge, orderOf(w.Order)
	}
	d.out.Facts = append(d.out.Facts, e)
}

// factOf returns the status of the fact that a happening is, "" if it is none.
func factOf(what flow.Happening) string {
	switch what {
	case flow.Upcoming:
		return StatusUpcoming
	case flow.Processed:
		return StatusOrderProcessed
	case flow.Paused:
		return StatusPaused
	case flow.Skipped:
		return StatusSkipped
	case flow.Unskipped:
		return StatusUnskipped
	case flow.Expired:
		return StatusExpired
	}
	return ""
}

// failedAttempt drafts the fact of a failed attempt of a charge, once per attempt.
func (d *draft) failedAttempt(at time.Time) {
	c := d.webhook.Charge
	attempt := "attempt " + strconv.Itoa(c.Attempts)
	if c.Attempts == 0 { // not counted
		attempt = d.changed(c.UpdatedAt)
	}
	d.fact(StatusFailed, at, factID(d.settings.Store, "charge_attempt_failed", c.ID, attempt))
}

// refunded drafts a refund, once per sum of all refunds of the charge.
func (d *draft) refunded() {
	c := d.webhook.Charge
	refund := "total " + withoutZeros(c.TotalRefunds)
	if c.TotalRefunds == "" {
		refund = d.changed(c.UpdatedAt)
	}
	d.fact(StatusRefunded, firstTime(c.UpdatedAt, d.receivedAt), factID(d.settings.Store, "charge_refunded", c.ID, refund))
}

// chargeInDetail returns the webhook's charge with what is known of its order, and with the reason of its last failed attempt, if the body
// itself only says how far the retries are.
func (d *draft) chargeInDetail() *Charge {
	c := chargeOf(d.webhook.Charge)
	known := d.state.Customer.Charges[c.ID]
	c.OrderNumber, c.NthOrder = known.OrderNumber, known.NthOrder
	if why := d.state.Customer.Failures[c.ID].ErrorType; why != "" && c.ErrorType != "" && !recharge.GivesReason(c.ErrorType) {
		c.ErrorType, c.ErrorKind = why, errorKindOf(why)
	}
	return c
}

// previousCharge returns what the table had of the webhook's charge.
func (d *draft) previousCharge() (p Previous) {
	c := d.webhook.Charge
	was, known := d.before.Customer.Charges[c.ID]
	if !known || !c.UpdatedAt.After(was.At) {
		return p
	}
	if was.ScheduledDate != c.ScheduledDate {
		p.ScheduledDate = was.ScheduledDate
	}
	if !sameAmount(was.TotalRefunds, c.TotalRefunds) {
		p.TotalRefunds = was.TotalRefunds
	}
	return p
}

// swappedLately is how long after a change of the product its subscription/swapped may come.
const swappedLately = time.Minute

// changedSubscription drafts what a newer snapshot of a subscription changed, whatever its topic: another product is a swap, anything else
// a change. A snapshot that is received after a newer one is not compared.
func (d *draft) changedSubscription() {
	s := d.webhook.Subscription
	if s == nil || d.isOneTime() || d.webhook.Topic == "subscription/created" || d.webhook.Topic == "subscription/deleted" {
		return
	}
	at, id := firstTime(s.UpdatedAt, d.receivedAt), d.changed(s.UpdatedAt)
	previous := d.previousSubscription()
	product := previous.product()
	is := d.state.Subscriptions[s.ID]
	swapped := product != Previous{}
	if d.webhook.Topic == "subscription/swapped" && at.After(is.Last[flow.Swapped].Add(swappedLately)) {
		swapped = true
	}
	if swapped {
		d.fact(StatusSwapped, at, factID(d.settings.Store, "subscription_swapped", s.ID, id))
		d.noteHappened(flow.Swapped, at)
	}
	if previous.without(product) != (Previous{}) {
		d.fact(StatusChanged, at, factID(d.settings.Store, "subscription_changed", s.ID, id))
	}
}

// noteHappened stores when something last happened to the webhook's subscription.
func (d *draft) noteHappened(what flow.Happening, at time.Time) {
	s, known := d.state.Subscriptions[d.webhook.Subscription.ID]
	if !known {
		return
	}
	s.happened(what, at)
	d.state.Subscriptions[s.ID] = s
}

// previousSubscription returns what the newest snapshot of the webhook's subscription changed.
func (d *draft) previousSubscription() Previous {
	s := d.webhook.Subscription
	was, known := d.before.Subscriptions[s.ID]
	if !known || !was.exists() || !s.UpdatedAt.After(was.UpdatedAt) {
		return Previous{}
	}
	return was.changedBy(s)
}

// changedBy returns the values of a subscription that a later snapshot changed. A next charge that is past was made since, so another
// date is no change of the date. A value that the later one lacks is none either.
func (s SubscriptionState) changedBy(later *recharge.Subscription) (p Previous) {
	if !sameAmount(s.Price, later.Price) {
		change(&p.Price, s.Price, later.Price)
	}
	change(&p.Quantity, s.Quantity, later.Quantity)
	change(&p.IntervalUnit, s.IntervalUnit, later.IntervalUnit)
	change(&p.OrderInterval, s.OrderInterval, later.OrderInterval)
	change(&p.ChargeInterval, s.ChargeInterval, later.ChargeInterval)
	change(&p.AddressID, s.AddressID, later.AddressID)
	change(&p.ProductID, s.ProductID, later.ProductID)
	change(&p.VariantID, s.VariantID, later.VariantID)
	if s.NextChargeDate.Start().After(later.UpdatedAt) {
		change(&p.NextChargeDate, s.NextChargeDate, later.NextChargeDate)
	}
	if p.ProductID+p.VariantID != "" {
		change(&p.SKU, s.SKU, later.SKU)
		change(&p.ProductTitle, s.ProductTitle, later.ProductTitle)
		change(&p.VariantTitle, s.VariantTitle, later.VariantTitle)
	}
	return p
}

// sameAmount compares amounts: API version 2021-01 has no zeros at the end.
func sameAmount(a, b string) bool { return withoutZeros(a) == withoutZeros(b) }

func withoutZeros(amount string) string {
	if !strings.Contains(amount, ".") {
		return amount
	}
	return strings.TrimSuffix(strings.TrimRight(amount, "0"), ".")
}

func change[T comparable](previous *T, was, is T) {
	var none T
	if was != none && is != none && was != is {
		*previous = was
	}
}

// product returns the values of the product.
func (p Previous) product() Previous {
	return Previous{ProductID: p.ProductID, VariantID: p.VariantID, SKU: p.SKU, ProductTitle: p.ProductTitle, VariantTitle: p.VariantTitle}
}

// without returns the values that other lacks.
func (p Previous) without(product Previous) Previous {
	if product == (Previous{}) {
		return p
	}
	p.ProductID, p.VariantID, p.SKU, p.ProductTitle, p.VariantTitle = "", "", "", "", ""
	return p
}
