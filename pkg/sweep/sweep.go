// Package sweep says when and how far the owner of a partition walks its rows for those that are past their age. What the
// rows are, and what their age is, is others' business.
package sweep

import (
	"iter"
	"sync"
	"time"
)

const (
	// Every is the time between two steps of a partition.
	Every = 10 * time.Second
	// A step looks at so many rows at most, and looks no further once so many are removed. Sixteen million rows in one
	// partition, a million customers with a year of facts, take half a day.
	maxSeen    = 4000
	maxRemoved = 500
	// between is the time from the beginning of a pass to that of the next.
	between = 12 * time.Hour
)

// Sweeps are those of all partitions. The zero value is ready for use, by several goroutines.
type Sweeps struct {
	mutex sync.Mutex
	all   map[int]*Sweep
}

// Of is the sweep of one partition, for its worker alone.
func (s *Sweeps) Of(partition int) *Sweep {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.all == nil {
		s.all = make(map[int]*Sweep)
	}
	if s.all[partition] == nil {
		s.all[partition] = &Sweep{}
	}
	return s.all[partition]
}

// Sweep is how far a process has come that owns a partition, or did: it goes on there when it gets the partition again.
type Sweep struct {
	began time.Time // of the last pass
	next  []byte    // where that goes on; nil when it is over
}

// Due is the next step, ok is false when none is due.
func (s *Sweep) Due(now time.Time) (step Step, ok bool) {
	if s.next == nil && now.Sub(s.began) < between {
		return Step{}, false
	}
	return Step{sweep: s, now: now}, true
}

// Step is a part of a pass.
type Step struct {
	sweep *Sweep
	now   time.Time
	next  []byte
}

// Rows are what is walked.
type Rows interface {
	// ScanFrom yields what has a prefix and is not less than from, in the order of keys.
	ScanFrom(prefix, from []byte) iter.Seq2[[]byte, []byte]
}

// Walk shows the step's rows, of the kinds whose keys begin so, which are in the order of keys. See removes what is past its
// age, with what belongs to it, and returns how many rows that were.
func (s *Step) Walk(rows Rows, kinds []string, see func(key, value []byte) (removed int)) {
	seen, removed := 0, 0
	for _, kind := range kinds {
		for key, value := range rows.ScanFrom([]byte(kind), s.sweep.next) {
			if seen == maxSeen || removed >= maxRemoved {
				s.next = key
				return
			}
			seen++
			removed += see(key, value)
		}
	}
}

// Done makes the next step go on behind this one. Until then it is the same.
func (s *Step) Done() {
	if s.sweep.next == nil {
		s.sweep.began = s.now
	}
	s.sweep.next = s.next
}
