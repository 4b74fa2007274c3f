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
	// KeepOldProfile leaves the property of a profile as it is whose customer has another e-mail now; else it is set to
	// FALSE there.
	KeepOldProfile bool
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
	SkipTold            Skip = "already_told"              // all that it tells was told before
	SkipContradicted    Skip = "contradicted"              // what it would tell by text was undone later
	SkipNothingChanged  Skip = "nothing_changed"           // a customer whose address, name and number are as they were
	SkipLeftActive      Skip = "left_active"               // a charge failed for good, and its subscriptions stay active
	SkipLearnt          Skip = "learnt"                    // an answer of the API, an import: known now, nothing to tell
	SkipPropertyOff     Skip = "active_property_off"       // it would only set the property, and the store doesn't want it
)

// Decision is what a webhook is worth. Skip is set when all lists are empty.
type Decision struct {
	Events      []Event
	Triggers    []Trigger
	Revocations []Revocation
	Skip        Skip
	// Asks are what the API should be asked for; the answers come in as lookups. Nothing waits for them.
	Asks []Ask
}

// Empty reports whether the webhook has no output.
func (d Decision) Empty() bool {
	return len(d.Events)+len(d.Triggers)+len(d.Revocations) == 0
}

// Decide says what a webhook means for a store, given what is known of its customer, and what is known afterwards.
// receivedAt is when the gateway took it. When neither the webhook nor the memory tell who the customer is, the error is a
// *LookupNeeded: keep the webhook, ask the API, Learn its answer and decide again. ErrCustomerUnknown says that nobody can
// tell. After an error the memory is what it was.
func Decide(s Settings, m *Memory, w recharge.Webhook, receivedAt time.Time) (Decision, *Memory, error) {
	before := m.aged(receivedAt)
	d := draft{settings: s, webhook: w, receivedAt: receivedAt.UTC(), before: before, memory: before.clone(), customerID: w.CustomerID()}
	if d.table() == nil {
		return Decision{Skip: SkipTopicNotUsed}, m, nil
	}
	if w.Customer != nil && w.Customer.ID != d.customerID { // somebody else's says nothing of this one
		d.webhook.Customer = nil
	}
	d.memory.absorb(d.webhook, d.receivedAt)
	d.table()()
	d.customerChange()
	d.dropUnwanted()
	d.dropTold()
	d.dropContradicted()
	if err := d.address(); err != nil {
		return Decision{}, m, err
	}
	if d.gone {
		d.forget()
	}
	if err := d.flag(); err != nil {
		return Decision{}, m, err
	}
	d.ask()
	d.rememberTold()
	d.conclude(SkipNoFact)
	return d.out, d.memory, nil
}

// Uses reports whether anything ever comes of a topic.
func Uses(topic recharge.Topic) bool {
	d := draft{webhook: recharge.Webhook{Topic: topic}}
	return d.table() != nil
}

// draft is a decision in the making.
type draft struct {
	settings   Settings
	webhook    recharge.Webhook
	receivedAt time.Time
	before     *Memory // what was known
	memory     *Memory // what is known now
	customerID string  // "" when the webhook names none
	out        Decision
	// imported says that it is no webhook, and happened before us.
	imported bool
	// gone says that the customer was deleted.
	gone bool
}

// needs says what the outputs must know of the customer.
func (d *draft) needs() needs {
	return needs{destinationID: len(d.out.Events) > 0, phone: len(d.out.Triggers) > 0}
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
	case "customer/deleted":
		return d.customerDeleted
	}
	return nil
}

// skip notes why there is no output; the first reason stays.
func (d *draft) skip(why Skip) {
	if d.out.Skip == "" {
		d.out.Skip = why
	}
}

// conclude makes sure that there is a reason where there is no output, and none else.
func (d *draft) conclude(otherwise Skip) {
	d.skip(otherwise)
	if !d.out.Empty() {
		d.out.Skip = ""
	}
}

// dropUnwanted takes out what the store has switched off.
func (d *draft) dropUnwanted() {
	if !d.settings.SMS && len(d.out.Triggers)+len(d.out.Revocations) > 0 {
		d.out.Triggers, d.out.Revocations = nil, nil
		if len(d.out.Events) == 0 {
			d.skip(SkipSMSOff)
		}
	}
}

// dropTold takes out what was told before, whatever bytes it came in.
func (d *draft) dropTold() {
	before := len(d.out.Events) + len(d.out.Triggers) + len(d.out.Revocations)
	d.out.Events = without(d.out.Events, func(e Event) bool { return d.memory.told.has(e.ID) })
	d.out.Triggers = without(d.out.Triggers, func(t Trigger) bool { return d.memory.told.has(t.ID) })
	d.out.Revocations = without(d.out.Revocations, func(r Revocation) bool { return d.memory.told.has(r.ID) })
	if before > 0 && d.out.Empty() {
		d.skip(SkipTold)
	}
}

// dropContradicted takes out triggers that something later has undone. They count as told: should what undid them be undone
// itself, that is another fact.
func (d *draft) dropContradicted() {
	d.out.Triggers = without(d.out.Triggers, func(t Trigger) bool {
		if !d.memory.contradicted(d.settings.Store, t) {
			return false
		}
		d.memory.told.add(t.ID, d.receivedAt)
		d.skip(SkipContradicted)
		return true
	})
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

// rememberTold makes sure that nothing is told twice.
func (d *draft) rememberTold() {
	for _, e := range d.out.Events {
		if e.Type != EventProperty { // which is told when it changes
			d.memory.told.add(e.ID, d.receivedAt)
		}
	}
	for _, t := range d.out.Triggers {
		d.memory.told.add(t.ID, d.receivedAt)
	}
	for _, r := range d.out.Revocations {
		d.memory.told.add(r.ID, d.receivedAt)
	}
	d.memory.told.forget(d.receivedAt)
}

// address fills in the customer.
func (d *draft) address() error {
	if d.out.Empty() {
		return nil
	}
	who, err := identify(d.settings, d.customerID, d.webhook, d.memory, d.needs())
	if err != nil {
		return err
	}
	for i := range d.out.Events {
		e := &d.out.Events[i]
		e.Store, e.RechargeCustomerID = d.settings.Store, who.customerID
		e.CustomerIDs = map[string]string{d.settings.CustomerIDName: who.destinationID}
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
