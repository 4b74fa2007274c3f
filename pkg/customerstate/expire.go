package customerstate

import (
	"bytes"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Without new records a customer is never loaded, so what is expired must be removed by a scan. The owner of a partition scans its
// rows in steps, pass after pass. A step that finds something expired writes tombstones, and customers' rows without it, in a transaction
// without records. Something counts as expired only when no record that may still arrive needs it.
const (
	// ExpireEvery is the time between two steps of a partition.
	ExpireEvery = 10 * time.Second
	// Limits of a step: rows read, and rows removed or written. A partition with two million rows (a million customers, each with a
	// subscription and its owner) takes an hour and a half.
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
func (tx *Tx) Expire(now time.Time) error {
	p := &tx.partition.pass
	if p.next == nil && now.Sub(p.began) < passEvery {
		return nil
	}
	tx.step = &step{pass: p, now: now}
	oldest, seen := subscriber.OldestRecord(now), 0
	month := subscriber.OldestEmitted(oldest)
	for _, kind := range []string{chargeOwnerRows, customerRows, emittedRows, lookupRows, ownerRows} { // in the order of keys
		for key, row := range tx.rows.ScanFrom([]byte(kind), p.next) {
			if tx.step.removed = len(tx.changes); seen == maxSeen || tx.step.removed >= maxRemoved {
				tx.step.next = key
				return nil
			}
			seen++
			if err := tx.expireRow(kind, key, row, oldest, month); err != nil {
				return err
			}
		}
	}
	tx.step.removed = len(tx.changes)
	return nil
}

func (tx *Tx) expireRow(kind string, key, row []byte, oldest time.Time, month string) error {
	switch {
	case kind == customerRows:
		if hasExpiring(row, month) {
			return tx.expireCustomer(key, row, oldest)
		}
	case useless(kind, key, row, oldest, month):
		tx.set(key, nil)
	}
	return nil
}

// hasExpiring reports whether a customer's row may have something that is expired: most need not be decoded. A row that is split has no
// facts, and is merged when it has no customer any more.
func hasExpiring(row []byte, month string) bool {
	const emitted = `{"emitted":{"`
	if rest, ok := bytes.CutPrefix(row[min(1, len(row)):], []byte(emitted)); ok && string(rest[:min(len(month), len(rest))]) < month {
		return true
	}
	return bytes.Contains(row, []byte(`"deleted_at"`)) || isSplit(row) && bytes.HasSuffix(row, []byte(`{}}`))
}

// expireCustomer removes the facts of a customer that are expired, and the rest if their deletion is. It leaves a customer alone whose
// records or lookups are pending: those are decided on with the state as it is.
func (tx *Tx) expireCustomer(key, row []byte, oldest time.Time) error {
	ref, rest, ok := refOf(key, customerRows)
	var st subscriber.State
	if !ok || rest != "" || tx.load(ref, row, &st) != nil || tx.HasParked(ref) || tx.any(ref.key(lookupRows, "/")) {
		return nil
	}
	after := st.WithoutExpired(oldest)
	if isSplit(row) && after.Customer.IsZero() {
		return tx.merge(ref, after)
	}
	return tx.Save(ref, &st, after)
}

// useless reports whether a row has facts of a split state from before the oldest month, is an owner that is expired for the oldest record, or is a
// lookup request whose key does not match a customer.
func useless(kind string, key, row []byte, oldest time.Time, month string) bool {
	switch kind {
	case lookupRows:
		_, _, ok := readLookup(key, row)
		return !ok
	case chargeOwnerRows:
		var owner subscriber.ChargeOwnerState
		return decode(row, &owner) == nil && owner.Expired(oldest)
	case ownerRows:
		var owner subscriber.OwnerState
		return decode(row, &owner) == nil && owner.Expired(oldest)
	}
	return string(key[bytes.LastIndexByte(key, '/')+1:]) < month
}
