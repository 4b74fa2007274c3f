package histories

import (
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// The actions of which no arrival is recorded. Their webhooks are documented, the order and times are assumed.
const (
	// Swap puts another product into a subscription.
	Swap Action = "swap"
	// Change gives the customer another e-mail, name or phone; an object included with a subscription may be the first to show it.
	Change Action = "change"
	// DeleteOne deletes one of several subscriptions. With a single one, and in API version 2021-01, whose webhook names no
	// customer, it is a renewal.
	DeleteOne Action = "delete_one"
	// FinalFailure is a charge that fails finally. Recharge then cancels the subscriptions or not, without a webhook.
	FinalFailure Action = "final_failure"
	// Failure is an attempt of the queued charge that fails and will be repeated.
	Failure Action = "failure"
	// Refund gives back a quarter of the last paid charge, each time another one. Its webhook is charge/refunded, which AssumedTopics lacks.
	Refund Action = "refund"
	// Relocation moves the subscriptions and the queued charge to another address.
	Relocation Action = "relocation"
	// Requeueing deletes the queued charge and creates another one.
	Requeueing Action = "requeueing"
	// Erasure deletes the customer. Later webhooks may or may not name them.
	Erasure Action = "erasure"
	// Repetition sends only duplicates of former webhooks.
	Repetition Action = "repetition"
)

func (a *Account) swap() {
	i := a.rng.IntN(len(a.subscriptions))
	a.subscriptions[i].Product += 10
	shown := a.touched(i, 0)
	a.subscription("subscription/swapped", 0, shown, a.active(), 1)
	a.subscription("subscription/updated", a.between(time.Millisecond, time.Second), shown, a.active(), 1)
}

func (a *Account) change() {
	switch a.rng.IntN(4) {
	case 0:
		a.person.FirstName = "Bea"
	case 1:
		a.person.Phone = fmt.Sprintf("+1541555%04d", (a.Number+5000)%10_000)
	default:
		a.person.Email = fmt.Sprintf("moved%07d@example.com", a.Number)
	}
	a.customer("customer/updated", 0, a.active())
	if a.rng.IntN(2) == 0 {
		a.subscription("subscription/updated", a.between(time.Millisecond, time.Second), a.touched(0, 0), a.active(), 1)
	}
}

func (a *Account) deleteOne() {
	if len(a.subscriptions) == 1 || a.Version == recharge.Version202101 {
		a.renewal()
		return
	}
	a.remove(0)
}

func (a *Account) finalFailure() {
	failed := a.queued
	failed.Status, failed.Failure, failed.Updated = "error", "CARD_DECLINED", a.at(0)
	a.charge("charge/failed", 0, failed, a.active())
	failed.Failure, failed.Updated = "CLOSED_MAX_RETRIES_REACHED", a.at(2*time.Second)
	a.charge("charge/max_retries_reached", 2*time.Second, failed, a.active())
}

func (a *Account) failure() {
	c := &a.queued
	c.Status, c.Failure, c.Attempts, c.Updated, c.Retry = "error", "CARD_DECLINED", c.Attempts+1, a.at(0), inDays(3, a.now)
	c.Attempted = c.Updated
	a.charge("charge/failed", 0, *c, a.active())
	a.charge("charge/updated", a.between(time.Millisecond, time.Second), *c, a.active())
}

func (a *Account) refund() {
	var last Charge
	for _, c := range a.shown {
		if !c.Processed.IsZero() && c.Number > last.Number {
			last = c
		}
	}
	last.Status, last.Refunds, last.Updated = "partially_refunded", last.Refunds+total(last.Items)/4, a.at(0)
	a.charge("charge/refunded", 0, last, a.active())
	a.charge("charge/updated", a.between(time.Millisecond, time.Second), last, a.active())
}

func (a *Account) relocation() {
	for i := range a.subscriptions {
		a.subscriptions[i].Moved++
		a.subscription("subscription/updated", a.between(0, time.Second), a.touched(i, 0), a.active(), 1)
	}
	a.queued.Updated = a.at(time.Second)
	a.charge("charge/updated", time.Second, a.queued, a.active())
}

func (a *Account) requeueing() {
	a.add(Delivery{Topic: "charge/deleted", ID: a.ChargeID(a.queued.Number)})
	a.queued = a.fresh(a.remaining())
	a.charge("charge/created", a.between(time.Millisecond, time.Second), a.queued, a.active())
}

// cancelSilently cancels the subscriptions after a final failure, without a webhook.
func (a *Account) cancelSilently() {
	for i := range a.subscriptions {
		a.cancel(i, 4*time.Second)
	}
}

func (a *Account) erasure() {
	a.add(Delivery{Topic: "customer/deleted", ID: a.ID()})
	last, named := a.touched(0, 0), float64(a.rng.IntN(2))
	a.subscription("subscription/updated", 2*time.Second, last, a.active(), named)
	a.subscription("subscription/deleted", 3*time.Second, last, a.active(), named)
	a.subscriptions, a.erased = nil, true
}
