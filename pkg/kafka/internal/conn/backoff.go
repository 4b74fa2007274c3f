package conn

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff is an exponential wait with full jitter: the n-th wait is a random time up to First·2ⁿ, Max at most.
type Backoff struct {
	First, Max time.Duration
	waits      int
}

// RequestBackoff returns the backoff of requests that somebody waits for.
func RequestBackoff() Backoff { return Backoff{First: 50 * time.Millisecond, Max: time.Second} }

// Reset starts again with First.
func (b *Backoff) Reset() { b.waits = 0 }

// Next returns how long to wait now.
func (b *Backoff) Next() time.Duration {
	ceiling := b.First
	for range b.waits {
		if ceiling *= 2; ceiling >= b.Max {
			ceiling = b.Max
			break
		}
	}
	b.waits++
	return rand.N(ceiling) + 1
}

// Wait waits for Next and returns false if ctx has ended.
func (b *Backoff) Wait(ctx context.Context) bool {
	timer := time.NewTimer(b.Next())
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
