package rechargetest

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// subscription and charge are what a body tells, whatever its spelling.
type subscription struct {
	item      int
	status    string // active, cancelled
	created   time.Time
	updated   time.Time
	cancelled time.Time
	due       recharge.Date
}

type charge struct {
	number    int
	status    string // success, queued
	kind      string // checkout, recurring
	items     []int
	active    int // the customer's count
	created   time.Time
	updated   time.Time
	processed time.Time // zero while queued
	due       recharge.Date
}

func (c charge) updatedAt(at time.Time) charge {
	c.updated = at
	return c
}

// active is an item that is active after an action at an offset.
func (b *burst) active(item int, offset time.Duration) subscription {
	return subscription{
		item: item, status: "active", created: whole(b.life.Past.Started), updated: b.at(offset), due: dueAfter(Renewal, b.now),
	}
}

// cancelled is an item since its cancellation, which has microseconds in 2021-11 (recorded by
// https://github.com/mattgenious/RechargeSharp, cancel-subscription_200.json).
func (b *burst) cancelled(item int, at time.Time) subscription {
	precision := time.Microsecond
	if b.life.Version == recharge.Version202101 {
		precision = time.Second
	}
	return subscription{
		item: item, status: "cancelled", created: whole(b.life.Past.Started), updated: whole(at), cancelled: at.UTC().Truncate(precision),
	}
}

// paid is a charge that succeeds now.
func (b *burst) paid(number int, kind string) charge {
	n := b.life.items()
	return charge{
		number: number, status: "success", kind: kind, items: from(1, n), active: n,
		created: b.at(0), updated: b.at(0), processed: b.at(0), due: recharge.Date(b.now.UTC().Format(time.DateOnly)),
	}
}

// fresh is a charge that is queued now, for the first n items.
func (b *burst) fresh(number, n int) charge {
	active := n
	if n == 0 {
		active = b.life.items()
	}
	return charge{
		number: number, status: "queued", kind: "recurring", items: from(1, n), active: active,
		created: b.at(0), updated: b.at(0), due: dueAfter(Renewal, b.now),
	}
}

// queued is the charge that was queued before.
func (b *burst) queued() charge {
	c := b.fresh(b.life.Past.Charges, b.life.items())
	c.created, c.due = whole(b.life.Past.QueuedAt), b.life.Past.Due
	return c
}

// from are the items first to last.
func from(first, last int) []int {
	items := []int{}
	for item := first; item <= last; item++ {
		items = append(items, item)
	}
	return items
}
