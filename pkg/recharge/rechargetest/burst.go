package rechargetest

import (
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Burst is what Recharge sends when kind happens at now, in the order of arrival. With n items:
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
// Source: as for the kinds. What the recordings do not tell is assumed: which updates make up the rest of each count, and
// that the charge of each reactivated item is merged into the next one's. Times in bodies are those of the action, so never
// after the arrival; updated_at is in whole seconds, and webhooks of one action agree in it.
func (l Life) Burst(kind Kind, now time.Time) []Delivery {
	l.Past = l.past(kind, now)
	b := burst{
		life: l, spelling: l.spelling(), now: now,
		rng: rand.New(rand.NewPCG(l.Seed, uint64(l.Customer))), //nolint:gosec // reproducible, not secret
	}
	switch kind {
	case FirstCheckout:
		b.firstCheckout()
	case Renewal:
		b.renewal()
	case Upcoming:
		b.charge("charge/upcoming", 0, b.queued())
	case DateMoved:
		b.dateMoved()
	case Cancellation:
		b.cancellation()
	case Reactivation:
		b.reactivation()
	case Deletion:
		b.deletion()
	}
	return inOrder(b.deliveries)
}

// burst is one in the making. Offsets are of the arrival; the time of the action stands in what is told.
type burst struct {
	life       Life
	spelling   spelling
	now        time.Time
	rng        *rand.Rand
	deliveries []Delivery
}

// subscription adds a webhook about one item.
func (b *burst) subscription(topic recharge.Topic, offset time.Duration, s subscription, active int) {
	told := Told{ID: b.life.SubscriptionID(s.item), Status: s.status, CreatedAt: s.created, UpdatedAt: s.updated, CancelledAt: s.cancelled}
	if topic == "subscription/deleted" && b.life.Version == recharge.Version202101 {
		b.bare(topic, offset, told.ID)
		return
	}
	b.add(topic, offset, fields{"subscription": b.spelling.subscription(b.life, s)}, told, active)
}

// charge adds a webhook about a charge.
func (b *burst) charge(topic recharge.Topic, offset time.Duration, c charge) {
	told := Told{ID: b.life.ChargeID(c.number), Status: c.status, CreatedAt: c.created, UpdatedAt: c.updated}
	b.add(topic, offset, fields{"charge": b.spelling.charge(b.life, c)}, told, c.active)
}

// order adds a webhook about the order that a charge became.
func (b *burst) order(topic recharge.Topic, offset time.Duration, c charge) {
	c.created = c.processed
	told := Told{ID: b.life.OrderID(c.number), Status: c.status, CreatedAt: c.created, UpdatedAt: c.updated}
	b.add(topic, offset, fields{"order": b.spelling.order(b.life, c)}, told, c.active)
}

// customer adds a webhook about the customer.
func (b *burst) customer(topic recharge.Topic, offset time.Duration, active int) {
	told := Told{ID: b.life.CustomerID(), CreatedAt: whole(b.life.Past.Started), UpdatedAt: b.at(offset)}
	b.add(topic, offset, fields{"customer": b.spelling.customer(b.life, active, told.UpdatedAt)}, told, active)
}

// bare adds a webhook whose body is an id alone.
func (b *burst) bare(topic recharge.Topic, offset time.Duration, id string) {
	b.append(topic, offset, fields{topic.Resource(): fields{"id": json.Number(id)}}, Told{ID: id, Active: -1})
}

// add puts the customer beside the resource, if the life has it included.
func (b *burst) add(topic recharge.Topic, offset time.Duration, body fields, told Told, active int) {
	told.Active = active
	if topic.Resource() != "customer" {
		if b.life.Included {
			body["customer"] = b.spelling.customer(b.life, active, told.UpdatedAt)
		} else {
			told.Active = -1
		}
	}
	b.append(topic, offset, body, told)
}

func (b *burst) append(topic recharge.Topic, offset time.Duration, body fields, told Told) {
	if !b.life.registered(topic) {
		return
	}
	b.deliveries = append(b.deliveries, Delivery{Topic: topic, Body: encode(body), Offset: offset, Told: told})
}

// at is the time that a body tells of something at an offset.
func (b *burst) at(offset time.Duration) time.Time { return whole(b.now.Add(offset)) }

func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// between is a random duration.
func (b *burst) between(low, high time.Duration) time.Duration {
	return low + time.Duration(b.rng.Int64N(int64(high-low)))
}

// either gives two offsets, 0.01 to 0.1 s apart, in either order.
func (b *burst) either(offset time.Duration) (one, other time.Duration) {
	later := offset + b.between(10*time.Millisecond, 100*time.Millisecond)
	if b.rng.IntN(2) == 0 {
		return offset, later
	}
	return later, offset
}
