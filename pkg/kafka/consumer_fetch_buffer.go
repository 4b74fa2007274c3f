package kafka

import (
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// fetchedPartition is a partition that a fetcher fetches, with a buffer for each consumer. The fetcher's mutex guards it.
type fetchedPartition struct {
	wire.Partition
	buffers   []*fetchBuffer
	turn      int   // of the last response with this partition
	end       int64 // the newest known last stable offset, below 0 before the first response
	expansion int   // how many times as many bytes the last records had when they were decompressed
	near      nearReplica
}

// firstExpansion is the assumption before the first records, mostExpansion the largest one: a few records may say nothing about the next.
const firstExpansion, mostExpansion = 8, 64

// leastFetch is the least limit of a fetch in bytes: of several partitions with larger batches, a response has one.
const leastFetch = 64 << 10

// maxBytes limits the bytes of a fetch, so that its records have about half of PartitionFetchBytes when they are decompressed.
func (p *fetchedPartition) maxBytes() int32 {
	return max(conn.PartitionFetchBytes/2/int32(max(p.expansion, 1)), leastFetch)
}

// request returns the next request for the partition, for all buffers at the same offset. First requests wait for records, so they
// prefer the buffers at the end; second requests are for those behind it only. Among these it is the turn of the one whose last
// response is the oldest.
func (p *fetchedPartition) request(second bool, now time.Time) (part partitionRequest, wanted bool) {
	first := p.next(second, now)
	if first == nil {
		return part, false
	}
	part = partitionRequest{fetchedPartition: p, offset: first.position, at: now}
	for _, b := range p.buffers {
		if b.wantsMore(now) && b.position == first.position {
			b.fetching = true
			part.readers = append(part.readers, fetchReader{fetchBuffer: b, version: b.version})
		}
	}
	return part, true
}

// next returns the buffer whose turn it is; nil if none wants more.
func (p *fetchedPartition) next(second bool, now time.Time) (next *fetchBuffer) {
	for _, b := range p.buffers {
		if !b.wantsMore(now) || second && p.atEnd(b) {
			continue
		}
		if next == nil || p.before(b, next) {
			next = b
		}
	}
	return next
}

// before reports whether it is a buffer's turn before another's.
func (p *fetchedPartition) before(b, other *fetchBuffer) bool {
	if p.atEnd(b) != p.atEnd(other) {
		return p.atEnd(b)
	}
	return b.turn < other.turn
}

// atEnd reports whether no records are known behind a buffer's position.
func (p *fetchedPartition) atEnd(b *fetchBuffer) bool { return p.end >= 0 && b.position >= p.end }

// retryAfter returns when the next of the buffers that failed is fetched again, 0 for none.
func (p *fetchedPartition) retryAfter(now time.Time) (wait time.Duration) {
	for _, b := range p.buffers {
		if left := b.notBefore.Sub(now); left > 0 && (wait == 0 || left < wait) {
			wait = left
		}
	}
	return wait
}

// fetchBuffer holds the records of one partition that a worker has not taken yet, and the position of the next fetch. The
// fetcher's mutex guards it.
type fetchBuffer struct {
	wire.Partition
	consumer *Consumer
	log      *zap.Logger
	ready    chan<- struct{} // wakes the worker

	position    int64 // the next offset to fetch
	fetches     []completedFetch
	buffered    int // bytes
	fetching    bool
	turn        int // of the last response or failure
	version     int // counts seeks: responses to earlier requests are dropped
	notBefore   time.Time
	backoff     conn.Backoff
	haltedBy    error
	behindSince time.Time // since when brokers report an end before position; zero if they don't
	wholeAt     time.Time // of the last fetch that had nothing after it
	wakesAtEnd  bool      // ready is for such a fetch without records, too
}

// wantsMore reports whether to fetch now: fetching is a little ahead of the worker, to limit memory.
func (b *fetchBuffer) wantsMore(now time.Time) bool {
	return !b.fetching && b.haltedBy == nil && b.buffered < conn.PartitionFetchBytes/2 && !now.Before(b.notBefore)
}

// take returns the next fetch. An offset reset is returned only when the worker holds no earlier records.
func (b *fetchBuffer) take(holds bool) (completedFetch, bool) {
	if len(b.fetches) == 0 || holds && b.fetches[0].reset {
		return completedFetch{}, false
	}
	next := b.fetches[0]
	b.fetches = b.fetches[1:]
	b.buffered -= next.size
	return next, true
}

// deliver adds the response to a request from an offset on, unless the buffer has moved since the request.
func (r fetchReader) deliver(found completedFetch, offset int64) {
	if r.fetchBuffer.version != r.version {
		return
	}
	r.backoff.Reset()
	r.behindSince = time.Time{}
	if !found.wholeAt.IsZero() {
		r.wholeAt = found.wholeAt
	}
	if found.next > offset {
		r.put(found)
	} else if r.wakesAtEnd {
		r.wakeUp()
	}
}

// put adds a fetch.
func (b *fetchBuffer) put(c completedFetch) {
	b.behindSince = time.Time{}
	b.position = c.next
	b.fetches = append(b.fetches, c)
	b.buffered += c.size
	b.wakeUp()
}

// wakeUp wakes the worker.
func (b *fetchBuffer) wakeUp() {
	select {
	case b.ready <- struct{}{}:
	default: // already awake
	}
}

// seek drops what was fetched and sets the position.
func (b *fetchBuffer) seek(offset int64) {
	b.version++
	b.position, b.fetches, b.buffered = offset, nil, 0
}

// take takes the next fetch of a buffer.
func (f *fetcher) take(b *fetchBuffer, holds bool) (completedFetch, bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	c, ok := b.take(holds)
	if ok && b.wantsMore(time.Now()) {
		f.wakeUp()
	}
	return c, ok
}

// whole returns when a partition had no more records than were taken of a buffer, at the latest as is known; zero if that is not known.
func (f *fetcher) whole(b *fetchBuffer) time.Time {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if len(b.fetches) > 0 {
		return time.Time{}
	}
	return b.wholeAt
}

// seek continues a buffer from another offset.
func (f *fetcher) seek(b *fetchBuffer, offset int64) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	b.seek(offset)
	f.wakeUp()
}
