package kafka

import (
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

// maxHandlerBytes limits the batch of a handler, except for a single larger record.
const maxHandlerBytes = 4 << 20

// assignedPartition is the state of a partition in its worker.
type assignedPartition struct {
	*fetchBuffer
	fetcher         *fetcher
	filter          func(Record) bool // nil: all records are handled
	tracker         *offsetTracker
	alreadyFinished []OffsetRange // finished out of order by a previous owner
	repeated        bool          // the committer repeats its commit
	pending         []Record      // unfinished records in order
	pausedUntil     time.Time     // after a handler failed
	backoff         conn.Backoff
}

// fill takes fetched records until there are enough for a batch. It reports whether the offset to commit may have changed
// although no record was handled.
func (p *assignedPartition) fill(maxRecords int) (moved bool) {
	before := p.tracker.next()
	for len(p.pending) < maxRecords {
		c, ok := p.fetcher.take(p.fetchBuffer, len(p.pending) > 0)
		if !ok {
			break
		}
		if c.reset {
			p.tracker.reset(c.next)
			p.alreadyFinished = nil
		}
		for _, r := range p.filtered(c.records) {
			p.tracker.add(r.Offset)
			if contains(p.alreadyFinished, r.Offset) {
				p.tracker.finish(r.Offset)
				continue
			}
			p.pending = append(p.pending, r)
		}
		p.tracker.advance(c.next)
	}
	return p.tracker.next() != before
}

// knowsFinished reports whether the tracker has all records that a previous owner finished out of order.
func (p *assignedPartition) knowsFinished() bool {
	n := len(p.alreadyFinished)
	return n == 0 || p.tracker.end() >= p.alreadyFinished[n-1].End
}

// filtered returns the records that are to be handled. If there are others they are copies, because a paused partition would
// keep the fetch responses of all in memory.
func (p *assignedPartition) filtered(records []Record) []Record {
	if p.filter == nil {
		return records
	}
	var selected []Record
	for _, r := range records {
		if p.filter(r) {
			selected = append(selected, r)
		}
	}
	if len(selected) == len(records) {
		return records
	}
	for i := range selected {
		selected[i] = selected[i].Clone()
	}
	return selected
}

// batch returns the next records to handle.
func (p *assignedPartition) batch(maxRecords int) []Record {
	size, n := 0, 0
	for n < min(len(p.pending), maxRecords) {
		if size += p.pending[n].Size(); n > 0 && size > maxHandlerBytes {
			break
		}
		n++
	}
	return p.pending[:n:n]
}

// trackable returns as many of the records as offset metadata can represent, whichever of them are finished.
func (p *assignedPartition) trackable(records []Record) []Record {
	next, above := p.tracker.progress()
	return records[:min(len(records), maxTrackable(next, records[len(records)-1].Offset, above))]
}

// finish removes finished records.
func (p *assignedPartition) finish(finished []bool) {
	for len(finished) > 0 && finished[0] { // usually all
		p.tracker.finish(p.pending[0].Offset)
		p.pending, finished = p.pending[1:], finished[1:]
	}
	if len(p.pending) == 0 {
		p.pending = nil
	}
	if len(finished) == 0 {
		return
	}
	left := make([]Record, 0, len(p.pending))
	for i, r := range p.pending {
		if i < len(finished) && finished[i] {
			p.tracker.finish(r.Offset)
			continue
		}
		left = append(left, r)
	}
	p.pending = left
}

// finishFirst removes the first n records.
func (p *assignedPartition) finishFirst(n int) { p.finish(slices.Repeat([]bool{true}, n)) }

// seek drops all records and continues from a committed offset.
func (p *assignedPartition) seek(to committed) {
	p.tracker.reset(to.offset)
	p.alreadyFinished = decodeFinished(to.metadata, to.offset)
	p.pending = nil
	p.fetcher.seek(p.fetchBuffer, to.offset)
}
