package subscriber

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"
)

// told is which facts of a customer were told already, by the month in which they were first received. An id is kept by its
// first eight bytes: among the facts of one customer that is unique.
type told map[string][]uint64

// keepTold is how many months are kept besides the current one: longer than the 400 days for which raw webhooks are kept,
// so that nothing that can still be read again is told again.
const keepTold = 14

func month(at time.Time) string { return at.UTC().Format("2006-01") }

func short(id string) uint64 {
	b, err := hex.DecodeString(id[:min(len(id), 16)])
	if err != nil || len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func (t told) has(id string) bool {
	s := short(id)
	for _, ids := range t {
		if slices.Contains(ids, s) {
			return true
		}
	}
	return false
}

func (t told) add(id string, at time.Time) {
	m := month(at)
	t[m] = append(slices.Clip(t[m]), short(id))
}

// oldestTold is the first month that is kept.
func oldestTold(now time.Time) string {
	now = now.UTC()
	return month(time.Date(now.Year(), now.Month()-keepTold, 1, 0, 0, 0, 0, time.UTC))
}

// forget drops months that are too old.
func (t told) forget(now time.Time) {
	oldest := oldestTold(now)
	for m := range t {
		if m < oldest {
			delete(t, m)
		}
	}
}

func (t told) clone() told {
	c := make(told, len(t))
	for m, ids := range t {
		c[m] = ids
	}
	return c
}
