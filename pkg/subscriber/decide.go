package subscriber

import (
	"slices"
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
	// Profile are the customer properties to emit, of ProfileNames.
	Profile []string
	// Extras are the statuses of facts that are tracked, too. Only these have the customer's e-mail.
	Extras []string
	// Currency is that of a resource whose body has none, ISO 4217; "" is unknown.
	Currency string
	// Portal makes the links to the customer portal in tracked events.
	Portal Portal
}

// Tracks reports whether facts of a status are tracked.
func (s Settings) Tracks(status string) bool { return slices.Contains(s.Extras, status) }

// Decision is what a webhook produces. Skip is set if all lists are empty. If there are facts only, it may say why there is no text.
type Decision struct {
	Events []Event
	// Facts are what happened and is not among the tracked events.
	Facts       []Event
	Triggers    []Trigger
	Revocations []Revocation
	Skip        reason.Reason
	// Lookups are lookup requests for which no record is parked.
	Lookups []recharge.LookupRequest
	// Owners and ChargeOwners are the owner records to publish.
	Owners       []Owner
	ChargeOwners []ChargeOwner
	// Charges are the rows of recharge.charges to write.
	Charges []TableRow
}

// Empty reports whether the webhook has no output.
func (d Decision) Empty() bool {
	return d.count() == 0
}

func (d Decision) count() int {
	return len(d.Events) + len(d.Facts) + len(d.Triggers) + len(d.Revocations)
}

// Decide processes a webhook of a store, received by the gateway at receivedAt, with its customer's state, and returns the new
// state. The error is a *LookupNeeded if neither the webhook nor the state identifies the customer: park the webhook, request
// the lookup, apply its response and call Decide again. ErrCustomerUnknown means that a lookup would not help. After an error
// the state is unchanged.
func Decide(s Settings, st *State, w recharge.Webhook, receivedAt time.Time) (Decision, *State, error) {
	before := st.WithoutExpired(receivedAt)
	w = w.WithCurrency(s.Currency)
	d := draft{settings: s, webhook: w, receivedAt: receivedAt.UTC(), before: before, state: before.clone(), customerID: w.CustomerID()}
	rule := d.table()
	if rule == nil {
		return Decision{Skip: reason.TopicNotUsed}, st, nil
	}
	if w.Customer != nil && w.Customer.ID != d.customerID { // another customer's object
		d.webhook.Customer = nil
	}
	d.state.absorb(d.webhook, d.receivedAt)
	d.countOrder()
	if d.isOneTime() {
		d.skip(reason.OneTimeProduct)
	} else {
		rule()
	}
	if w.Backfill == nil {
		d.changedSubscription()
	}
	d.chargeTable()
	d.customerChange()
	d.dropEarly()
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
	d.profile()
	d.requestSubscriptions()
	if w.Subscription != nil {
		d.noteOwner(w.Subscription.ID)
	}
	d.recordEmitted()
	d.conclude(reason.NoFact)
	return d.out, d.state, nil
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

// needs returns which data of the customer the outputs require. A fact requires it only if it is tracked; those of a customer whose personal
// data was erased are not.
func (d *draft) needs() needs {
	tracked := len(d.out.Events) > 0 || !d.erased() && slices.ContainsFunc(d.out.Facts, func(e Event) bool { return d.settings.Tracks(e.Status) })
	return needs{destinationID: tracked, phone: len(d.out.Triggers) > 0}
}

// table returns the handler of a topic; nil for an unused topic.
func (d *draft) table() func() {
	if d.webhook.Backfill != nil && d.webhook.Topic != "customer/deleted" {
		return d.backfilled
	}
	switch d.webhook.Topic {
	case "charge/created", "charge/paid", "charge/upcoming", "charge/failed", "charge/max_retries_reached", "charge/refunded":
		return d.chargeRule
	case "charge/updated", "charge/uncaptured", "charge/deleted":
		return d.updateOnly
	case "order/upcoming", "order/processed", "order/created":
		return d.orderRule
	case "customer/created", "customer/updated", "customer/activated", "customer/deactivated":
		return d.customerRule
	case "customer/deleted":
		return d.customerDeleted
	}
	return d.subscriptionTable()
}

func (d *draft) subscriptionTable() func() {
	switch d.webhook.Topic {
	case "subscription/created":
		return d.subscriptionCreated
	case "subscription/activated":
		return d.subscriptionActivated
	case "subscription/cancelled":
		return d.subscriptionCancelled
	case "subscription/deleted":
		return d.subscriptionDeleted
	case "subscription/updated", "subscription/paused", "subscription/skipped", "subscription/unskipped", "subscription/swapped":
		return d.subscriptionFlows
	}
	return nil
}

// updateOnly is the rule of a topic that only updates the tables.
func (d *draft) updateOnly() { d.skip(reason.StateUpdated) }

// orderRule handles the topics of orders. One that was created is needed for its number, and where the store uses it.
func (d *draft) orderRule() {
	switch {
	case d.webhook.Topic != "order/created":
		d.orderFlows()
	case d.settings.Switches.FirstOrders:
		d.firstOrder()
	default:
		d.updateOnly()
	}
}

// skip sets the reason for no output, unless one is set.
func (d *draft) skip(why reason.Reason) {
	if d.out.Skip == "" {
		d.out.Skip = why
	}
}

// conclude makes sure that the decision has a reason if it has no output. With facts alone it keeps the reason why there is no text, if
// there is one.
func (d *draft) conclude(otherwise reason.Reason) {
	switch facts := len(d.out.Facts); {
	case d.out.count() > facts:
		d.out.Skip = ""
	case facts == 0:
		d.skip(otherwise)
	}
}

// dropUnwanted removes outputs that the store has disabled.
func (d *draft) dropUnwanted() {
	if !d.settings.SMS && len(d.out.Triggers)+len(d.out.Revocations) > 0 {
		d.out.Triggers, d.out.Revocations = nil, nil
		if d.out.Empty() {
			d.skip(reason.SMSOff)
		}
	}
}

// dropDuplicates removes facts that were emitted before, even if their webhook was encoded differently.
func (d *draft) dropDuplicates() {
	before := d.out.count()
	d.out.Facts = without(d.out.Facts, func(e Event) bool { return d.state.Emitted.has(e.ID) })
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
		if e.Type != EventProperty && e.Type != EventProfile { // which are emitted when they change
			d.state.Emitted.add(e.ID, d.receivedAt)
		}
	}
	for _, e := range d.out.Facts {
		d.state.Emitted.add(e.ID, d.receivedAt)
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
		d.out.Events[i].addressTo(d.settings.Store, who.customerID, who.email)
		d.linkPortal(&d.out.Events[i])
	}
	for i := range d.out.Facts {
		e := &d.out.Facts[i]
		email := ""
		if d.settings.Tracks(e.Status) {
			email = who.email
			d.linkPortal(e)
		}
		e.addressTo(d.settings.Store, who.customerID, email)
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
