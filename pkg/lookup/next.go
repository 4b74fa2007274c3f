package lookup

import (
	"container/heap"
	"context"
	"math"
	"time"
)

// call is one ask under way.
type call struct {
	ctx      context.Context // ends when the ask is forgotten
	end      func()
	customer *customer
	ask      *ask
}

// next waits for the ask that is due next, nil when ctx ended first.
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

// never is how long to wait for what only a change brings.
const never = time.Duration(math.MaxInt64)

// take begins with an ask that is due, or tells how long there will be none.
func (s *store) take(ctx context.Context) (begun *call, wait time.Duration, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	if s.failures > 0 && s.underWay > 0 { // one at a time finds out whether the API is back
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
	begun := &call{customer: c, ask: c.next}
	begun.ctx, begun.end = context.WithCancel(ctx)
	s.takeOut(c)
	begun.ask.tries++
	c.asking, c.giveUp = begun.ask, begun.end
	s.underWay++
	return begun
}

// putIn lets a customer wait for their next ask, or go if there is none.
func (s *store) putIn(c *customer) {
	if len(c.asks) == 0 {
		delete(s.customers, c.key)
		return
	}
	c.choose()
	heap.Push(&s.due[rank(c.next)], c)
}

// takeOut takes a customer from those who wait, if they do.
func (s *store) takeOut(c *customer) {
	if c.next == nil {
		return
	}
	heap.Remove(&s.due[rank(c.next)], c.place)
	c.next = nil
}
