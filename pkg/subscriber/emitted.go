package subscriber

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"
)

// Emitted holds the emitted facts of a customer, by the month ("2006-01") in which they were first received. A fact is stored
// as the first eight bytes of its id, which are unique among the facts of one customer.
type Emitted map[string][]uint64

// emittedMonths is how many months are stored besides the current one. That is longer than the 400 days of retention for raw
// webhooks, so that a webhook that is read again emits no duplicates.
const emittedMonths = 14

func month(at time.Time) string { return at.UTC().Format("2006-01") }

func short(id string) uint64 {
	b, err := hex.DecodeString(id[:min(len(id), 16)])
	if err != nil || len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func (e Emitted) has(id string) bool {
	s := short(id)
	for _, ids := range e {
		if slices.Contains(ids, s) {
			return true
		}
	}
	return false
}

func (e Emitted) add(id string, receivedAt time.Time) {
	m := month(receivedAt)
	e[m] = append(slices.Clip(e[m]), short(id))
}

// OldestEmitted is the first month whose facts are kept at a time.
func OldestEmitted(now time.Time) string {
	now = now.UTC()
	return month(time.Date(now.Year(), now.Month()-emittedMonths, 1, 0, 0, 0, 0, time.UTC))
}

// expire removes expired months.
func (e Emitted) expire(now time.Time) {
	oldest := OldestEmitted(now)
	for m := range e {
		if m < oldest {
			delete(e, m)
		}
	}
}

func (e Emitted) clone() Emitted {
	c := make(Emitted, len(e))
	for m, ids := range e {
		c[m] = ids
	}
	return c
}
