package subscriber

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Settings is how one store wants its webhooks understood.
type Settings struct {
	Store string
	// CustomerID chooses what identifies a customer at the destination.
	CustomerID IDChoice
	// CustomerIDName is the destination's name for that id.
	CustomerIDName string
	// ActiveProperty says whether recharge_subscription_active is sent at all.
	ActiveProperty bool
	// SMS says whether the store sends texts.
	SMS bool
	// API says whether customers can be looked up.
	API bool
}

// Skip is why a webhook has no output.
type Skip string

// Every reason for which Decide skips a webhook.
const (
	SkipTopicNotUsed    Skip = "topic_not_used"            // no event and no flow comes from this topic
	SkipNoFact          Skip = "no_fact"                   // the topic may tell something, this body doesn't
	SkipSMSOff          Skip = "sms_off"                   // it would only trigger texts, and the store sends none
	SkipNoShopify       Skip = "not_connected_to_shopify"  // customer_change needs a Shopify customer
	SkipNotCustomers    Skip = "not_the_customers_to_mend" // a failed charge that no text can help
	SkipUnknownError    Skip = "charge_error_unknown"      // a failed charge whose error type isn't published
	SkipRetryDatePassed Skip = "retry_date_passed"         // a failed charge whose next attempt was due already
	SkipPropertyOff     Skip = "active_property_off"       // it would only set the property, and the store doesn't want it
)

// Decision is what a webhook is worth. Skip is set when all lists are empty.
type Decision struct {
	Events      []Event
	Triggers    []Trigger
	Revocations []Revocation
	Skip        Skip
}

// Empty reports whether the webhook has no output.
func (d Decision) Empty() bool {
	return len(d.Events)+len(d.Triggers)+len(d.Revocations) == 0
}

// Lookup is what Recharge's API said about the customer.
type Lookup struct {
	// Customer is the zero value where the API knows none.
	Customer recharge.Customer
	// Fresh says that the API was asked for this very webhook: only then does the
	// count of active subscriptions belong to it.
	Fresh bool
}

// Decide says what a webhook means for a store. receivedAt is when the gateway
// took it. When the body doesn't say who the customer is, the error is a
// *LookupNeeded: ask the API and decide again with its answer. ErrCustomerUnknown
// says that nobody can tell.
func Decide(s Settings, w recharge.Webhook, receivedAt time.Time, looked *Lookup) (Decision, error) {
	d := draft{settings: s, webhook: w, receivedAt: receivedAt, looked: looked}
	d.rule()
	d.dropUnwanted()
	if d.out.Empty() {
		return Decision{Skip: d.reason()}, nil
	}
	if id := w.CustomerID(); id != "" && d.countWanted && (looked == nil || !looked.Fresh) {
		return Decision{}, &LookupNeeded{CustomerID: id, Fresh: true}
	}
	who, err := identify(s, w, looked, d.needs())
	if err != nil {
		return Decision{}, err
	}
	d.address(who)
	return d.out, nil
}

// Uses reports whether anything ever comes of a topic.
func Uses(topic recharge.Topic) bool {
	d := draft{webhook: recharge.Webhook{Topic: topic}}
	return d.table() != nil
}

// draft is a decision in the making: outputs still without a customer.
type draft struct {
	settings   Settings
	webhook    recharge.Webhook
	receivedAt time.Time
	looked     *Lookup
	out        Decision
	// countWanted says that the customer's count should be asked for.
	countWanted bool
}

// needs says what the outputs must know of the customer.
func (d *draft) needs() needs {
	return needs{destinationID: len(d.out.Events) > 0, phone: len(d.out.Triggers) > 0}
}

// rule drafts what the webhook's topic is worth.
func (d *draft) rule() {
	rule := d.table()
	if rule == nil {
		d.skip(SkipTopicNotUsed)
		return
	}
	rule()
}

// table says which topics are used, and for what.
func (d *draft) table() func() {
	switch d.webhook.Topic {
	case "subscription/created":
		return d.subscriptionCreated
	case "subscription/activated":
		return d.subscriptionActivated
	case "subscription/cancelled":
		return d.subscriptionCancelled
	case "subscription/deleted":
		return d.subscriptionDeleted
	case "subscription/updated", "subscription/paused", "subscription/skipped", "subscription/unskipped":
		return d.subscriptionFlows
	case "charge/created", "charge/paid", "charge/upcoming", "charge/failed", "charge/max_retries_reached":
		return d.chargeRule
	case "order/upcoming", "order/processed":
		return d.orderFlows
	case "customer/created", "customer/updated", "customer/activated", "customer/deactivated":
		return d.customerRule
	}
	return nil
}

// skip notes why there is no output; the first reason stays.
func (d *draft) skip(why Skip) {
	if d.out.Skip == "" {
		d.out.Skip = why
	}
}

func (d *draft) reason() Skip {
	d.skip(SkipNoFact)
	return d.out.Skip
}

// dropUnwanted takes out what the store has switched off.
func (d *draft) dropUnwanted() {
	if !d.settings.SMS && len(d.out.Triggers)+len(d.out.Revocations) > 0 {
		d.out.Triggers, d.out.Revocations = nil, nil
		d.skip(SkipSMSOff)
	}
	if d.settings.ActiveProperty {
		return
	}
	wanted := d.out.Events[:0]
	for _, e := range d.out.Events {
		if e.Type == EventProperty {
			d.skip(SkipPropertyOff)
			continue
		}
		wanted = append(wanted, e)
	}
	d.out.Events = wanted
}

// address fills in the customer, and the ids that depend on them.
func (d *draft) address(who identity) {
	d.out.Skip = ""
	for i := range d.out.Events {
		e := &d.out.Events[i]
		e.Store, e.RechargeCustomerID = d.settings.Store, who.customerID
		e.CustomerIDs = map[string]string{d.settings.CustomerIDName: who.destinationID}
		if e.Property != nil {
			e.ID = propertyID(*e, who.destinationID)
		}
	}
	for i := range d.out.Triggers {
		t := &d.out.Triggers[i]
		t.Store, t.RechargeCustomerID, t.Recipient = d.settings.Store, who.customerID, who.recipient
		t.Cause = d.cause(*t)
	}
	for i := range d.out.Revocations {
		r := &d.out.Revocations[i]
		r.Store, r.RechargeCustomerID = d.settings.Store, who.customerID
	}
}
