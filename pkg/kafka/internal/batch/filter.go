package batch

import (
	"cmp"
	"slices"
)

// filter passes over what must not be seen: transaction markers and what aborted transactions wrote.
type filter struct {
	coming []Aborted      // by offset
	open   map[int64]bool // producers whose transaction was aborted, from its first offset to its marker
}

func newFilter(aborted []Aborted) *filter {
	if len(aborted) == 0 {
		return &filter{}
	}
	coming := slices.Clone(aborted)
	slices.SortFunc(coming, func(a, b Aborted) int { return cmp.Compare(a.FirstOffset, b.FirstOffset) })
	return &filter{coming: coming, open: make(map[int64]bool)}
}

// wants must see every batch in order. A marker ends its producer's transaction whatever it says: an aborted one that was
// listed and whose own marker compaction removed, or emptied, must not take later ones with it.
func (f *filter) wants(b stored) bool {
	for len(f.coming) > 0 && f.coming[0].FirstOffset <= b.last() {
		f.open[f.coming[0].ProducerID] = true
		f.coming = f.coming[1:]
	}
	if b.control() {
		delete(f.open, b.producer)
		return false
	}
	return !b.transactional() || !f.open[b.producer]
}
