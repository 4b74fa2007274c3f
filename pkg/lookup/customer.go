package lookup

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// customerKey identifies a customer within a store.
type customerKey struct {
	partition int
	id        string
}

// customer is a customer with pending requests.
type customer struct {
	key     customerKey
	pending []*pending

	// At most one of these two is set: running, while a call runs, or next, while the customer is in the heap.
	running *pending
	cancel  func() // ends the running call
	next    *pending
	index   int // in the heap
}

// pending is a request without a response.
type pending struct {
	recharge.LookupRequest

	calls int
	at    time.Time               // of the next call, not before
	again *recharge.LookupRequest // added while a call was running
}

// schedule sets the time of the next call, but not before the request's Due. If the request was added again during the call,
// the new one replaces it.
func (p *pending) schedule(at time.Time) {
	if p.again != nil {
		p.LookupRequest, p.again = *p.again, nil
	}
	p.at = at
	if p.Due.After(at) {
		p.at = p.Due
	}
}

// add adds a request unless the same one is pending. If its call is running, the request is repeated afterwards: the response
// may already have been published and handled, with only the confirmation outstanding.
func (c *customer) add(r recharge.LookupRequest, now time.Time) (added bool) {
	// Copies, because the strings may share the memory of a whole record. The subscription ids are only in the state's row.
	r.CustomerID, r.ChargeID, r.Traceparent, r.SubscriptionIDs = c.key.id, strings.Clone(r.ChargeID), strings.Clone(r.Traceparent), nil
	i := slices.IndexFunc(c.pending, func(p *pending) bool { return p.Same(r) })
	switch {
	case i < 0:
		p := &pending{LookupRequest: r}
		p.schedule(now)
		c.pending = append(c.pending, p)
	case c.pending[i] == c.running:
		c.running.again = &r
	}
	return i < 0
}

// answered removes an answered request, or schedules it again if it was added during the call. It reports whether this call
// removed it.
func (c *customer) answered(p *pending, now time.Time) (removed bool) {
	if p.again == nil {
		return c.remove(p)
	}
	p.calls = 0
	p.schedule(now)
	return false
}

// remove removes a request and reports whether it was still pending.
func (c *customer) remove(p *pending) bool {
	i := slices.Index(c.pending, p)
	if i < 0 {
		return false
	}
	c.pending = slices.Delete(c.pending, i, i+1)
	return true
}

// choose sets the next request: the one of kind customer, else the earliest.
func (c *customer) choose() {
	c.next = slices.MinFunc(c.pending, func(a, b *pending) int {
		if rank(a) != rank(b) && min(rank(a), rank(b)) == 0 {
			return rank(a) - rank(b)
		}
		return cmp.Or(a.at.Compare(b.at), rank(a)-rank(b))
	})
}

// ranks is how many values rank can return.
const ranks = 3

// rank orders the due requests: a lower rank is called first.
func rank(p *pending) int {
	switch p.Kind {
	case recharge.LookupCustomer:
		return 0
	case recharge.LookupCancellation:
		return 1
	}
	return ranks - 1
}
