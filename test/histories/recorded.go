package histories

import (
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Action is an action of a customer, for which Recharge sends a burst of webhooks.
type Action string

// The actions whose webhooks were recorded: a store in New Zealand, API version 2021-11, March and April 2024,
// https://github.com/darrylcousins/boxesapp, docs/src/sources/json/reports/*/log.json. With n items:
//
//	FirstCheckout  8 in 0.4 s for n = 4: charge/created (queued next), subscription/created x2, charge/created (success),
//	               subscription/created, order/created, subscription/created, order/success; no order/processed.
//	               Each created has an updated just before or after it; updates until 90 s, 4+7n in all
//	Renewal        in 0.3 s order/success, order/processed, order/created, charge/updated (success), charge/created
//	               (next, queued); charge/updated (success) again at 62 s; updates between, 7+2n in all
//	Upcoming       charge/upcoming, 1
//	DateMoved      subscription/updated and charge/updated within 2.5 min, one charge/created, 3n in all
//	Cancellation   n API calls in 7.2 s, each subscription/updated and subscription/cancelled in either order, 0.01 to
//	               0.1 s apart; charge/updated, 1+3n in all
//	Reactivation   subscription/updated and subscription/activated in either order, charge/created, charge/deleted
//	               until 66 s, 6n-1 in all
//	Deletion       subscription/deleted, n
//
// What the recordings do not show is assumed: which updates make up the rest of each count, and that the charge of each
// reactivated item is merged into the next one's.
const (
	FirstCheckout Action = "first_checkout"
	Renewal       Action = "renewal"
	Upcoming      Action = "upcoming"
	DateMoved     Action = "date_moved" // a "pause" by another date: no subscription/paused
	Cancellation  Action = "cancellation"
	Reactivation  Action = "reactivation"
	Deletion      Action = "deletion"
)

// Recorded returns the recorded actions, in an order that is possible for one customer.
func Recorded() []Action {
	return []Action{FirstCheckout, Upcoming, Renewal, DateMoved, Cancellation, Reactivation, Deletion}
}

func (a *Account) actions() map[Action]func() {
	return map[Action]func(){
		FirstCheckout: a.firstCheckout, Renewal: a.renewal, Upcoming: a.upcoming, DateMoved: a.dateMoved,
		Cancellation: a.cancellation, Reactivation: a.reactivation, Deletion: a.deletion,
		Failure: a.failure, Refund: a.refund, Relocation: a.relocation, Requeueing: a.requeueing,
		Swap: a.swap, Change: a.change, DeleteOne: a.deleteOne, FinalFailure: a.finalFailure, Erasure: a.erasure, Repetition: func() {},
	}
}

// firstCheckout creates the items in three groups: before, between and after the webhooks of the purchase.
func (a *Account) firstCheckout() {
	a.started = a.now
	n := a.items()
	first, second := (n+1)/2, min(n/2, 1)
	slot := 400 * time.Millisecond / time.Duration(n+4)
	offset := -slot
	at := func() time.Duration { offset += slot; return offset }
	a.customer("customer/created", 0, 0)
	for item := 1; item <= n; item++ {
		a.subscriptions = append(a.subscriptions, Subscription{
			Item: item, Status: "active", Product: item, Created: whole(a.now), Updated: whole(a.now), Due: inDays(intervalDays, a.now),
		})
	}
	paid := a.paid(a.fresh(a.remaining()))
	paid.Kind = "checkout"
	a.queued = a.fresh(a.remaining())
	a.charge("charge/created", at(), a.queued, n)
	for i := range n {
		if i == first {
			a.charge("charge/created", at(), paid, n)
		}
		if i == first+second {
			a.order("order/created", at(), paid, n)
		}
		a.created(i, at(), slot)
	}
	a.restOfPurchase(first, second, at, paid)
	if a.chance(0.25) {
		a.customer("customer/activated", at(), n)
	}
	a.updates(2*n, 90*time.Second, 1) // no other webhook may have included the customer yet
	a.chargeUpdates(3*n, 90*time.Second)
}

// restOfPurchase are the webhooks of the purchase that follow the last item.
func (a *Account) restOfPurchase(first, second int, at func() time.Duration, paid Charge) {
	n := a.items()
	if n <= first {
		a.charge("charge/created", at(), paid, n)
	}
	if n <= first+second {
		a.order("order/created", at(), paid, n)
	}
	a.order("order/success", at(), paid, n)
	a.charge("charge/paid", at(), paid, n)
}

// created adds subscription/created, with an updated just before or after it.
func (a *Account) created(i int, offset, within time.Duration) {
	n := a.items()
	other := max(0, offset+a.between(-within, within))
	a.subscription("subscription/created", offset, a.subscriptions[i], n, 1)
	if a.chance(0.3) {
		a.subscription("subscription/updated", other, a.subscriptions[i], n, 1)
	}
}

// touched returns a subscription that is updated at an offset.
func (a *Account) touched(i int, offset time.Duration) Subscription {
	s := &a.subscriptions[i]
	updated := a.at(offset)
	if updated.After(s.Updated) {
		s.Updated = updated
	}
	shown := *s
	shown.Updated = updated
	return shown
}

// updates are webhooks of subscriptions that change nothing, spread over a time.
func (a *Account) updates(count int, within time.Duration, included float64) {
	n := len(a.subscriptions)
	for i := range count {
		if offset := a.between(time.Second, within); a.chance(updatesSent) {
			a.subscription("subscription/updated", offset, a.touched(i%n, offset), a.active(), included)
		}
	}
}

// chargeUpdates adds updates of the queued charge, the first of them at the end.
func (a *Account) chargeUpdates(count int, within time.Duration) {
	for i := range count {
		offset := a.between(time.Second, within)
		if i == 0 {
			offset = within
		}
		if a.chance(updatesSent) {
			a.charge("charge/updated", offset, a.queued.updatedAt(a.at(offset)), a.active())
		}
	}
}

func (a *Account) upcoming() { a.charge("charge/upcoming", 0, a.queued, a.active()) }

func (a *Account) renewal() {
	n, paid := a.active(), a.paid(a.queued)
	a.order("order/success", 0, paid, n)
	a.order("order/processed", a.between(20*time.Millisecond, 70*time.Millisecond), paid, n)
	a.order("order/created", a.between(80*time.Millisecond, 140*time.Millisecond), paid, n)
	if a.chance(updatesSent) {
		a.charge("charge/updated", a.between(150*time.Millisecond, 220*time.Millisecond), paid, n)
	}
	a.queued = a.fresh(a.remaining())
	if a.chance(0.5) {
		a.charge("charge/created", a.between(230*time.Millisecond, 300*time.Millisecond), a.queued, n)
	}
	a.charge("charge/paid", 300*time.Millisecond, paid, n)
	a.updates(2*len(a.subscriptions), 60*time.Second, a.share(0))
	a.chargeUpdates(1, a.between(time.Second, 60*time.Second))
	if a.chance(updatesSent) {
		a.charge("charge/updated", 62*time.Second, paid.updatedAt(a.at(62*time.Second)), n)
	}
}

// dateMoved moves the items to another date: the first one creates a charge there, which the others join.
func (a *Account) dateMoved() {
	n, items := len(a.subscriptions), a.remaining()
	former, moved := a.queued, a.fresh(nil)
	moved.Due = inDays(2*intervalDays, a.now)
	for i := range n {
		offset := time.Duration(i) * 150 * time.Second / time.Duration(n)
		a.subscriptions[i].Due = moved.Due
		a.subscription("subscription/updated", offset, a.touched(i, offset), a.active(), 1)
		former.Items, moved.Items = items[i+1:], append(moved.Items, items[i])
		a.charge("charge/updated", offset+a.between(10*time.Millisecond, 100*time.Millisecond), former.updatedAt(a.at(offset)), a.active())
		topic := recharge.Topic("charge/updated")
		if i == 0 {
			topic = "charge/created"
		}
		a.charge(topic, offset+a.between(100*time.Millisecond, time.Second), moved.updatedAt(a.at(offset)), a.active())
	}
	a.queued = moved
}

// cancellation makes one API call for each item, spread over 7 s. In a sparse history a snapshot of the same second may still
// show a subscription as active.
func (a *Account) cancellation() {
	n, items := len(a.subscriptions), a.remaining()
	for i := range n {
		offset := time.Duration(i) * 7 * time.Second / time.Duration(n)
		updated, cancelled := a.either(offset)
		stale := a.Sparse && a.rng.IntN(3) == 0
		if stale {
			a.subscription("subscription/updated", updated, a.touched(i, offset), a.active(), 1)
		}
		a.cancel(i, offset)
		if !stale {
			a.subscription("subscription/updated", updated, a.subscriptions[i], a.active(), 1)
		}
		a.subscription("subscription/cancelled", cancelled, a.subscriptions[i], a.active(), 1)
		a.queued.Items = items[i+1:]
		if a.chance(updatesSent) {
			a.charge("charge/updated", offset+a.between(50*time.Millisecond, 150*time.Millisecond), a.queued.updatedAt(a.at(offset)), a.active())
		}
	}
	end := time.Duration(n-1)*7*time.Second/time.Duration(n) + 200*time.Millisecond
	a.charge("charge/updated", end, a.queued.updatedAt(a.at(end)), 0)
	if a.chance(0.5) {
		a.customer("customer/deactivated", end, 0)
	}
}

// cancel cancels an item. In 2021-11 the time has microseconds (recorded by https://github.com/mattgenious/RechargeSharp,
// cancel-subscription_200.json).
func (a *Account) cancel(i int, offset time.Duration) {
	precision := time.Microsecond
	if a.Version == recharge.Version202101 {
		precision = time.Second
	}
	s := &a.subscriptions[i]
	s.Status, s.Updated, s.Cancelled, s.Due = "cancelled", a.at(offset), a.now.Add(offset).UTC().Truncate(precision), ""
}

// reactivation creates a charge for each item and merges the previous item's charge into it.
func (a *Account) reactivation() {
	n, items := len(a.subscriptions), a.remaining()
	for i := range n {
		offset := time.Duration(i) * 60 * time.Second / time.Duration(n)
		s := &a.subscriptions[i]
		s.Status, s.Cancelled, s.Due = "active", time.Time{}, inDays(intervalDays, a.now)
		shown := a.touched(i, offset)
		updated, activated := a.either(offset)
		a.subscription("subscription/updated", updated, shown, i+1, 1)
		a.subscription("subscription/activated", activated, shown, i+1, 1)
		former := a.queued
		a.queued = a.fresh(items[:i+1]).updatedAt(a.at(offset))
		a.queued.Created = a.queued.Updated
		a.charge("charge/created", offset+a.between(100*time.Millisecond, 300*time.Millisecond), a.queued, i+1)
		if a.chance(updatesSent) {
			a.charge("charge/updated", offset+a.between(300*time.Millisecond, time.Second), a.queued, i+1)
		}
		if later := offset + a.between(time.Second, 6*time.Second); a.chance(updatesSent) {
			a.subscription("subscription/updated", later, a.touched(i, later), i+1, 1)
		}
		if i == 0 {
			a.customer("customer/activated", offset+100*time.Millisecond, 1)
			continue
		}
		a.add(Delivery{Topic: "charge/deleted", Offset: offset + a.between(time.Second, 6*time.Second), ID: a.ChargeID(former.Number)})
	}
}

func (a *Account) deletion() {
	for n := range len(a.subscriptions) {
		a.remove(time.Duration(n) * 700 * time.Millisecond)
	}
}

// remove deletes the first subscription.
func (a *Account) remove(offset time.Duration) {
	gone := a.subscriptions[0]
	gone.Updated = a.at(offset)
	a.subscriptions = slices.Clone(a.subscriptions[1:])
	a.subscription("subscription/deleted", offset, gone, a.active(), 1)
}
