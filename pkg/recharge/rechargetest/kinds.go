package rechargetest

import (
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// firstCheckout: the items are created in three lots, before, between and after the webhooks of the purchase.
func (b *burst) firstCheckout() {
	n := b.life.items()
	first, second := (n+1)/2, min(n/2, 1)
	paid, next := b.paid(1, "checkout"), b.fresh(2, n)
	slot := 400 * time.Millisecond / time.Duration(n+4)
	offset := -slot
	at := func() time.Duration { offset += slot; return offset }
	b.customer("customer/created", 0, 0)
	b.charge("charge/created", at(), next)
	for item := 1; item <= n; item++ {
		if item == first+1 {
			b.charge("charge/created", at(), paid)
		}
		if item == first+second+1 {
			b.order("order/created", at(), paid)
		}
		b.created(item, at(), slot)
	}
	b.restOfPurchase(n, first, second, at, paid)
	b.customer("customer/activated", at(), n)
	b.updates(n, 2*n, 3*n, next)
}

// restOfPurchase are the webhooks after the last item: with few items there was none to put them before.
func (b *burst) restOfPurchase(n, first, second int, at func() time.Duration, paid charge) {
	if n <= first {
		b.charge("charge/created", at(), paid)
	}
	if n <= first+second {
		b.order("order/created", at(), paid)
	}
	b.order("order/success", at(), paid)
	b.charge("charge/paid", at(), paid)
}

// created has an updated just before or after it.
func (b *burst) created(item int, offset, within time.Duration) {
	n := b.life.items()
	other := max(0, offset+b.between(-within, within))
	b.subscription("subscription/created", offset, b.active(item, 0), n)
	b.subscription("subscription/updated", other, b.active(item, 0), n)
}

// updates are spread over 90 s, the last one at their end.
func (b *burst) updates(n, subscriptions, charges int, queued charge) {
	for i := range subscriptions {
		offset := b.between(time.Second, 90*time.Second)
		b.subscription("subscription/updated", offset, b.active(i%n+1, offset), n)
	}
	for i := range charges {
		offset := b.between(time.Second, 90*time.Second)
		if i == 0 {
			offset = 90 * time.Second
		}
		b.charge("charge/updated", offset, queued.updatedAt(b.at(offset)))
	}
}

func (b *burst) renewal() {
	n := b.life.items()
	paid, next := b.paid(b.life.Past.Charges, "recurring"), b.fresh(b.life.Past.Charges+1, n)
	paid.created = whole(b.life.Past.QueuedAt)
	b.order("order/success", 0, paid)
	b.order("order/processed", b.between(20*time.Millisecond, 70*time.Millisecond), paid)
	b.order("order/created", b.between(80*time.Millisecond, 140*time.Millisecond), paid)
	b.charge("charge/updated", b.between(150*time.Millisecond, 220*time.Millisecond), paid)
	b.charge("charge/created", b.between(230*time.Millisecond, 300*time.Millisecond), next)
	b.charge("charge/paid", 300*time.Millisecond, paid)
	for i := range 2 * n {
		offset := b.between(time.Second, 60*time.Second)
		b.subscription("subscription/updated", offset, b.active(i%n+1, offset), n)
	}
	offset := b.between(time.Second, 60*time.Second)
	b.charge("charge/updated", offset, next.updatedAt(b.at(offset)))
	b.charge("charge/updated", 62*time.Second, paid.updatedAt(b.at(62*time.Second)))
}

// dateMoved: the first item's move creates a charge at the new date, the others' go over to it.
func (b *burst) dateMoved() {
	n := b.life.items()
	former, moved := b.queued(), b.fresh(b.life.Past.Charges+1, 0)
	moved.due = dueAfter(DateMoved, b.now)
	for item := 1; item <= n; item++ {
		offset := time.Duration(item-1) * 150 * time.Second / time.Duration(n)
		s := b.active(item, offset)
		s.due = moved.due
		b.subscription("subscription/updated", offset, s, n)
		former.items, moved.items = from(item+1, n), append(slices.Clone(moved.items), item)
		b.charge("charge/updated", offset+b.between(10*time.Millisecond, 100*time.Millisecond), former.updatedAt(b.at(offset)))
		topic := recharge.Topic("charge/updated")
		if item == 1 {
			topic = "charge/created"
		}
		b.charge(topic, offset+b.between(100*time.Millisecond, time.Second), moved.updatedAt(b.at(offset)))
	}
}

// cancellation takes one API call for each item.
func (b *burst) cancellation() {
	n := b.life.items()
	queued := b.queued()
	for item := 1; item <= n; item++ {
		offset := cancelOffset(item, n)
		s := b.cancelled(item, b.now.Add(offset))
		updated, cancelled := b.either(offset)
		b.subscription("subscription/updated", updated, s, n-item)
		b.subscription("subscription/cancelled", cancelled, s, n-item)
		queued.items, queued.active = from(item+1, n), n-item
		b.charge("charge/updated", offset+b.between(50*time.Millisecond, 150*time.Millisecond), queued.updatedAt(b.at(offset)))
	}
	end := cancelOffset(n, n) + 200*time.Millisecond
	b.charge("charge/updated", end, queued.updatedAt(b.at(end)))
	b.customer("customer/deactivated", end, 0)
}

// cancelOffset spreads the calls over 7 s.
func cancelOffset(item, n int) time.Duration {
	return time.Duration(item-1) * 7 * time.Second / time.Duration(n)
}

// reactivation gives each item a charge of its own, into which that of the one before is merged.
func (b *burst) reactivation() {
	n := b.life.items()
	for item := 1; item <= n; item++ {
		offset := time.Duration(item-1) * 60 * time.Second / time.Duration(n)
		s := b.active(item, offset)
		updated, activated := b.either(offset)
		b.subscription("subscription/updated", updated, s, item)
		b.subscription("subscription/activated", activated, s, item)
		made := b.fresh(b.life.Past.Charges+item, item).updatedAt(b.at(offset))
		made.created = made.updated
		b.charge("charge/created", offset+b.between(100*time.Millisecond, 300*time.Millisecond), made)
		b.charge("charge/updated", offset+b.between(300*time.Millisecond, time.Second), made)
		later := offset + b.between(time.Second, 6*time.Second)
		b.subscription("subscription/updated", later, b.active(item, later), item)
		if item == 1 {
			b.customer("customer/activated", offset+100*time.Millisecond, 1)
			continue
		}
		b.bare("charge/deleted", offset+b.between(time.Second, 6*time.Second), b.life.ChargeID(made.number-1))
	}
}

func (b *burst) deletion() {
	n := b.life.items()
	for item := 1; item <= n; item++ {
		offset := time.Duration(item-1) * 700 * time.Millisecond
		s, active := b.active(item, offset), n-item
		if at := b.life.Past.CancelledAt; !at.IsZero() {
			s, active = b.cancelled(item, at.Add(cancelOffset(item, n))), 0
			s.updated = b.at(offset)
		}
		b.subscription("subscription/deleted", offset, s, active)
	}
}
