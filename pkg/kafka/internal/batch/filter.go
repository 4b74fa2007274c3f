package batch

import (
	"cmp"
	"slices"
)

// filter leaves out transaction markers and aborted records.
type filter struct {
	next []Aborted       // in order of FirstOffset
	open map[int64]epoch // producers in an aborted transaction
}

// epoch is the producer epoch of an aborted transaction, known from its first batch on.
type epoch struct {
	number int16
	known  bool
}

func newFilter(aborted []Aborted) *filter {
	if len(aborted) == 0 {
		return &filter{}
	}
	coming := slices.Clone(aborted)
	slices.SortFunc(coming, func(a, b Aborted) int { return cmp.Compare(a.FirstOffset, b.FirstOffset) })
	return &filter{next: coming, open: make(map[int64]epoch)}
}

// includes must be called for every batch in order. Any marker ends its producer's transaction: the marker of an aborted one may
// have been removed by compaction, and later transactions must not be left out. Another epoch ends it too: the embedded broker
// writes no marker for a transaction that is open when it starts.
func (f *filter) includes(b stored) bool {
	for len(f.next) > 0 && f.next[0].FirstOffset <= b.last() {
		f.open[f.next[0].ProducerID] = epoch{}
		f.next = f.next[1:]
	}
	if b.control() {
		delete(f.open, b.producer)
		return false
	}
	return !b.transactional() || !f.aborted(b)
}

// aborted reports whether a batch belongs to the aborted transaction of its producer.
func (f *filter) aborted(b stored) bool {
	of, open := f.open[b.producer]
	switch {
	case !open:
		return false
	case !of.known:
		f.open[b.producer] = epoch{number: b.epoch, known: true}
	case of.number != b.epoch:
		delete(f.open, b.producer)
		return false
	}
	return true
}
