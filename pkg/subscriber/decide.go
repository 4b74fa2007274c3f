package subscriber

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Settings are a store's settings for processing webhooks.
type Settings struct {
	Store string
	// CustomerID selects the id that identifies a customer at the destination.
	CustomerID IDChoice
	// ActiveProperty enables recharge_subscription_active.
	ActiveProperty bool
	// KeepOldProfile leaves the property of the old profile unchanged when a customer's e-mail changes; otherwise it is set to
	// FALSE there.
	KeepOldProfile bool
	// SMS enables texts.
	SMS bool
	// API means that customers can be looked up.
	API bool
	// Switches are what else triggers texts.
	Switches Switches
}

// Decision is what a webhook produces. Skip is set if all lists are empty.
type Decision struct {
	Events      []Event
	Triggers    []Trigger
	Revocations []Revocation
	Skip        reason.Reason
	// Lookups are lookup requests for which no record is parked.
	Lookups []recharge.LookupRequest
	// Owners are the owner records to publish.
	Owners []Owner
}

// Empty reports whether the webhook has no output.
func (d Decision) Empty() bool {
	return len(d.Events)+len(d.Triggers)+len(d.Revocations) == 0
}

// Decide processes a webhook of a store, received by the gateway at receivedAt, with its customer's state, and returns the new
// state. The error is a *LookupNeeded if neither the webhook nor the state identifies the customer: park the webhook, request
// the lookup, apply its response and call Decide again. ErrCustomerUnknown means that a lookup would not help. After an error
// the state is unchanged.
func Decide(s Settings, st *State, w recharge.Webhook, receivedAt time.Time) (Decision, *State, error) {
	before := st.WithoutExpired(receivedAt)
	d := draft{settings: s, webhook: w, receivedAt: receivedAt.UTC(), before: before, state: before.clone(), customerID: w.CustomerID()}
	rule := d.table()
	if rule == nil {
		return Decision{Skip: reason.TopicNotUsed}, st, nil
	}
	if w.Customer != nil && w.Customer.ID != d.customerID { // another customer's object
		d.webhook.Customer = nil
	}
	d.state.absorb(d.webhook, d.receivedAt)
	if d.isOneTime() {
		d.skip(reason.OneTimeProduct)
	} else {
		rule()
	}
	d.customerChange()
	d.dropErased()
	d.eraseTexts()
	d.dropUnwanted()
	d.dropDuplicates()
	d.dropWithheld()
	if err := d.address(); err != nil {
		return Decision{}, st, err
	}
	if d.gone {
		d.forget()
	}
	if err := d.activeProperty(); err != nil {
		return Decision{}, st, err
	}
	d.requestSubscriptions()
	if w.Subscription != nil {
		d.noteOwner(w.Subscription.ID)
	}
	d.recordEmitted()
	d.conclude(reason.NoFact)
	return d.out, d.state, nil
}

// Uses reports whether a topic can produce any output.
func (s Switches) Uses(topic recharge.Topic) bool {
	d := draft{settings: Settings{Switches: s}, webhook: recharge.Webhook{Topic: topic.Current()}}
	return d.table() != nil
}

// Unused returns why webhooks of a topic are skipped, "" if they can produce output. Topics that Recharge does not have are counted
// apart: such a webhook was registered with a mistyped address.
func (s Switches) Unused(topic recharge.Topic) reason.Reason {
	switch {
	case !topic.Known():
		return reason.TopicUnknown
	case !s.Uses(topic):
		return reason.TopicNotUsed
	}
	return ""
}

// draft is an unfinished decision.
type draft struct {
	settings   Settings
	webhook    recharge.Webhook
	receivedAt time.Time
	before     *State // before the record
	state      *State // after it
	customerID string // "" when the webhook names none
	out        Decision
	// imported means that it happened before this installation: facts are not emitted.
	imported bool
	// gone means that the customer was deleted.
	gone bool
}

// isOneTime reports whether the webhook's subscription is a product that is bought once. A deletion has no status.
func (d *draft) isOneTime() bool {
	s := d.webhook.Subscription
	return s != nil && (s.Status == statusOneTime || s.Status == "" && d.before.Subscriptions[s.ID].Status == statusOneTime)
}

// needs returns which data of the customer the outputs require.
func (d *draft) needs() needs {
	return needs{destinationID: len(d.out.Events) > 0, phone: len(d.out.Triggers) > 0}
}

// table returns the handler of a topic; nil for an unused topic.
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
	case "order/upcoming", "order/processed", "order/created":
		return d.orderRule()
	case "customer/created", "customer/updated", "customer/activated", "customer/deactivated":
		return d.customerRule
	case "customer/deleted":
		return d.customerDeleted
	}
	return nil
}

// orderRule returns the handler of a topic of orders; nil for order/created where the store does not use it.
func (d *draft) orderRule() func() {
	switch {
	case d.webhook.Topic != "order/created":
		return d.orderFlows
	case d.settings.Switches.FirstOrders:
		return d.firstOrder
	}
	return nil
}

// skip sets the reason for no output, unless one is set.
func (d *draft) skip(why reason.Reason) {
	if d.out.Skip == "" {
		d.out.Skip = why
	}
}

// conclude makes sure that the decision has a reason if and only if it has no output.
func (d *draft) conclude(otherwise reason.Reason) {
	d.skip(otherwise)
	if !d.out.Empty() {
		d.out.Skip = ""
	}
}

// dropUnwanted removes outputs that the store has disabled.
func (d *draft) dropUnwanted() {
	if !d.settings.SMS && len(d.out.Triggers)+len(d.out.Revocations) > 0 {
		d.out.Triggers, d.out.Revocations = nil, nil
		if len(d.out.Events) == 0 {
			d.skip(reason.SMSOff)
		}
	}
}

// dropDuplicates removes facts that were emitted before, even if their webhook was encoded differently.
func (d *draft) dropDuplicates() {
	before := len(d.out.Events) + len(d.out.Triggers) + len(d.out.Revocations)
	d.out.Events = without(d.out.Events, func(e Event) bool { return d.state.Emitted.has(e.ID) })
	d.out.Triggers = without(d.out.Triggers, func(t Trigger) bool { return d.state.Emitted.has(t.ID) })
	d.out.Revocations = without(d.out.Revocations, func(r Revocation) bool { return d.state.Emitted.has(r.ID) })
	if before > 0 && d.out.Empty() {
		d.skip(reason.Duplicate)
	}
}

func without[T any](list []T, drop func(T) bool) []T {
	var left []T
	for _, each := range list {
		if !drop(each) {
			left = append(left, each)
		}
	}
	return left
}

// recordEmitted adds the emitted facts to the state.
func (d *draft) recordEmitted() {
	for _, e := range d.out.Events {
		if e.Type != EventProperty { // which is emitted when it changes
			d.state.Emitted.add(e.ID, d.receivedAt)
		}
	}
	for _, t := range d.out.Triggers {
		d.state.Emitted.add(t.ID, d.receivedAt)
	}
	for _, r := range d.out.Revocations {
		d.state.Emitted.add(r.ID, d.receivedAt)
	}
	d.state.Emitted.expire(d.receivedAt)
}

// address sets the customer of each output.
func (d *draft) address() error {
	if d.out.Empty() {
		return nil
	}
	who, err := identify(d.settings, d.customerID, d.webhook, d.state, d.needs())
	if err != nil {
		return err
	}
	for i := range d.out.Events {
		e := &d.out.Events[i]
		e.Store, e.RechargeCustomerID = d.settings.Store, who.customerID
		e.Email = who.email
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
	return nil
}
