package bloomreach

import (
	"context"
	"sync"

	"golang.org/x/time/rate"
)

// Budget limits the requests to one address: Bloomreach limits them per IP, whatever their project, by default to 6,000 a minute
// (https://documentation.bloomreach.com/engagement/reference/tracking-api-overview-2). Clients of one address share a Budget. It
// halves its rate when Bloomreach answers 429, and returns to the full rate with the requests that pass. It is safe for concurrent
// use. A nil Budget limits nothing.
type Budget struct {
	limiter *rate.Limiter
	full    rate.Limit

	mu sync.Mutex
}

// Limits of the adapted rate.
const (
	leastShare = 0.02 // of the full rate
	recovery   = 1.02 // with each request that passes
)

// NewBudget returns the budget of one process for an address: perMinute requests, divided by the number of processes that share the
// address.
func NewBudget(perMinute, processes int) *Budget {
	full := rate.Limit(float64(max(perMinute, 1)) / 60 / float64(max(processes, 1)))
	return &Budget{limiter: rate.NewLimiter(full, max(1, int(full))), full: full}
}

// wait returns when another request may be sent. The error is that of the context.
func (b *Budget) wait(ctx context.Context) error {
	if b == nil {
		return nil
	}
	return b.limiter.Wait(ctx)
}

// answered adapts the rate to an answer.
func (b *Budget) answered(tooMany bool) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.limiter.Limit()
	switch {
	case tooMany:
		b.limiter.SetLimit(max(now/2, b.full*leastShare))
	case now < b.full:
		b.limiter.SetLimit(min(now*recovery, b.full))
	}
}
