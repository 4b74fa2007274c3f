package rechargetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Kind is something that happens to a subscriber and that Recharge tells in a burst of webhooks.
type Kind string

// The kinds of which the arrival is recorded: a store in New Zealand, API version 2021-11, March and April 2024,
// https://github.com/darrylcousins/boxesapp, docs/src/sources/json/reports/*/log.json. See [Life.Burst] for each one.
const (
	FirstCheckout Kind = "first_checkout"
	Renewal       Kind = "renewal"
	Upcoming      Kind = "upcoming"
	DateMoved     Kind = "date_moved" // a "pause" by another date: no subscription/paused
	Cancellation  Kind = "cancellation"
	Reactivation  Kind = "reactivation"
	Deletion      Kind = "deletion"
)

// Kinds are all kinds, in the order in which they may befall one life.
func Kinds() []Kind {
	return []Kind{FirstCheckout, Upcoming, Renewal, DateMoved, Cancellation, Reactivation, Deletion}
}

// Bounds of a life: within them no two lives share an id.
const (
	MaxCustomer = 9_999_999
	MaxItems    = 99
	MaxCharges  = 999
)

// Life is one subscriber with a box of subscriptions. It is a value and all that it does is pure: equal lives give equal
// bursts, byte for byte. Walk through one with
//
//	deliveries := life.Burst(kind, now)
//	life = life.After(kind, now)
type Life struct {
	Customer int              // number of the customer, 1 to MaxCustomer: all ids follow from it
	Version  recharge.Version // of the bodies; "" is 2021-11
	Items    int              // subscriptions in the box, 1 to MaxItems; 0 is 1
	// Included is whether the webhooks are registered with included_objects ["customer"]: the customer then stands
	// beside the resource, except in a body that is an id alone.
	Included bool
	// Topics that webhooks are registered for; nil is RecordedTopics.
	Topics []recharge.Topic
	Seed   uint64 // of all that varies from one recording to the next
	Past   Past
}

// Past is what happened to a life before. After keeps it. A life without one that is asked for anything but a first
// checkout had its first 30 days ago.
type Past struct {
	Started     time.Time     // of the first checkout
	Charges     int           // so far, the queued one among them: it has the highest number
	QueuedAt    time.Time     // of the queued charge
	Due         recharge.Date // of the queued charge
	CancelledAt time.Time     // of the box; zero while it is active
}

// RecordedTopics are those that the recorded store had registered. What lies outside, charge/paid and customer/*, comes
// at a place that we assume.
func RecordedTopics() []recharge.Topic {
	return []recharge.Topic{
		"charge/created", "charge/deleted", "charge/upcoming", "charge/updated",
		"order/created", "order/processed", "order/success",
		"subscription/activated", "subscription/cancelled", "subscription/created", "subscription/deleted", "subscription/updated",
	}
}

// AssumedTopics are those that bursts hold besides, if Life.Topics names them: customer/created before a first checkout,
// customer/activated with its first subscription and the first reactivated one, customer/deactivated with the last
// cancelled one, charge/paid after the success of a charge.
func AssumedTopics() []recharge.Topic {
	return []recharge.Topic{"charge/paid", "customer/activated", "customer/created", "customer/deactivated"}
}

// Delivery is one webhook.
type Delivery struct {
	Topic  recharge.Topic
	Body   []byte
	Offset time.Duration // of its arrival, after the burst's now
	Told   Told
}

// Told is what a body says, for those who reckon what must come of it.
type Told struct {
	ID          string // of the resource
	Status      string // lower case; "" where the body has none
	CreatedAt   time.Time
	UpdatedAt   time.Time // both zero where the body is an id alone
	CancelledAt time.Time // of a cancelled subscription
	// Active is the customer's count of active subscriptions, in a customer's body or included; -1 elsewhere.
	Active int
}

// Burst is Life.Burst for a life with as many items as the recordings had: 4 at a first checkout, else 5.
func Burst(kind Kind, seed uint64, customer int, now time.Time, version recharge.Version) []Delivery {
	items := 5
	if kind == FirstCheckout {
		items = 4
	}
	return Life{Customer: customer, Version: version, Items: items, Included: true, Seed: seed}.Burst(kind, now)
}

// After is the life as it goes on when kind has happened at now.
func (l Life) After(kind Kind, now time.Time) Life {
	l.Past = l.past(kind, now)
	if made := l.makes(kind); made > 0 {
		l.Past.Charges += made
		l.Past.QueuedAt, l.Past.Due = now, dueAfter(kind, now)
	}
	switch kind {
	case Cancellation:
		l.Past.CancelledAt = now
	case Reactivation:
		l.Past.CancelledAt = time.Time{}
	}
	return l
}

// makes is how many charges a kind creates.
func (l Life) makes(kind Kind) int {
	switch kind {
	case FirstCheckout:
		return 2 // the one that is paid, and the queued next
	case Renewal, DateMoved:
		return 1
	case Reactivation:
		return l.items() // one for each item, merged into the last
	}
	return 0
}

// past is the life's own, or the least that kind needs.
func (l Life) past(kind Kind, now time.Time) Past {
	before := now.AddDate(0, 0, -intervalDays)
	switch {
	case kind == FirstCheckout:
		return Past{Started: now}
	case l.Past.Started.IsZero() || l.Past.Charges == 0:
		return Past{Started: before, Charges: 2, QueuedAt: before, Due: dueAfter(FirstCheckout, before)}
	}
	return l.Past
}

const intervalDays = 30

// dueAfter is the day of the charge that a kind queues. A date moved is moved by one interval.
func dueAfter(kind Kind, now time.Time) recharge.Date {
	days := intervalDays
	if kind == DateMoved {
		days *= 2
	}
	return recharge.Date(now.UTC().AddDate(0, 0, days).Format(time.DateOnly))
}

func (l Life) items() int { return min(max(l.Items, 1), MaxItems) }

func (l Life) registered(topic recharge.Topic) bool {
	topics := l.Topics
	if topics == nil {
		topics = RecordedTopics()
	}
	return slices.Contains(topics, topic)
}

// CustomerID is the customer's id, as all others in decimal digits.
func (l Life) CustomerID() string { return decimal(200_000_000 + int64(l.Customer)) }

// AddressID is the id of the customer's one address.
func (l Life) AddressID() string { return decimal(300_000_000 + int64(l.Customer)) }

// SubscriptionID is the id of an item, 1 to Items.
func (l Life) SubscriptionID(item int) string {
	return decimal(1_000_000_000 + int64(l.Customer)*(MaxItems+1) + int64(item))
}

// ChargeID is the id of a charge, 1 to Charges: the first one paid the first checkout.
func (l Life) ChargeID(charge int) string {
	return decimal(10_000_000_000 + int64(l.Customer)*(MaxCharges+1) + int64(charge))
}

// OrderID is the id of the order that a charge became.
func (l Life) OrderID(charge int) string {
	return decimal(20_000_000_000 + int64(l.Customer)*(MaxCharges+1) + int64(charge))
}

// Email is the customer's address, in lower case.
func (l Life) Email() string { return fmt.Sprintf("subscriber%07d@example.com", l.Customer) }

// Phone is the customer's number in E.164. All are of exchange 555 in the Pacific time zone; 340,000 customers further
// they begin again.
func (l Life) Phone() string {
	codes := areaCodes()
	return fmt.Sprintf("+1%s555%04d", codes[l.Customer/10_000%len(codes)], l.Customer%10_000)
}

func areaCodes() []string {
	return strings.Fields("503 541 971 458 206 253 360 425 509 213 310 323 408 415 510 530 559 562 619 626 650 661 707 714 " +
		"760 805 818 831 858 909 916 925 949 951")
}

// CustomerBody is the answer to GET /customers/{id} at a time, with so many active subscriptions.
func (l Life) CustomerBody(active int, at time.Time) []byte {
	l.Past = l.past("", at)
	return encode(fields{"customer": l.spelling().customer(l, active, at)})
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
