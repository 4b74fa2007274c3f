package batch

import (
	"encoding/binary"
	"fmt"
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
	slices.SortFunc(coming, func(a, b Aborted) int {
		switch {
		case a.FirstOffset < b.FirstOffset:
			return -1
		case a.FirstOffset > b.FirstOffset:
			return 1
		}
		return 0
	})
	return &filter{coming: coming, open: make(map[int64]bool)}
}

// wants must see every batch in order.
func (f *filter) wants(b stored) (bool, error) {
	for len(f.coming) > 0 && f.coming[0].FirstOffset <= b.last() {
		f.open[f.coming[0].ProducerID] = true
		f.coming = f.coming[1:]
	}
	if b.control() {
		aborts, err := b.aborts()
		if aborts {
			delete(f.open, b.producer)
		}
		return false, err
	}
	return !b.transactional() || !f.open[b.producer], nil
}

// aborts tells whether a marker ends an aborted transaction. Its key is a version and a type, two bytes each, type 0 for an
// abort (https://kafka.apache.org/documentation/#controlbatch).
func (b stored) aborts() (bool, error) {
	const typeAt, abort = 2, 0
	aborts := false
	err := b.each(b.base, func(r Record) {
		aborts = aborts || len(r.Key) >= typeAt+2 && binary.BigEndian.Uint16(r.Key[typeAt:]) == abort
	})
	if err != nil {
		return false, fmt.Errorf("read transaction marker: %w", err)
	}
	return aborts, nil
}
