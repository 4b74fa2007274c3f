// Package lives tells what befalls customers of a shop, each a function of a seed and a number, webhook by webhook as
// Recharge sends them, and reckons for itself what must come of it. The reckoning follows what is written down (the rules
// of facts, of late arrivals and of the flag in docs/adr/0012-memory.md, the table in docs/webhooks.md, the schemas), works
// on what was told, not on bodies, and shares no code with the product.
//
//	lives.go     a life: what kind, and its bursts
//	teller.go    what happens in a burst, and which webhooks tell it
//	mess.go      disorder and duplicates
//	body.go      how API version 2021-11 spells it
//	answers.go   what the API says of a life in the end
//	known.go     the reckoning: what is known after each webhook
//	reckon.go    the reckoning: which events come of each, in order
//	rows.go      the reckoning: rows of the tables in the end
//	watch.go     the product's events, held to the reckoning
//	compare.go   its tables, flags and dead letters, held to it
package lives

import (
	"math/rand/v2"
	"time"
)

// Kind is what is special about a life.
type Kind int

// The kinds. Of all but the first two the API is asked, or there is nothing left in the end.
const (
	// Ordinary webhooks include their customer, or the customer is known from one that did.
	Ordinary Kind = iota
	// Forgotten ends with customer/deleted, and what comes after.
	Forgotten
	// Nameless webhooks never say who the customer is; the API's object is younger than all of them.
	Nameless
	// Unsure ones neither, and the API's object is from before the first: whether a subscription is left must be asked, too.
	Unsure
	// Unpaid ends with charge/max_retries_reached, after which Recharge cancels without a word.
	Unpaid
	// LeftActive ends so, too, and Recharge leaves the subscriptions as they are.
	LeftActive
	// Deleted ends with each subscription deleted.
	Deleted
)

// kindOf makes one life in eight a special one.
func kindOf(n int) Kind {
	switch n % 80 {
	case 1, 41:
		return Forgotten
	case 11, 51:
		return Nameless
	case 21, 61:
		return Unsure
	case 31:
		return Unpaid
	case 71:
		return LeftActive
	case 77:
		return Deleted
	}
	return Ordinary
}

// Shop is a seed and a time: all of its lives end before that, and began two months earlier.
type Shop struct {
	Seed uint64
	Now  time.Time
}

// Life is one customer's.
type Life struct {
	Kind Kind
	// Bursts are what comes in, in the order of arrival; days lie between two of them.
	Bursts [][]Delivery

	shop  Shop
	n     int
	final teller
}

// Bursts is how many bursts a life has at most.
const Bursts = 7

const (
	lifetime = 60 * 24 * time.Hour
	apart    = 8 * 24 * time.Hour
)

// Life tells the life of a customer by number.
func (s Shop) Life(n int) Life {
	t := newTeller(s, n)
	l := Life{Kind: t.kind, shop: s, n: n}
	for nth, happens := range t.plan() {
		t.begin(nth)
		happens()
		l.Bursts = append(l.Bursts, t.mess(t.burst))
	}
	l.final = *t
	return l
}

// CustomerID is the id of a customer by number.
func CustomerID(n int) int64 { return 200_000_000 + int64(n) }

// NumberOf is the number of a customer by id.
func NumberOf(id int64) int { return int(id - CustomerID(0)) }

// subscriptionID and chargeID are ids that no other life has.
func subscriptionID(n, item int) int64 { return 1_000_000_000 + int64(n)*10 + int64(item) }
func chargeID(n, charge int) int64     { return 10_000_000_000 + int64(n)*100 + int64(charge) }

func dice(s Shop, n int) *rand.Rand {
	return rand.New(rand.NewPCG(s.Seed, uint64(n))) //nolint:gosec // to be repeated, not to be secret
}

// plan is what happens in each burst.
func (t *teller) plan() []func() {
	plan := []func(){t.checkout}
	if t.IntN(2) == 0 {
		plan = append(plan, t.renewal)
	}
	if t.kind != Unsure { // in which nobody may ask before the end
		plan = append(plan, t.middle()...)
	}
	switch t.kind {
	case Forgotten:
		return append(plan, t.forgotten)
	case Unpaid, LeftActive:
		return append(plan, t.unpaid)
	case Deleted:
		return append(plan, t.deleteAll)
	case Unsure:
		plan = append(plan, t.swap)
	}
	if t.Float64() < 0.5 {
		plan = append(plan, t.cancelAll)
	}
	if t.Float64() < 0.4 {
		plan = append(plan, t.echo)
	}
	return plan
}

// changes is how many of what may happen does: nobody tells a change of who never says who they are.
func (t *teller) changes() int {
	if t.kind == Nameless {
		return 2
	}
	return 4
}

// middle is what may happen in any life before its end; Ordinary ones may come back after a cancellation.
func (t *teller) middle() []func() {
	var plan []func()
	if t.Float64() < 0.4 {
		plan = append(plan, []func(){t.swap, t.renewal, t.change, t.change}[t.IntN(t.changes())])
	}
	if t.kind == Ordinary && t.Float64() < 0.2 {
		plan = append(plan, t.cancelAll, t.reactivate)
	} else if t.Float64() < 0.3 {
		plan = append(plan, t.deleteOne)
	}
	return plan
}
