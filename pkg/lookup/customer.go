package lookup

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// customerKey names a customer within a store.
type customerKey struct {
	partition int
	id        string
}

// customer is somebody of whom something is asked.
type customer struct {
	key  customerKey
	asks []*ask

	// At most one of these two holds: an ask is under way, or the customer lies in the
	// heap of its next ask.
	asking *ask
	giveUp func() // ends the call that is under way
	next   *ask
	place  int // in the heap
}

// ask is one question that is pending.
type ask struct {
	Ask

	tries int
	at    time.Time // not before
	again *Ask      // wanted while it was under way
}

// comesAt sets when to ask next, which is never before it is due: what was wanted meanwhile, if anything was.
func (a *ask) comesAt(at time.Time) {
	if a.again != nil {
		a.Ask, a.again = *a.again, nil
	}
	a.at = at
	if a.Due.After(at) {
		a.at = a.Due
	}
}

// add takes an ask if it is not there yet. One that is under way is asked again after that: who wants it may know the answer
// already, though nobody has confirmed yet that it is kept.
func (c *customer) add(a Ask, now time.Time) bool {
	a.CustomerID, a.ChargeID, a.Traceparent = c.key.id, strings.Clone(a.ChargeID), strings.Clone(a.Traceparent) // they may share the memory of much else
	i := slices.IndexFunc(c.asks, func(known *ask) bool { return known.Question == a.Question })
	switch {
	case i < 0:
		added := &ask{Ask: a}
		added.comesAt(now)
		c.asks = append(c.asks, added)
	case c.asks[i] == c.asking:
		c.asking.again = &a
	}
	return i < 0
}

// answered tells whether an ask is done, and not one that was forgotten: if it was wanted meanwhile, it comes again.
func (c *customer) answered(a *ask, now time.Time) (done bool) {
	if a.again == nil {
		return c.remove(a)
	}
	a.tries = 0
	a.comesAt(now)
	return false
}

// remove says whether the ask was still there.
func (c *customer) remove(a *ask) bool {
	i := slices.Index(c.asks, a)
	if i < 0 {
		return false
	}
	c.asks = slices.Delete(c.asks, i, i+1)
	return true
}

// choose sets the next ask: the identity, else what comes first.
func (c *customer) choose() {
	c.next = slices.MinFunc(c.asks, func(a, b *ask) int {
		if rank(a) != rank(b) && min(rank(a), rank(b)) == 0 {
			return rank(a) - rank(b)
		}
		return cmp.Or(a.at.Compare(b.at), rank(a)-rank(b))
	})
}

// ranks is how many there are.
const ranks = 3

// rank orders what is due by how much hangs on it.
func rank(a *ask) int {
	switch a.For {
	case recharge.ForIdentity:
		return 0
	case recharge.ForCancellation:
		return 1
	}
	return ranks - 1
}
