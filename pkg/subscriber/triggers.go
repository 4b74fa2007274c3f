package subscriber

import (
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Trigger starts a flow for a customer, with all values that its text can use. It is the value of a record in
// recharge.sms-triggers.
type Trigger struct {
	ID    string   `json:"id"`
	Store string   `json:"store"`
	Flow  flow.Key `json:"flow"`
	// Cause identifies the customer's action. Triggers of the same action have the same cause.
	Cause              string    `json:"cause"`
	RechargeCustomerID string    `json:"recharge_customer_id"`
	OccurredAt         time.Time `json:"occurred_at"`
	// StaleAt is the time from which the text is not sent.
	StaleAt time.Time `json:"stale_at"`
	// Items are the resources that the text is about, "{resource}/{id}". A revocation names them.
	Items        []string      `json:"items"`
	Recipient    Recipient     `json:"recipient"`
	Subscription *Subscription `json:"subscription,omitempty"`
	Charge       *Charge       `json:"charge,omitempty"`
	Order        *Order        `json:"order,omitempty"`
}

// Recipient receives a text: the customer, never the person to whom their parcel goes.
type Recipient struct {
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	// Phone is as typed, "" for none that is known to be the customer's.
	Phone string `json:"phone,omitempty"`
	// PhoneCountry is the country of a phone without a country code, as typed: an ISO 3166 code or a name. "" is the store's default
	// region. ZZ is an unknown country: then only a phone with a country code can be used.
	PhoneCountry string `json:"phone_country,omitempty"`
	// Country, Province and Zip are those of the customer's own address. Country is an ISO 3166 code or a name.
	Country  string `json:"country,omitempty"`
	Province string `json:"province,omitempty"`
	Zip      string `json:"zip,omitempty"`
	// Email is normalized, "" if unknown.
	Email string `json:"email,omitempty"`
	// PortalHash is the secret part of the customer's portal links.
	PortalHash string `json:"portal_hash,omitempty"`
}

// Revocation revokes the triggers of Flows about Items: something happened that makes their texts untrue. It is the value of a
// record in recharge.sms-triggers.
//
// It revokes a trigger that names its charge, and a trigger whose subscriptions are all revoked. For a subscription, OccurredAt
// must be after the trigger's; for a charge, not before it; a payment revokes triggers of any time.
type Revocation struct {
	ID                 string         `json:"id"`
	Store              string         `json:"store"`
	Cause              recharge.Topic `json:"cause"`
	RechargeCustomerID string         `json:"recharge_customer_id"`
	Flows              []flow.Key     `json:"flows"`
	Items              []string       `json:"items"`
	OccurredAt         time.Time      `json:"occurred_at"`
	// Erased means that the customer was deleted, or their personal data erased: all triggers are revoked, whatever their items and times,
	// and what is left of their texts is removed.
	Erased bool `json:"erased,omitempty"`
}

// subscriptionFlows handles the subscription topics that have no event.
func (d *draft) subscriptionFlows() {
	s := d.webhook.Subscription
	at := firstTime(s.UpdatedAt, d.receivedAt)
	fact := factID(d.settings.Store, string(d.webhook.Topic), s.ID, d.changed(s.UpdatedAt))
	switch d.webhook.Topic {
	case "subscription/updated":
		d.expired()
		d.movedDate()
	case "subscription/swapped": // changedSubscription
	case "subscription/paused":
		d.happened(flow.Paused, at, fact)
	case "subscription/skipped":
		d.happened(flow.Skipped, at, fact)
	case "subscription/unskipped":
		d.happened(flow.Unskipped, at, fact)
	}
}

// expired drafts an expiration, once, although many updates may repeat the status. The fact id has its time, so it does not depend on what
// was received before; without a time, that of the last activation before it, or else of the creation.
func (d *draft) expired() {
	s := d.webhook.Subscription
	if s.Status != statusExpired {
		return
	}
	at := firstTime(s.CancelledAt, s.UpdatedAt, d.receivedAt)
	known := d.state.Subscriptions[s.ID]
	which, repeated := known.whichExpiration(s, at)
	if repeated {
		d.skip(reason.Duplicate)
		return
	}
	if !d.state.gone() && d.customerID != "" {
		known.happened(flow.Expired, at)
		if s.CancelledAt.IsZero() {
			known.happened(undatedExpiration, at)
		}
		d.state.Subscriptions[s.ID] = known
	}
	d.happened(flow.Expired, at, factID(d.settings.Store, "subscription_expired", s.ID, instant(which)))
}

// whichExpiration returns the time that identifies an expiration, and whether it is known.
func (s SubscriptionState) whichExpiration(of *recharge.Subscription, at time.Time) (which time.Time, repeated bool) {
	last := s.Last[flow.Expired]
	if which = of.CancelledAt.Truncate(time.Second); !which.IsZero() {
		return which, last.Truncate(time.Second).Equal(which) || s.expiredUndated(which)
	}
	if began := s.Last[flow.Activated]; !began.After(at) { // else of a later life
		which = began
	}
	return firstTime(which, of.CreatedAt), !last.IsZero() && !which.After(last)
}

// undatedExpiration is noted beside flow.Expired where the webhook had no time of the expiration.
const undatedExpiration flow.Happening = "expired_undated"

// expiredUndated reports whether an expiration at a time was noted before without its time.
func (s SubscriptionState) expiredUndated(at time.Time) bool {
	undated, activated := s.Last[undatedExpiration], s.Last[flow.Activated]
	return !undated.Before(at) && (!activated.After(at) || activated.After(undated))
}

// upcomingCharge drafts an upcoming charge, once per charge and day: a charge that is moved to another day is drafted again.
func (d *draft) upcomingCharge() {
	c := d.webhook.Charge
	d.happened(flow.Upcoming, firstTime(c.UpdatedAt, d.receivedAt),
		factID(d.settings.Store, "charge_upcoming", c.ID, string(c.ScheduledDate)))
}

func (d *draft) orderFlows() {
	o := d.webhook.Order
	at := firstTime(o.UpdatedAt, d.receivedAt)
	if d.webhook.Topic == "order/upcoming" {
		d.happened(flow.Upcoming, at, factID(d.settings.Store, "order_upcoming", o.ID, string(o.ScheduledDate)))
		return
	}
	d.orderProcessed(firstTime(o.ProcessedAt, at))
}

// orderProcessed drafts an order that was processed, once.
func (d *draft) orderProcessed(at time.Time) {
	d.happened(flow.Processed, at, factID(d.settings.Store, "order_processed", d.webhook.Order.ID))
}

// happened drafts the fact that a happening is, the triggers of the flows fired by it, and one revocation for the flows revoked by it,
// according to the table of flows. fact is the id of the happening.
func (d *draft) happened(what flow.Happening, at time.Time, fact string) {
	if status := factOf(what); status != "" {
		d.fact(status, at, fact)
	}
	for _, key := range flow.FiredBy(what) {
		d.trigger(key, at, fact)
	}
	d.revoke(what, at, fact)
}

// trigger drafts a trigger for the webhook's resource.
func (d *draft) trigger(key flow.Key, at time.Time, fact string) {
	t := Trigger{
		ID: factID(d.settings.Store, "trigger", string(key), fact), Flow: key,
		OccurredAt: at, StaleAt: d.staleAt(key, at), Items: d.items(),
	}
	switch w := d.webhook; {
	case w.Subscription != nil:
		t.Subscription = subscriptionOf(w.Subscription)
	case w.Charge != nil:
		t.Charge = d.chargeInDetail()
	case w.Order != nil:
		t.Order = orderOf(w.Order)
	}
	d.out.Triggers = append(d.out.Triggers, t)
}

// revoke drafts the revocation of triggers whose texts a happening of the webhook's resource makes untrue. A charge revokes its
// own triggers, never those of another charge for the same subscriptions.
func (d *draft) revoke(what flow.Happening, at time.Time, fact string) {
	flows := flow.RevokedBy(what)
	if len(flows) == 0 {
		return
	}
	d.out.Revocations = append(d.out.Revocations, Revocation{
		ID: factID(d.settings.Store, "revocation", fact), Cause: d.webhook.Topic,
		Flows: flows, Items: d.items()[:1], OccurredAt: at,
	})
}

// staleAt returns the time from which the text is not sent.
func (d *draft) staleAt(key flow.Key, at time.Time) time.Time {
	stale := flow.RuleOf(key).Stale
	return firstTime(d.date(stale.On), at.Add(stale.After))
}

// date returns a date of the webhook, zero if it has none.
func (d *draft) date(which flow.Date) time.Time {
	switch w := d.webhook; {
	case which == flow.NextChargeDate && w.Subscription != nil:
		return w.Subscription.NextChargeDate.Start()
	case which == flow.RetryDate && w.Charge != nil:
		return w.Charge.RetryAt
	case which == flow.ScheduledDate && w.Charge != nil:
		return w.Charge.ScheduledDate.Start()
	case which == flow.ScheduledDate && w.Order != nil:
		return w.Order.ScheduledDate.Start()
	}
	return time.Time{}
}

// items returns the webhook's resource and, for a charge or an order, its subscriptions.
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

// cause returns the id of the customer's action: store, customer, flow, address, and for flows of charges and orders the
// charge. It does not contain a time.
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
