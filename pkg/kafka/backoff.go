package kafka

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is an exponential wait with full jitter: the n-th wait is anything up to first·2ⁿ, never above most.
type backoff struct {
	first, most time.Duration
	waits       int
}

func (b *backoff) reset() { b.waits = 0 }

// next returns how long to wait now.
func (b *backoff) next() time.Duration {
	ceiling := b.first
	for range b.waits {
		if ceiling *= 2; ceiling >= b.most {
			ceiling = b.most
			break
		}
	}
	b.waits++
	return rand.N(ceiling) + 1
}

// wait waits and tells whether ctx still lasts.
func (b *backoff) wait(ctx context.Context) bool { return b.waitAtLeast(ctx, 0) }

// waitAtLeast is wait with a floor under the pause.
func (b *backoff) waitAtLeast(ctx context.Context, floor time.Duration) bool {
	timer := time.NewTimer(max(floor, b.next()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
