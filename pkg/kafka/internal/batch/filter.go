package batch

import (
	"cmp"
	"slices"
)

// filter passes over what must not be seen: transaction markers and what aborted transactions wrote.
type filter struct {
	coming []Aborted       // by offset
	open   map[int64]epoch // producers whose transaction was aborted, from its first offset to its marker
}

// epoch is that of an aborted transaction, known from its first batch on.
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
	return &filter{coming: coming, open: make(map[int64]epoch)}
}

// wants must see every batch in order. A marker ends its producer's transaction whatever it says: an aborted one that was
// listed and whose own marker compaction removed, or emptied, must not take later ones with it. So does another epoch, in which the producer goes on after its broker died
// without writing a marker: the embedded broker writes none when it finds an open transaction at its start.
func (f *filter) wants(b stored) bool {
	for len(f.coming) > 0 && f.coming[0].FirstOffset <= b.last() {
		f.open[f.coming[0].ProducerID] = epoch{}
		f.coming = f.coming[1:]
	}
	if b.control() {
		delete(f.open, b.producer)
		return false
	}
	return !b.transactional() || !f.aborted(b)
}

// aborted tells whether a batch belongs to the aborted transaction of its producer.
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
