package recharge

import (
	"context"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limit is what an answer's x-recharge-limit says, "used/size": how many calls
// the token's bucket holds, and how many fit. The zero Limit says nothing.
// Recorded as "1/40" by https://github.com/NangoHQ/integration-templates, integrations/recharge.
type Limit struct{ Used, Size int }

// ParseLimit reads the header; ok is false for anything but "used/size".
func ParseLimit(header string) (l Limit, ok bool) {
	used, size, _ := strings.Cut(strings.TrimSpace(header), "/")
	u, err := strconv.Atoi(used)
	s, errSize := strconv.Atoi(size)
	if err != nil || errSize != nil || u < 0 || s < 1 || s > 1_000_000 {
		return Limit{}, false
	}
	return Limit{Used: u, Size: s}, true
}

// "a leaky bucket": 40 calls, of which two a second leak out; some tokens are
// granted more (https://docs.getrecharge.com/docs/api-rate-limits). A bigger
// bucket is taken to leak as much faster: it is empty after the same 20 s.
const emptyAfter = 20 * time.Second

// How full the bucket may be made: three quarters, the rest is for those whose calls
// are under way at the same moment. Who is told to wait fills it less for a while.
const (
	mostFill, leastFill = 0.75, 0.25
	fillLess, fillMore  = 0.1, 0.005
)

// Budget shares a token's bucket with everybody else who uses the token, in this
// process and in others, without a word between them: each answer tells how full
// the bucket is, and no call is made that would fill it above three quarters. With
// the documented bucket up to five processes never overflow it, and each of them goes
// on, for what a process knows of the bucket's level leaks away in time. More of
// them meet a 429 at times, wait as it asks, and leave more room.
//
// Wait before each call, Answered after it. Safe for concurrent use.
type Budget struct {
	now func() time.Time

	mu       sync.Mutex
	fill     float64   // how full the bucket may be made, of 1
	size     int       // of the bucket, 0 while nothing is known
	level    float64   // of the bucket at that time, at least
	at       time.Time // of the latest answer
	until    time.Time // no call before
	underWay int
	changed  chan struct{} // closed when a wait may be over earlier
}

// NewBudget knows nothing of the bucket yet: its first call is made alone.
func NewBudget(now func() time.Time) *Budget {
	return &Budget{now: now, fill: mostFill, changed: make(chan struct{})}
}

// Wait returns nil when a call may be made, which Answered must follow, or the
// error of ctx.
func (b *Budget) Wait(ctx context.Context) error {
	for {
		wait, changed := b.take()
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

// Answered tells how a call ended: the limit that came with its answer, zero if
// none did, and how long the answer forbids the next call.
func (b *Budget) Answered(limit Limit, pause time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.underWay--
	if limit.Size > 0 { // a slow answer tells of earlier than a quick one that came before
		level := float64(limit.Used)
		if limit.Size == b.size {
			level = max(level, b.leaked(now))
		}
		b.size, b.level, b.at = limit.Size, level, now
	}
	b.fill = min(mostFill, b.fill+fillMore)
	if pause > 0 {
		b.fill = max(leastFill, b.fill-fillLess)
		if until := now.Add(pause); until.After(b.until) {
			b.until = until
		}
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// take takes a call if wait is 0.
func (b *Budget) take() (wait time.Duration, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	wait = b.wait(b.now())
	if wait == 0 {
		b.underWay++
	}
	return wait, b.changed
}

// wait is 0 if one more call fits at now.
func (b *Budget) wait(now time.Time) time.Duration {
	if now.Before(b.until) {
		return b.until.Sub(now)
	}
	if b.underWay >= max(1, int(b.leak())) {
		return math.MaxInt64 // until one is answered
	}
	if b.size == 0 {
		return 0
	}
	over := b.leaked(now) + float64(b.underWay) + 1 - max(1, b.fill*float64(b.size))
	if over <= 0 {
		return 0
	}
	return max(time.Millisecond, time.Duration(over/b.leak()*float64(time.Second)))
}

// leak is how many calls leak in a second.
func (b *Budget) leak() float64 { return float64(b.size) / emptyAfter.Seconds() }

// leaked is what is left of the known level.
func (b *Budget) leaked(now time.Time) float64 {
	return max(0, b.level-b.leak()*now.Sub(b.at).Seconds())
}
