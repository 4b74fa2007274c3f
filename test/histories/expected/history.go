package expected

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/test/histories"
)

// Result is the expected result of a history.
type Result struct {
	// Events are the expected events of the webhooks, in the order of arrival.
	Events []Event
	// LookedUp are the events of lookups, whenever these are answered.
	LookedUp []Event
	// DeadLetters is the number of webhooks about an unknown customer.
	DeadLetters int
	// Properties are the final values of recharge_subscription_active, by e-mail.
	Properties map[string]bool
	Rows       map[string]string // by key, of all tables; a row that is not there is deleted
	// Facts are those of recharge.facts, sorted. Changed has those that compare a webhook with the one before, unless lookups may come
	// between.
	Facts, Changed []Event
	Listed         bool // subscriptions are looked up
}

// Of computes the expected result of a history whose webhooks arrive in its order.
func Of(h histories.History) Result { return Arrived(h, slices.Concat(h.Bursts...)) }

// computation is an unfinished result.
type computation struct {
	state

	history histories.History
	events  []Event // of the webhook at hand
	result  Result
}

// Arrived computes the expected result of a history of which these webhooks arrived, in that order.
func Arrived(h histories.History, arrived []histories.Delivery) Result {
	c := computation{
		history: h, state: newState(map[string]bool{}), result: Result{Properties: map[string]bool{}, Listed: h.Listed()},
	}
	for _, d := range arrived {
		c.webhook(d)
		slices.SortFunc(c.events, compare) // the events of one webhook have no order
		c.result.Events = append(c.result.Events, c.events...)
		c.events = nil
	}
	c.answers()
	c.result.Rows = c.rows(h.Customer)
	slices.SortFunc(c.result.Facts, compare)
	slices.SortFunc(c.result.Changed, compare)
	return c.result
}

// unused are topics without an effect (docs/webhooks.md).
func unused(topic string) bool {
	return topic == "order/success"
}

func (c *computation) webhook(d histories.Delivery) {
	switch {
	case unused(string(d.Topic)):
		return
	case d.Topic == "customer/deleted":
		c.erase()
		return
	case d.Topic == "charge/deleted":
		c.deleteCharge(d.ID)
		return
	case d.Bare(): // a subscription/deleted of API version 2021-01 names no customer
		c.result.DeadLetters++
		return
	}
	c.lookUp(d)
	if c.erased {
		c.late(d)
		return
	}
	before := c.customer
	c.emitFacts(d)
	c.apply(d)
	for _, f := range facts(d) {
		c.emit(f, c.email())
	}
	c.change(before, d.Customer)
	c.emitActive()
}

// lookUp looks the customer up if their e-mail is unknown, or their own phone for a text.
func (c *computation) lookUp(d histories.Delivery) {
	answer := c.history.Answer()
	if answer == nil || c.lookedUp || c.email()+mentioned(d) != "" && !texts(d) {
		return
	}
	c.lookedUp = true
	c.applyCustomer(answer)
}

// texts reports whether a webhook can be about a text.
func texts(d histories.Delivery) bool {
	switch d.Topic {
	case "subscription/created", "subscription/activated", "subscription/cancelled", "subscription/paused", "subscription/skipped",
		"charge/paid", "charge/upcoming", "charge/failed", "charge/max_retries_reached", "order/upcoming", "order/processed":
		return true
	}
	return false
}

// fact is a fact: what defines it, and its time.
type fact struct {
	name string
	id   string
	mark string // of a fact that may happen again
	at   time.Time
}

func (f fact) key() string { return f.name + " " + f.id + " " + f.mark }

// facts are those of a webhook, by its topic.
func facts(d histories.Delivery) []fact {
	s, c := d.Subscription, d.Charge
	switch d.Topic {
	case "subscription/created":
		return []fact{{name: "subscription created", id: d.ID, at: s.Created}}
	case "subscription/activated":
		return []fact{{name: "subscription activated", id: d.ID, mark: Stamp(s.Updated), at: s.Updated}}
	case "subscription/cancelled":
		return []fact{{name: "subscription canceled", id: d.ID, mark: Stamp(s.Cancelled.Truncate(time.Second)), at: s.Cancelled}}
	case "subscription/deleted":
		return []fact{{name: "subscription deleted", id: d.ID, at: d.Received}}
	case "charge/created":
		created := []fact{{name: "subscription_charge created", id: d.ID, at: c.Created}}
		if c.Status == "success" {
			created = append(created, fact{name: "subscription_charge paid", id: d.ID, at: c.Processed})
		}
		return created
	case "charge/paid":
		return []fact{{name: "subscription_charge paid", id: d.ID, at: c.Processed}}
	}
	return nil
}

// emitFacts adds the facts of a webhook that recharge.facts has, unless they were added before.
func (c *computation) emitFacts(d histories.Delivery) {
	add := func(list *[]Event, facts []fact) {
		for _, f := range facts {
			if !c.emitted[f.key()] {
				c.emitted[f.key()] = true
				*list = append(*list, Event{Name: f.name, ID: f.id, At: Stamp(f.at)})
			}
		}
	}
	add(&c.result.Facts, factsOf(d))
	add(&c.result.Changed, c.changes(d))
}

// emit adds the event of a fact unless it was added before.
func (c *computation) emit(f fact, to string) {
	if !c.emitted[f.key()] {
		c.emitted[f.key()] = true
		c.events = append(c.events, Event{Name: f.name, ID: f.id, At: Stamp(f.at), To: to})
	}
}

// change adds the event of a changed customer, if this is the newest object.
func (c *computation) change(before, shown *histories.CustomerObject) {
	if before == nil || shown == nil || shown.Updated.Before(before.Updated) {
		return
	}
	var changed []string
	if shown.Email != before.Email {
		changed = append(changed, "email from "+before.Email)
	}
	if shown.FirstName != before.FirstName {
		changed = append(changed, "first_name")
	}
	if shown.Phone != before.Phone {
		changed = append(changed, "phone")
	}
	f := fact{name: "customer_change", id: c.history.ID(), mark: Stamp(shown.Updated)}
	if len(changed) > 0 && !c.emitted[f.key()] {
		c.emitted[f.key()] = true
		c.events = append(c.events, Event{Name: f.name, ID: f.id, At: f.mark, To: c.email(), More: strings.Join(changed, ",")})
	}
}

// emitActive adds the property if it changed, also for the old profile after a changed e-mail. On a new profile it is not older than
// the object that has the e-mail.
func (c *computation) emitActive() {
	value, at, certain := c.active()
	if !certain {
		return
	}
	to, last := c.email(), c.property
	switch {
	case last == nil || last.to != to:
		if last != nil && last.value {
			c.emitProperty(false, at, last.to)
		}
		if c.emailAt().After(at) {
			at = c.emailAt()
		}
	case last.value == value:
		return
	}
	c.emitProperty(value, at, to)
}

// emitProperty adds the property with a time that is later than the last one.
func (c *computation) emitProperty(value bool, at time.Time, to string) {
	at = at.Truncate(time.Microsecond)
	if c.property != nil && !at.After(c.property.at) {
		at = c.property.at.Add(time.Microsecond)
	}
	c.property = &active{value: value, at: at, to: to}
	c.result.Properties[to] = value
	c.events = append(c.events, Event{Name: property, ID: c.history.ID(), At: Stamp(at), To: to, More: fmt.Sprint(value)})
}

// erase removes the state, but not the emitted facts. The property is a microsecond after the newest object.
func (c *computation) erase() {
	if c.property != nil && c.property.value {
		c.emitProperty(false, c.last().Add(time.Microsecond), c.property.to)
	}
	charges := c.charges
	c.state = newState(c.emitted)
	c.erased = true
	for id, charge := range charges { // what was paid is the shop's revenue
		if charge.Status == "success" && !charge.deleted {
			c.charges[id] = charge
		}
	}
}

// late adds the outputs of a webhook after the erasure: a new fact is emitted for the customer that the body names, if any.
func (c *computation) late(d histories.Delivery) {
	to := mentioned(d)
	if d.Customer != nil {
		to = d.Customer.Email
	}
	for _, f := range facts(d) {
		switch {
		case c.emitted[f.key()]:
		case to != "":
			c.emit(f, to)
		default:
			c.result.DeadLetters++
			return
		}
	}
	c.emitFacts(d)
}

// newState returns the state before any webhook, with the facts that were emitted.
func newState(emitted map[string]bool) state {
	return state{
		snapshots: map[string]*snapshot{}, charges: map[string]*charge{}, deletions: map[string]bool{}, swapped: map[string]time.Time{}, emitted: emitted,
	}
}

// answers adds the events of the lookup of subscriptions: cancellations without a webhook, and the property.
func (c *computation) answers() {
	if !c.history.Listed() || c.history.Kind == histories.LeftActive {
		return
	}
	silent := c.history.Kind == histories.CancelledSilently
	if _, _, certain := c.active(); certain && !silent {
		return
	}
	c.complete = true
	for _, s := range c.history.Final() {
		topic, id := "list", c.history.SubscriptionID(s.Item)
		if silent {
			topic = "subscription/cancelled"
			c.emit(facts(histories.Delivery{Topic: "subscription/cancelled", ID: id, Subscription: &s})[0], c.email())
		}
		c.applySubscription(topic, id, s, time.Time{})
		c.snapshots[id].silent = silent
	}
	c.emitActive()
	c.result.LookedUp, c.events = c.events, nil
}
