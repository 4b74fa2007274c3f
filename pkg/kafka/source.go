package kafka

import (
	"slices"
	"time"
)

// batchBytes is the most bytes a handler gets at once, but for a single larger record.
const batchBytes = 4 << 20

// source is a partition as its worker sees it.
type source struct {
	*feed
	prefetch *prefetch
	tracker  *tracker
	skip     []offsetRange // finished by an owner before us
	pending  []Record      // handed out or about to be, in order; finished ones are gone
	until    time.Time     // the handler asked for a pause
	pause    backoff
}

// fill takes in what was fetched, until there is enough for a batch. It tells whether the offset to commit may have
// changed although nothing was handled.
func (s *source) fill(most int) (moved bool) {
	before := s.tracker.next()
	for len(s.pending) < most {
		c, ok := s.prefetch.take(s.feed, len(s.pending) > 0)
		if !ok {
			break
		}
		if c.jump {
			s.tracker.restart(c.next)
			s.skip = nil
		}
		for _, r := range c.records {
			s.tracker.deliver(r.Offset)
			if contains(s.skip, r.Offset) {
				s.tracker.finish(r.Offset)
				continue
			}
			s.pending = append(s.pending, r)
		}
		s.tracker.advance(c.next)
	}
	return s.tracker.next() != before
}

// batch is the next records to be handled.
func (s *source) batch(most int) []Record {
	size, n := 0, 0
	for n < min(len(s.pending), most) {
		if size += s.pending[n].Size(); n > 0 && size > batchBytes {
			break
		}
		n++
	}
	return s.pending[:n:n]
}

// trackable is the first of a batch's records that can be told from each other in metadata once some are finished.
func (s *source) trackable(records []Record) []Record {
	next, above := s.tracker.progress()
	return records[:min(len(records), room(next, records[len(records)-1].Offset, above))]
}

// settle takes finished records out.
func (s *source) settle(finished []bool) {
	for len(finished) > 0 && finished[0] { // most often these are all
		s.tracker.finish(s.pending[0].Offset)
		s.pending, finished = s.pending[1:], finished[1:]
	}
	if len(s.pending) == 0 {
		s.pending = nil
	}
	if len(finished) == 0 {
		return
	}
	left := make([]Record, 0, len(s.pending))
	for i, r := range s.pending {
		if i < len(finished) && finished[i] {
			s.tracker.finish(r.Offset)
			continue
		}
		left = append(left, r)
	}
	s.pending = left
}

// rewind forgets what was taken in and reads again from a committed offset.
func (s *source) rewind(to committed) {
	s.tracker.restart(to.offset)
	s.skip = finishedIn(to.metadata, to.offset)
	s.pending = nil
	s.prefetch.seek(s.feed, to.offset)
}

func (p *prefetch) take(f *feed, holds bool) (chunk, bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	c, ok := f.take(holds)
	if ok && f.wants(time.Now()) {
		p.nudge()
	}
	return c, ok
}

func (p *prefetch) seek(f *feed, offset int64) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	f.seek(offset)
	p.nudge()
}

// firstOf makes marks for the first n of a batch.
func firstOf(n int) []bool { return slices.Repeat([]bool{true}, n) }
