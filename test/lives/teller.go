package lives

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Delivery is one webhook: what it tells, and when it was received.
type Delivery struct {
	Topic    string
	Received time.Time

	subscription *subscription
	charge       *charge
	customer     *customer // the resource itself, or included beside it
	noise        int       // tells nothing, and makes other bytes of it
}

type subscription struct {
	id                          int64
	status                      string
	product                     int
	created, updated, cancelled time.Time
}

type charge struct {
	id                          int64
	email, status, failure      string
	items                       []int64
	created, updated, processed time.Time
}

type customer struct {
	email, first, phone string
	active, total       int
	created, updated    time.Time
	bare                bool // the id is all there is
}

// teller is how things stand at Recharge while a life is told.
type teller struct {
	*rand.Rand
	n             int
	kind          Kind
	now           time.Time // of what happens
	customer      customer
	subscriptions []subscription // without those that were deleted
	items         int
	charges       int
	queued        charge
	burst         []Delivery
	past          []Delivery
	began         time.Time
}

func newTeller(s Shop, n int) *teller {
	t := &teller{Rand: dice(s, n), n: n, kind: kindOf(n), began: s.Now.UTC().Truncate(time.Second).Add(-lifetime)}
	t.customer = customer{email: fmt.Sprintf("c%d@example.com", n), first: "Ada", phone: fmt.Sprintf("+1503555%04d", n%10_000)}
	t.items = 1 + t.IntN(4)/3
	return t
}

// begin goes on to a burst.
func (t *teller) begin(nth int) {
	t.past, t.burst = append(t.past, t.burst...), nil
	t.now = t.began.Add(time.Duration(nth)*apart + time.Duration(t.IntN(3600))*time.Second)
}

// later lets time go by within a burst.
func (t *teller) later() { t.now = t.now.Add(2 * time.Second) }

// shown is the customer as an object of this moment shows them.
func (t *teller) shown() *customer {
	c := t.customer
	c.updated, c.total, c.active = t.now, len(t.subscriptions), 0
	for _, s := range t.subscriptions {
		if s.status == "active" {
			c.active++
		}
	}
	return &c
}

// beside is what is included beside a resource.
func (t *teller) beside(share float64) *customer {
	if t.kind == Nameless || t.kind == Unsure || t.Float64() >= share {
		return nil
	}
	return t.shown()
}

func (t *teller) tellCustomer(topic string) {
	if t.kind != Nameless && t.kind != Unsure {
		t.burst = append(t.burst, Delivery{Topic: topic, customer: t.shown()})
	}
}

func (t *teller) tellSubscription(topic string, s subscription, included float64) {
	t.burst = append(t.burst, Delivery{Topic: topic, subscription: &s, customer: t.beside(included)})
}

func (t *teller) tellCharge(topic string, c charge) {
	c.email = t.customer.email
	t.burst = append(t.burst, Delivery{Topic: topic, charge: &c, customer: t.beside(0.3)})
}

// checkout creates a customer, subscriptions and two charges: one that is paid, and the queued next.
func (t *teller) checkout() {
	t.customer.created = t.now
	t.tellCustomer("customer/created")
	t.later()
	for item := range t.items {
		t.subscriptions = append(t.subscriptions, subscription{
			id: subscriptionID(t.n, item), status: "active", product: 1, created: t.now, updated: t.now,
		})
	}
	for _, s := range t.subscriptions {
		t.tellSubscription("subscription/created", s, 1) // nothing is known yet
		if t.IntN(3) == 0 {
			t.tellSubscription("subscription/updated", s, 1)
		}
	}
	if t.IntN(4) == 0 {
		t.tellCustomer("customer/activated")
	}
	t.tellCharge("charge/created", t.paid(t.newCharge()))
	t.queue()
}

func (t *teller) newCharge() charge {
	c := charge{id: chargeID(t.n, t.charges), status: "queued", created: t.now, updated: t.now}
	t.charges++
	for _, s := range t.subscriptions {
		c.items = append(c.items, s.id)
	}
	return c
}

func (t *teller) queue() {
	t.queued = t.newCharge()
	t.tellCharge("charge/created", t.queued)
}

func (t *teller) paid(c charge) charge {
	c.status, c.updated, c.processed = "success", t.now, t.now
	return c
}

// renewal pays what was queued, and queues the next.
func (t *teller) renewal() {
	paid := t.paid(t.queued)
	t.tellCharge("charge/paid", paid)
	switch t.IntN(6) {
	case 0:
		t.tellCharge("charge/updated", paid) // never used
	case 1, 2:
		s := &t.subscriptions[0]
		s.updated = t.now
		t.tellSubscription("subscription/updated", *s, 0)
	}
	if t.IntN(2) == 0 {
		t.queue()
	}
}

// swap puts another product into a subscription.
func (t *teller) swap() {
	s := &t.subscriptions[t.IntN(len(t.subscriptions))]
	s.product, s.updated = s.product+1, t.now
	t.tellSubscription("subscription/swapped", *s, 1)
	t.tellSubscription("subscription/updated", *s, 1)
}

// change gives the customer another e-mail, name or phone; an object beside a subscription may be the first to show it.
func (t *teller) change() {
	switch t.IntN(4) {
	case 0:
		t.customer.first = "Bea"
	case 1:
		t.customer.phone = fmt.Sprintf("+1541555%04d", t.n%10_000)
	default:
		t.customer.email = fmt.Sprintf("moved%d@example.com", t.n)
	}
	t.tellCustomer("customer/updated")
	if t.IntN(2) == 0 {
		s := &t.subscriptions[0]
		s.updated = t.now
		t.tellSubscription("subscription/updated", *s, 1)
	}
}

// cancelAll cancels each subscription, one after the other. A snapshot of the same second may still show it active.
func (t *teller) cancelAll() {
	for i := range t.subscriptions {
		s := &t.subscriptions[i]
		s.updated = t.now
		stale := t.IntN(3) == 0
		if stale {
			t.tellSubscription("subscription/updated", *s, 1)
		}
		s.status, s.cancelled = "cancelled", t.now
		if !stale {
			t.tellSubscription("subscription/updated", *s, 1)
		}
		t.tellSubscription("subscription/cancelled", *s, 1)
		t.later()
	}
	t.now = t.now.Add(-2 * time.Second)
	if t.IntN(2) == 0 {
		t.tellCustomer("customer/deactivated")
	}
}

func (t *teller) reactivate() {
	for i := range t.subscriptions {
		s := &t.subscriptions[i]
		s.status, s.updated, s.cancelled = "active", t.now, time.Time{}
		t.tellSubscription("subscription/updated", *s, 1)
		t.tellSubscription("subscription/activated", *s, 1)
		t.later()
	}
	t.queue()
}

// deleteOne deletes a subscription beside which another goes on.
func (t *teller) deleteOne() {
	if len(t.subscriptions) > 1 {
		t.remove(0)
	} else {
		t.renewal()
	}
}

func (t *teller) deleteAll() {
	for len(t.subscriptions) > 0 {
		t.remove(0)
		t.later()
	}
}

func (t *teller) remove(i int) {
	gone := t.subscriptions[i]
	gone.updated = t.now
	t.subscriptions = slices.Delete(slices.Clone(t.subscriptions), i, i+1)
	t.tellSubscription("subscription/deleted", gone, 1)
}

// unpaid is a charge that fails for good. Recharge then cancels the subscriptions, or not, and says nothing.
func (t *teller) unpaid() {
	failed := t.queued
	failed.status, failed.failure, failed.updated = "error", "CARD_DECLINED", t.now
	t.tellCharge("charge/failed", failed)
	t.later()
	failed.failure, failed.updated = "CLOSED_MAX_RETRIES_REACHED", t.now
	t.tellCharge("charge/max_retries_reached", failed)
	if t.kind == LeftActive {
		return
	}
	t.later()
	for i := range t.subscriptions {
		s := &t.subscriptions[i]
		s.status, s.updated, s.cancelled = "cancelled", t.now, t.now
	}
}

// forgotten deletes the customer; what comes after may still say who it was, or may not.
func (t *teller) forgotten() {
	last, shown := t.subscriptions[0], t.shown()
	last.updated = t.now
	t.burst = append(t.burst, Delivery{Topic: "customer/deleted", customer: &customer{bare: true}})
	if t.IntN(2) == 0 {
		shown = nil
	}
	t.burst = append(t.burst,
		Delivery{Topic: "subscription/updated", subscription: &last, customer: shown},
		Delivery{Topic: "subscription/deleted", subscription: &last, customer: shown})
	t.subscriptions = nil
}

// echo is nothing but what was told before.
func (t *teller) echo() {
	for range 2 {
		t.burst = append(t.burst, t.past[t.IntN(len(t.past))])
	}
}
