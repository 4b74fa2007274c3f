package pipeline

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// A customer of whom nothing comes in any more is never recalled, so that nobody would find what is past its age of
// them. The owner of a partition walks its rows in steps, pass after pass. A step is a transaction of its own, of
// tombstones, where it finds something.
const (
	// SweepEvery is the time between two steps of a partition.
	SweepEvery = 10 * time.Second
	// A step looks at so many rows at most, and removes what belongs to so many of them. A million customers with a year of
	// facts, all in one partition, take half a day.
	sweptRows    = 4000
	removedRows  = 500
	betweenSweep = 12 * time.Hour // from the beginning of a pass to that of the next
	// sweepIdle is after how long without a record a partition is taken to have none left to read.
	sweepIdle = 10 * time.Minute
)

// sweeps are how far the owner of each partition has come.
type sweeps struct {
	mutex sync.Mutex
	all   map[int]*sweep
}

// sweep is that of one partition, and used by its worker alone.
type sweep struct {
	busy   time.Time // when it was taken over, or had a record to handle last
	newest time.Time // when the newest record was received that was handled since it was taken over
	began  time.Time // of the last pass
	next   []byte    // where that goes on; nil when it is over
}

func (s *sweeps) of(partition int) *sweep {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.all == nil {
		s.all = make(map[int]*sweep)
	}
	if s.all[partition] == nil {
		s.all[partition] = &sweep{}
	}
	return s.all[partition]
}

// taken begins anew what is known of the partition's records. Rows are walked on from where that was left.
func (s *sweep) taken(now time.Time) { s.busy, s.newest = now, time.Time{} }

// handled notes up to when records were received that are done.
func (s *sweep) handled(received time.Time) {
	if received.After(s.newest) {
		s.newest = received
	}
}

// clock is the time by which rows have an age: no record that is yet to come was received before it. Where old ones are
// being read, after a rebuild say, that is the time of theirs; zero where it is unknown.
func (s *sweep) clock(now time.Time) time.Time {
	if now.Sub(s.busy) < sweepIdle && s.newest.Before(now) {
		return s.newest
	}
	return now
}

func (s *sweep) due(now time.Time) bool { return s.next != nil || now.Sub(s.began) >= betweenSweep }

// Sweep is the next step through the rows of a partition, nil when none is due.
func (t *Transformer) Sweep(partition int) Changes {
	s, now := t.sweeps.of(partition), t.now()
	clock := s.clock(now)
	if clock.IsZero() || !s.due(now) {
		return nil
	}
	step := &sweepStep{Overlay: t.state.Begin(partition), sweep: s, began: now, log: t.log.With(zap.Int("partition", partition))}
	step.next = step.walk(s.next, clock)
	return step
}

// sweepStep is one transaction without records.
type sweepStep struct {
	Overlay
	sweep   *sweep
	began   time.Time
	next    []byte
	removed int
	log     *zap.Logger
}

// walk removes what is past its age, and returns where to go on, nil at the end.
func (s *sweepStep) walk(from []byte, clock time.Time) (next []byte) {
	seen, found := 0, 0
	for _, kind := range subscriber.AgedRows() {
		for key, value := range s.ScanFrom([]byte(kind), from) {
			if seen == sweptRows || found == removedRows {
				return key
			}
			seen++
			if subscriber.PastAge(key, value, clock) && !s.waits(key) {
				found++
				s.removed += subscriber.Remove(s, key)
			}
		}
	}
	return nil
}

// waits tells whether a row is that of a customer of whom something was put aside or asked: what becomes of that is decided
// with what is known now.
func (s *sweepStep) waits(key []byte) bool {
	of, ok := subscriber.DeletedCustomer(key)
	if !ok {
		return false
	}
	for _, kind := range []string{parkedRows, askRows} {
		for range s.Scan([]byte(kind + of + "/")) {
			return true
		}
	}
	return false
}

// Outputs are tombstones.
func (s *sweepStep) Outputs() ([]kafka.Record, error) { return s.Rows() }

// Ended goes on, or will take the same step again.
func (s *sweepStep) Ended(committed bool) {
	if !committed {
		s.Drop()
		return
	}
	s.Apply()
	if s.sweep.next == nil {
		s.sweep.began = s.began
	}
	s.sweep.next = s.next
	if s.removed > 0 {
		s.log.Info("rows past their age removed", zap.Int("rows", s.removed))
	}
}
