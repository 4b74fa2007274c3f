package flowstats

import (
	"cmp"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Within are the longest times from a text to what it is said to have led to.
type Within struct {
	OptOut      time.Duration
	Recovery    time.Duration
	Reactivated time.Duration
}

// Options say what is counted.
type Options struct {
	// Since leaves out texts that were planned on an earlier day; zero for all.
	Since time.Time
	// FirstDay, if given, is the date of that day in all time zones, such as 2026-03-01.
	FirstDay string
	// Flow leaves out the numbers of other flows; "" for all.
	Flow flow.Key
	// Zones are the time zones of the stores whose texts are counted, by name.
	Zones map[string]*time.Location
	Within
}

// counts reports whether a text is counted that was planned at a time.
func (o Options) counts(store string, at time.Time) bool {
	return o.Zones[store] != nil && (o.Since.IsZero() || o.dayOf(store, at) >= cmp.Or(o.FirstDay, o.dayOf(store, o.Since)))
}

// dayOf returns the date in the time zone of a store.
func (o Options) dayOf(store string, at time.Time) string {
	return at.In(o.Zones[store]).Format(time.DateOnly)
}

// longestDay is that on which clocks go back.
const longestDay = 25 * time.Hour

// start returns from when on topics are read: from the beginning of the first day, wherever a store is.
func (o Options) start() time.Time {
	if o.Since.IsZero() {
		return o.Since
	}
	return o.Since.Add(-longestDay)
}

// Counter counts the texts of one partition. First it gets all changes, then what followed.
type Counter struct {
	options   Options
	texts     map[string]*text // by ID
	customers map[customer][]*text
}

// customer identifies a customer: the name of the store and Recharge's ID.
type customer struct{ store, id string }

// NewCounter returns a counter without texts.
func NewCounter(o Options) *Counter {
	return &Counter{options: o, texts: map[string]*text{}, customers: map[customer][]*text{}}
}

// Changed takes up a change of a text. The changes of a text come in their order. A text whose first change is missing was planned earlier, and
// is left out.
func (c *Counter) Changed(m message.Change) {
	known := c.texts[m.ID]
	if known == nil {
		if m.Change != 1 || !c.options.counts(m.Store, m.At) {
			return
		}
		known = &text{store: m.Store, day: c.options.dayOf(m.Store, m.At)}
		c.texts[m.ID] = known
		who := customer{m.Store, m.RechargeCustomerID}
		c.customers[who] = append(c.customers[who], known)
	}
	known.apply(m)
}

// Happened takes up an event that may be an outcome: a charge is paid, a subscription is active again.
func (c *Counter) Happened(e subscriber.Event) {
	o, is := c.outcomeOf(e)
	if !is {
		return
	}
	for _, t := range c.customers[customer{e.Store, e.RechargeCustomerID}] {
		if o.of(t.flow) && t.isAbout(o.item) && t.isBefore(e.OccurredAt, o.within) {
			o.set(t)
		}
	}
}

// outcome is what an event says about the texts of flows.
type outcome struct {
	item   string // the resource
	of     func(flow.Key) bool
	within time.Duration
	set    func(*text)
}

func (c *Counter) outcomeOf(e subscriber.Event) (o outcome, is bool) {
	switch {
	case e.Charge != nil && e.Type == subscriber.EventCharge && e.Status == subscriber.StatusPaid:
		return outcome{"charge/" + e.Charge.ID, recovers, c.options.Recovery, func(t *text) { t.recovered = true }}, true
	case e.Subscription != nil && e.Type == subscriber.EventSubscription && e.Status == subscriber.StatusActivated:
		return outcome{"subscription/" + e.Subscription.ID, reactivates, c.options.Reactivated, func(t *text) { t.reactivated = true }}, true
	}
	return o, false
}

// OptedOut takes up that the number of a customer has opted out.
func (c *Counter) OptedOut(store, customerID string, at time.Time) {
	for _, t := range c.customers[customer{store, customerID}] {
		t.optedOut = t.optedOut || t.isBefore(at, c.options.OptOut)
	}
}

// addTo adds the numbers of all texts.
func (c *Counter) addTo(all sums) {
	for _, t := range c.texts {
		counted := sums{}
		t.count(counted)
		for at, n := range counted {
			if c.options.Flow == "" || at.flow == c.options.Flow {
				all.add(at, n)
			}
		}
	}
}

// Rows returns the numbers by store, day and flow.
func (c *Counter) Rows() []Row {
	all := sums{}
	c.addTo(all)
	return all.rows()
}
