package recharge

import (
	"context"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limit is the x-recharge-limit header of a response, "used/size": the level and the size of the token's leaky bucket. The zero
// Limit means that the header was missing. Recorded as "1/40" by https://github.com/NangoHQ/integration-templates,
// integrations/recharge.
type Limit struct{ Used, Size int }

// ParseLimit parses the header; ok is false for anything but "used/size".
func ParseLimit(header string) (l Limit, ok bool) {
	used, size, _ := strings.Cut(strings.TrimSpace(header), "/")
	u, err := strconv.Atoi(used)
	s, errSize := strconv.Atoi(size)
	if err != nil || errSize != nil || u < 0 || s < 1 || s > 1_000_000 {
		return Limit{}, false
	}
	return Limit{Used: u, Size: s}, true
}

// drainTime is how long a full bucket takes to drain: 40 calls, of which two leak per second
// (https://docs.getrecharge.com/docs/api-rate-limits). Some tokens have a larger bucket. It is assumed to leak faster in
// proportion.
const drainTime = 20 * time.Second

// The part of the bucket that this process fills: three quarters. The rest is for concurrent calls of other processes. After a
// pause the part is smaller for a while.
const (
	maxFill, minFill           = 0.75, 0.25
	fillDecrease, fillIncrease = 0.1, 0.005
)

// RateLimiter shares a token's rate limit with all callers that use the token, in this process and in others. They don't
// communicate: each response has the level of the bucket, and no call is made that would fill it above three quarters. With the
// documented bucket up to five processes never overflow it, and each of them makes progress, because the known level leaks away
// over time. More processes get a 429 at times, wait, and leave more room.
//
// Call Wait before each call and Done after it. It is safe for concurrent use.
type RateLimiter struct {
	now func() time.Time

	mu       sync.Mutex
	fill     float64       // share of the bucket that may be filled
	size     int           // of the bucket, 0 while unknown
	level    float64       // known level of the bucket at the time at
	at       time.Time     // of the latest answer
	until    time.Time     // no call before
	inFlight int           // calls between Wait and Done
	changed  chan struct{} // closed when a wait may be over earlier
}

// NewRateLimiter returns a limiter. The level of the bucket is unknown, so the first call is made alone.
func NewRateLimiter(now func() time.Time) *RateLimiter {
	return &RateLimiter{now: now, fill: maxFill, changed: make(chan struct{})}
}

// Wait blocks until a call may be made. Done must be called after the call. If ctx ends first, Wait returns its error.
func (r *RateLimiter) Wait(ctx context.Context) error {
	for {
		wait, changed := r.reserve()
		if wait == 0 {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// Done ends a call. limit is that of the response, pause is how long the response forbids further calls.
func (r *RateLimiter) Done(limit Limit, pause time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	r.inFlight--
	if limit.Size > 0 {
		level := float64(limit.Used)
		if limit.Size == r.size {
			level = max(level, r.levelAt(now)) // a slow answer can carry an older level than a quick one before it
		}
		r.size, r.level, r.at = limit.Size, level, now
	}
	r.fill = min(maxFill, r.fill+fillIncrease)
	if pause > 0 {
		r.fill = max(minFill, r.fill-fillDecrease)
		if until := now.Add(pause); until.After(r.until) {
			r.until = until
		}
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

// reserve starts a call when wait is 0.
func (r *RateLimiter) reserve() (wait time.Duration, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	wait = r.wait(r.now())
	if wait == 0 {
		r.inFlight++
	}
	return wait, r.changed
}

// wait returns 0 if one more call fits at now.
func (r *RateLimiter) wait(now time.Time) time.Duration {
	if now.Before(r.until) {
		return r.until.Sub(now)
	}
	if r.inFlight >= max(1, int(r.leakRate())) {
		return math.MaxInt64 // until one is done
	}
	if r.size == 0 {
		return 0
	}
	over := r.levelAt(now) + float64(r.inFlight) + 1 - max(1, r.fill*float64(r.size))
	if over <= 0 {
		return 0
	}
	return max(time.Millisecond, time.Duration(over/r.leakRate()*float64(time.Second)))
}

// leakRate returns how many calls leak per second.
func (r *RateLimiter) leakRate() float64 { return float64(r.size) / drainTime.Seconds() }

// levelAt returns the known level minus the calls that have leaked since.
func (r *RateLimiter) levelAt(now time.Time) float64 {
	return max(0, r.level-r.leakRate()*now.Sub(r.at).Seconds())
}
