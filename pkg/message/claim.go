package message

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// Decision is what is decided on a message that is due. The zero value means that its text is sent.
type Decision struct {
	Suppress reason.Reason // the text is not sent
	Defer    time.Time     // it is due again then
	OptOut   bool          // the text says how to opt out
	Links    []Link        // the short links of the text
	LinksEnd time.Time     // when they end
}

// maxDecided is how many messages one call of Claim decides on, so that a transaction stays short.
const maxDecided = 200

// Claiming is what Claim is asked for.
type Claiming struct {
	Store string
	// Room returns for how many of the due messages there is room.
	Room  func(due int) int
	Lease time.Duration // how long a claim lasts
	// Turn counts the claims of the store: fresh messages are first if it is even, deferred ones if it is odd. So neither waits for all
	// of the other, however little room there is.
	Turn   int
	Decide func(*Message) Decision
}

// Claim claims due messages of a store, and suppresses or defers others: fresh and deferred ones in turns, the oldest of each first.
// next is when the next message is due that is left as it is: not after now if there are others that are due, zero if there is none.
func (b *Book) Claim(c Claiming) (claimed []*Message, next time.Time, err error) {
	waiting, next, err := b.due(c.Store)
	if err != nil {
		return nil, next, err
	}
	room := 0
	if due := len(waiting[0]) + len(waiting[1]); due > 0 {
		room = c.Room(due)
	}
	for decided := 0; len(waiting[0])+len(waiting[1]) > 0; decided++ {
		if len(claimed) >= room || decided == maxDecided {
			return claimed, b.now, nil
		}
		m, err := b.claimOne(first(&waiting, (c.Turn+len(claimed))%2), c)
		switch {
		case err != nil:
			return nil, next, err
		case m == nil:
		case m.Status == Claimed:
			claimed = append(claimed, m)
		case m.Status == Planned:
			next = earlier(next, m.ReleaseAt)
		}
	}
	return claimed, next, nil
}

// first removes the first entry of a class, or of the other one if it has none.
func first(waiting *[2][]entry, class int) entry {
	if len(waiting[class]) == 0 {
		class = 1 - class
	}
	e := waiting[class][0]
	waiting[class] = waiting[class][1:]
	return e
}

// due returns the due messages of a store, fresh ones and deferred ones, and when the next one is due.
func (b *Book) due(store string) (waiting [2][]entry, next time.Time, err error) {
	for class, deferred := range []bool{false, true} {
		var later time.Time
		if waiting[class], later, err = b.until(b.now, duePrefix(store, deferred), store, maxDecided+1); err != nil {
			return waiting, next, err
		}
		next = earlier(next, later)
	}
	return waiting, next, nil
}

// earlier returns the earlier of two times, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// claimOne claims, suppresses or defers a message that is due; nil if it is missing.
func (b *Book) claimOne(e entry, c Claiming) (*Message, error) {
	m, err := b.at(e)
	if m == nil {
		return nil, err
	}
	before := snapshot(m)
	decision, paused := Decision{Suppress: reason.Stale}, false
	if len(m.Live(b.now)) > 0 {
		if paused = b.settings.Paused(m.Store, m.Flow); !paused {
			decision = c.Decide(m)
		}
	}
	switch {
	case paused:
		m.Reason = reason.Paused
	case decision.Suppress != "":
		m.suppress(decision.Suppress)
	case decision.Defer.After(b.now):
		m.releaseAt(decision.Defer)
		m.Deferred = true
	default:
		m.Status, m.ReleaseAt, m.ClaimedAt, m.Lease = Claimed, time.Time{}, b.now, b.now.Add(c.Lease)
		m.Attempt++
		m.OptOut = decision.OptOut
		b.unlink(m) // of an earlier claim, whose text was certainly not sent
		m.Links, m.LinksEnd = decision.Links, decision.LinksEnd
	}
	return m, b.save(&before, m)
}

// at returns the message of an entry. An entry that is not, or no longer, that of its message is removed, and the message is nil: a text
// that was sent must not be claimed again because of an old entry.
func (b *Book) at(e entry) (*Message, error) {
	m, err := b.message(e.store, e.customer, e.id)
	if err != nil {
		return nil, err
	}
	if m == nil || !slices.ContainsFunc(entries(m), func(key []byte) bool { return bytes.Equal(key, e.key) }) {
		b.rows.Delete(e.key)
		return nil, nil //nolint:nilnil // documented
	}
	return m, nil
}

// until returns up to limit entries of an index up to a time, and the time of the next one, zero if there is none. The keys of an index
// of one store do not name it.
func (b *Book) until(at time.Time, prefix []byte, store string, limit int) (list []entry, next time.Time, err error) {
	for key := range b.rows.Scan(prefix) {
		e, err := parse(key, string(prefix), store)
		if err != nil {
			return nil, next, err
		}
		if e.at.After(at) || len(list) == limit {
			return list, e.at, nil
		}
		list = append(list, e)
	}
	return list, next, nil
}

// ExpireClaims ends the claims whose lease is over: whether the texts were sent is unknown. Those of a store whose provider drops a second text are
// planned again. more means that there are others.
func (b *Book) ExpireClaims(deduplicates func(store string) bool) (more bool, err error) {
	over, _, err := b.until(b.now, []byte("lease/"), "", maxDecided+1)
	if err != nil {
		return false, err
	}
	for _, e := range over[:min(len(over), maxDecided)] {
		m, err := b.at(e)
		if err != nil {
			return false, err
		}
		if m == nil {
			continue
		}
		before, outcome := snapshot(m), Unknown
		if deduplicates(m.Store) {
			outcome = Planned
		}
		m.receive(Receipt{Attempt: m.Attempt, Outcome: outcome, At: b.now, Code: CodeNoReceipt})
		if err := b.saveReceived(&before, m); err != nil {
			return false, err
		}
	}
	return len(over) > maxDecided, nil
}

// CodeNoReceipt is the code of a claim that ended without a receipt.
const CodeNoReceipt = "no_receipt"

// Stores returns the stores that have a planned message. It reads the whole index.
func (b *Book) Stores() (stores []string) {
	for key := range b.rows.Scan([]byte("due/")) {
		store := strings.Split(string(key), "/")[1]
		if len(stores) == 0 || stores[len(stores)-1] != store {
			stores = append(stores, store)
		}
	}
	return stores
}
