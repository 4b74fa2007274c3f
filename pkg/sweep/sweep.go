// Package sweep says when, how far and by which clock the owner of a partition walks its rows for those that are past
// their age. What the rows are is others' business.
package sweep

import (
	"iter"
	"sync"
	"time"
)

const (
	// Every is the time between two steps of a partition.
	Every = 10 * time.Second
	// A step looks at so many rows at most, and finds so many of them past their age. Sixteen million rows in one partition,
	// a million customers with a year of facts, take half a day.
	maxSeen  = 4000
	maxFound = 500
	// between is the time from the beginning of a pass to that of the next.
	between = 12 * time.Hour
	// idle is after how long without a record a partition is taken to have none left to read.
	idle = 10 * time.Minute
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

// Sweep is how far the owner of a partition has come.
type Sweep struct {
	busy   time.Time // when it was taken over, or had a record to handle last
	newest time.Time // when the newest record was received that was handled since it was taken over
	began  time.Time // of the last pass
	next   []byte    // where that goes on; nil when it is over
}

// Taken is told when the partition is taken over: nothing is known of its records then. Rows are walked on from where that
// was left.
func (s *Sweep) Taken(now time.Time) { s.busy, s.newest = now, time.Time{} }

// Busy is told when there are records to handle.
func (s *Sweep) Busy(now time.Time) { s.busy = now }

// Handled is told up to when records were received that are done.
func (s *Sweep) Handled(received time.Time) {
	if received.After(s.newest) {
		s.newest = received
	}
}

// clock is the time by which rows have an age: no record that is yet to come was received before it. Where old ones are
// being read, after a rebuild say, that is the time of theirs; zero where it is unknown.
func (s *Sweep) clock(now time.Time) time.Time {
	if now.Sub(s.busy) < idle && s.newest.Before(now) {
		return s.newest
	}
	return now
}

// Due is the next step, ok is false when none is due.
func (s *Sweep) Due(now time.Time) (step Step, ok bool) {
	clock := s.clock(now)
	if clock.IsZero() || s.next == nil && now.Sub(s.began) < between {
		return Step{}, false
	}
	return Step{Clock: clock, sweep: s, now: now}, true
}

// Step is a part of a pass.
type Step struct {
	// Clock is by which time a row is past its age or not.
	Clock time.Time
	sweep *Sweep
	now   time.Time
	next  []byte
}

// Rows are what is walked.
type Rows interface {
	// ScanFrom yields what has a prefix and is not less than from, in the order of keys.
	ScanFrom(prefix, from []byte) iter.Seq2[[]byte, []byte]
}

// Walk shows the step's rows, of the kinds whose keys begin so, which are in the order of keys. See tells whether one was
// past its age.
func (s *Step) Walk(rows Rows, kinds []string, see func(key, value []byte) bool) {
	seen, found := 0, 0
	for _, kind := range kinds {
		for key, value := range rows.ScanFrom([]byte(kind), s.sweep.next) {
			if seen == maxSeen || found == maxFound {
				s.next = key
				return
			}
			seen++
			if see(key, value) {
				found++
			}
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
