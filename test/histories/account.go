package histories

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Account is a customer's data at Recharge in the course of their history.
type Account struct {
	Customer
	// Sparse leaves out most of the recorded updates, which change nothing, and some customer objects.
	Sparse bool

	version version // of bodies
	rng     *rand.Rand
	burst   []Delivery
	action  Action    // the last one
	now     time.Time // of the action

	person        Person
	started       time.Time      // of the first checkout
	subscriptions []Subscription // by item, without those that were deleted
	charges       int            // so far
	queued        Charge

	// what the API shows: the time of the newest customer object, charges by id
	objectAt time.Time
	shown    map[string]Charge
	erased   bool
}

// Open returns an account before its first checkout.
func (c Customer) Open() *Account {
	return &Account{
		Customer: c, person: c.person(),
		rng: rand.New(rand.NewPCG(c.Seed, uint64(c.Number))), //nolint:gosec // reproducible, not secret
	}
}

// Burst are the webhooks that arrive for an action of a customer who had their first checkout 30 days ago and no action since.
func (c Customer) Burst(action Action, now time.Time) []Delivery {
	a := c.Open()
	if action != FirstCheckout {
		a.Burst(FirstCheckout, now.AddDate(0, 0, -intervalDays))
	}
	return a.Burst(action, now)
}

// Body returns the response to GET /customers/{id} for a customer with a number of active subscriptions.
func (c Customer) Body(active int, at time.Time) []byte {
	object := &CustomerObject{Person: c.person(), Active: active, Total: c.items(), Created: at.AddDate(0, 0, -intervalDays), Updated: at}
	return Delivery{of: c, version: newVersion(c.Version), Customer: object}.Body()
}

// Burst are the webhooks that Recharge sends for an action at now, in the order of arrival. Times in bodies are those of the
// action, so never after the arrival; updated_at is in whole seconds, and webhooks of one action agree in it.
func (a *Account) Burst(action Action, now time.Time) []Delivery {
	a.action, a.now, a.burst = action, now, nil
	a.actions()[action]()
	return inOrder(a.burst)
}

// subscription adds a webhook about one item of a customer with active active subscriptions; included is the probability that
// the body has the customer object.
func (a *Account) subscription(topic recharge.Topic, offset time.Duration, s Subscription, active int, included float64) {
	id := a.SubscriptionID(s.Item)
	if topic == "subscription/deleted" && a.Version == recharge.Version202101 {
		a.add(Delivery{Topic: topic, Offset: offset, ID: id})
		return
	}
	if a.Version == recharge.Version202101 {
		s.Email = a.person.Email
	}
	a.add(Delivery{Topic: topic, Offset: offset, ID: id, Subscription: &s, Customer: a.included(active, s.Updated, included)})
}

// The shares of the recorded webhooks in a sparse history.
const (
	chargesIncluded = 0.3 // charges and orders that include their customer
	updatesSent     = 0.15
)

// charge adds a webhook about a charge.
func (a *Account) charge(topic recharge.Topic, offset time.Duration, c Charge, active int) {
	c.Person, c.Items = a.person, slices.Clone(c.Items)
	a.add(Delivery{Topic: topic, Offset: offset, ID: a.ChargeID(c.Number), Charge: &c, Customer: a.included(active, c.Updated, a.share(chargesIncluded))})
}

// order adds a webhook about the order of a charge.
func (a *Account) order(topic recharge.Topic, offset time.Duration, c Charge, active int) {
	c.Person, c.Created = a.person, c.Processed
	a.add(Delivery{Topic: topic, Offset: offset, ID: a.OrderID(c.Number), Order: &c, Customer: a.included(active, c.Updated, a.share(chargesIncluded))})
}

// customer adds a webhook about the customer.
func (a *Account) customer(topic recharge.Topic, offset time.Duration, active int) {
	a.add(Delivery{Topic: topic, Offset: offset, ID: a.ID(), Customer: a.object(active, a.at(offset))})
}

func (a *Account) object(active int, updated time.Time) *CustomerObject {
	if updated.After(a.objectAt) {
		a.objectAt = updated
	}
	return &CustomerObject{Person: a.person, Active: active, Total: len(a.subscriptions), Created: whole(a.started), Updated: updated}
}

func (a *Account) included(active int, updated time.Time, probability float64) *CustomerObject {
	if !a.Included || a.rng.Float64() >= probability {
		return nil
	}
	return a.object(active, updated)
}

// share returns 1 unless the history is sparse.
func (a *Account) share(sparse float64) float64 {
	if a.Sparse {
		return sparse
	}
	return 1
}

func (a *Account) chance(share float64) bool { return a.rng.Float64() < a.share(share) }

func (a *Account) add(d Delivery) {
	a.show(d)
	if a.registered(d.Topic) {
		if a.version == nil {
			a.version = newVersion(a.Version)
		}
		d.of, d.version = a.Customer, a.version
		a.burst = append(a.burst, d)
	}
}

// at is the time in a body of something at an offset.
func (a *Account) at(offset time.Duration) time.Time { return whole(a.now.Add(offset)) }

func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// between returns a random duration.
func (a *Account) between(low, high time.Duration) time.Duration {
	return low + time.Duration(a.rng.Int64N(int64(high-low)))
}

// either returns two offsets, 0.01 to 0.1 s apart, in either order.
func (a *Account) either(offset time.Duration) (one, other time.Duration) {
	later := offset + a.between(10*time.Millisecond, 100*time.Millisecond)
	if a.rng.IntN(2) == 0 {
		return offset, later
	}
	return later, offset
}

// active is the number of active subscriptions.
func (a *Account) active() int {
	n := 0
	for _, s := range a.subscriptions {
		if s.Status == "active" {
			n++
		}
	}
	return n
}

// remaining returns the items that are not deleted.
func (a *Account) remaining() []int {
	items := make([]int, len(a.subscriptions))
	for i, s := range a.subscriptions {
		items[i] = s.Item
	}
	return items
}

const intervalDays = 30

func inDays(days int, now time.Time) recharge.Date {
	return recharge.Date(now.UTC().AddDate(0, 0, days).Format(time.DateOnly))
}

// fresh returns a charge that is queued now, for some items.
func (a *Account) fresh(items []int) Charge {
	a.charges++
	return Charge{
		Number: a.charges, Status: "queued", Kind: "recurring", Items: items, Created: a.at(0), Updated: a.at(0), Due: inDays(intervalDays, a.now),
	}
}

// paid returns a charge that succeeds now.
func (a *Account) paid(c Charge) Charge {
	c.Status, c.Updated, c.Processed, c.Failure, c.Attempts, c.Retry = "success", a.at(0), a.at(0), "", 0, ""
	c.Due = inDays(0, a.now)
	return c
}

func (c Charge) updatedAt(at time.Time) Charge {
	c.Updated = at
	return c
}
