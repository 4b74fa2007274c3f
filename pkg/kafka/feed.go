package kafka

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// feed is what was read of one partition and not taken by its worker yet. The prefetch's mutex guards it.
type feed struct {
	wire.Partition
	ready chan<- struct{} // tells the worker

	position  int64 // the next to fetch
	chunks    []chunk
	buffered  int // bytes
	fetching  bool
	turn      int // when it was last answered
	version   int // counts seeks: what was asked for before the last one is of no use
	notBefore time.Time
	retry     backoff
	halted    error
	behind    time.Time // since when a broker has said that the partition ends before position; zero when none does
}

// chunk is the records of one answer, and where to go on behind them.
type chunk struct {
	records []Record
	next    int64
	size    int
	jump    bool // next is not where the chunk before ended: what was between is gone
}

// wants tells whether to fetch more: a little ahead of the worker, and not much.
func (f *feed) wants(now time.Time) bool {
	return !f.fetching && f.halted == nil && f.buffered < fetchBytes/2 && !now.Before(f.notBefore)
}

// take returns the next chunk; a jump only when the worker holds nothing from before it.
func (f *feed) take(holds bool) (chunk, bool) {
	if len(f.chunks) == 0 || holds && f.chunks[0].jump {
		return chunk{}, false
	}
	next := f.chunks[0]
	f.chunks = f.chunks[1:]
	f.buffered -= next.size
	return next, true
}

// put takes in what was fetched.
func (f *feed) put(c chunk) {
	f.retry.reset()
	f.behind = time.Time{}
	f.position = c.next
	f.chunks = append(f.chunks, c)
	f.buffered += c.size
	select {
	case f.ready <- struct{}{}:
	default: // it was told
	}
}

// seek goes on from another offset.
func (f *feed) seek(offset int64) {
	f.version++
	f.position, f.chunks, f.buffered = offset, nil, 0
}
