package customerstate

import (
	"bytes"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Without new records a customer is never loaded, so expired rows must be removed by a scan. The owner of a partition scans its
// rows in steps, pass after pass. A step that finds expired rows writes their tombstones in a transaction without records. A
// row counts as expired only when no record that may still arrive needs it.
const (
	// ExpireEvery is the time between two steps of a partition.
	ExpireEvery = 10 * time.Second
	// Limits of a step: rows read, and rows removed. A partition with sixteen million rows (a million customers with a year of
	// facts) takes half a day.
	maxSeen    = 4000
	maxRemoved = 500
	// passEvery is the time from the start of a pass to the start of the next.
	passEvery = 12 * time.Hour
)

// pass is the progress of a scan. It continues if the process gets the partition again.
type pass struct {
	began time.Time // of the last pass
	next  []byte    // the next row; nil between two passes
}

// step is one step of a pass.
type step struct {
	pass    *pass
	now     time.Time
	next    []byte
	removed int
}

// done advances the scan past this step. Without it the step is repeated.
func (s *step) done() {
	if s.pass.next == nil {
		s.pass.began = s.now
	}
	s.pass.next = s.next
}

// Expire runs the next step if it is due.
func (tx *Tx) Expire(now time.Time) {
	p := &tx.partition.pass
	if p.next == nil && now.Sub(p.began) < passEvery {
		return
	}
	tx.step = &step{pass: p, now: now}
	oldest, seen := subscriber.OldestRecord(now), 0
	month := subscriber.OldestEmitted(oldest)
	for _, kind := range []string{customerRows, emittedRows, lookupRows, ownerRows} { // in the order of keys
		for key, row := range tx.rows.ScanFrom([]byte(kind), p.next) {
			if seen == maxSeen || tx.step.removed >= maxRemoved {
				tx.step.next = key
				return
			}
			seen++
			switch {
			case kind == customerRows:
				tx.step.removed += tx.expireCustomer(key, row, oldest)
			case useless(kind, key, row, oldest, month):
				tx.set(key, nil)
				tx.step.removed++
			}
		}
	}
}

// expireCustomer removes a customer whose deletion is expired, with their subscriptions. It returns how many rows it removed.
func (tx *Tx) expireCustomer(key, row []byte, oldest time.Time) (removed int) {
	if !bytes.Contains(row, []byte(`"deleted_at"`)) { // most need not be decoded
		return 0
	}
	ref, _, _ := refOf(key, customerRows)
	var c subscriber.CustomerState
	if err := decode(row, &c); err != nil || !c.Expired(oldest) || tx.pending(ref) {
		return 0
	}
	keys := [][]byte{key}
	for key := range tx.scan(ref.key(subscriptionRows, "/")) {
		keys = append(keys, key)
	}
	for _, key := range keys {
		tx.set(key, nil)
	}
	return len(keys)
}

// useless reports whether a row has facts from before the oldest month, is an owner that is expired for the oldest record, or is a
// lookup request whose key does not match a customer.
func useless(kind string, key, row []byte, oldest time.Time, month string) bool {
	switch kind {
	case lookupRows:
		_, _, ok := readLookup(key, row)
		return !ok
	case ownerRows:
		var owner subscriber.OwnerState
		return decode(row, &owner) == nil && owner.Expired(oldest)
	}
	return string(key[bytes.LastIndexByte(key, '/')+1:]) < month
}

// pending reports whether records or lookups of a customer are: those are decided on with the state as it is.
func (tx *Tx) pending(ref Ref) bool {
	return tx.HasParked(ref) || tx.any(ref.key(lookupRows, "/"))
}
