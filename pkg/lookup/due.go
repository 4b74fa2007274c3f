package lookup

import (
	"container/heap"
	"context"
	"math"
	"time"
)

// call is a running API call.
type call struct {
	ctx      context.Context // ends when the request is removed
	end      func()
	customer *customer
	request  *pending
}

// next waits for the next due request; it returns nil if ctx ends first.
func (s *store) next(ctx context.Context) *call {
	for ctx.Err() == nil {
		begun, wait, changed := s.take(ctx)
		if begun != nil {
			return begun
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return nil
}

// never is the wait when no request is scheduled.
const never = time.Duration(math.MaxInt64)

// take starts a due request, or returns the time until one is due.
func (s *store) take(ctx context.Context) (begun *call, wait time.Duration, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	if s.failures > 0 && s.running > 0 { // one call at a time until one succeeds
		return nil, never, s.changed
	}
	if now.Before(s.until) {
		return nil, s.until.Sub(now), s.changed
	}
	wait = never
	for _, due := range s.due {
		if len(due) == 0 {
			continue
		}
		if left := due[0].next.at.Sub(now); left > 0 {
			wait = min(wait, left)
			continue
		}
		return s.begin(ctx, due[0]), 0, nil
	}
	return nil, wait, s.changed
}

func (s *store) begin(ctx context.Context, c *customer) *call {
	begun := &call{customer: c, request: c.next}
	begun.ctx, begun.end = context.WithCancel(ctx)
	s.removeFromHeap(c)
	begun.request.calls++
	c.running, c.cancel = begun.request, begun.end
	s.running++
	return begun
}

// enqueue puts a customer into the heap of their next request, or removes them if they have none.
func (s *store) enqueue(c *customer) {
	if len(c.pending) == 0 {
		delete(s.customers, c.key)
		return
	}
	c.choose()
	heap.Push(&s.due[rank(c.next)], c)
}

// removeFromHeap does nothing for a customer who is in no heap.
func (s *store) removeFromHeap(c *customer) {
	if c.next == nil {
		return
	}
	heap.Remove(&s.due[rank(c.next)], c.index)
	c.next = nil
}
