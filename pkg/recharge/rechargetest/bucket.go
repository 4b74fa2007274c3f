package rechargetest

import (
	"fmt"
	"math"
	"net/http"
	"time"
)

// Bucket is a leaky bucket: each call adds one. A call that does not fit is answered with 429.
type Bucket struct {
	Size       int
	PerSecond  float64 // leaks
	RetryAfter string  // header of the 429, none when empty; it is documented nowhere
}

// StandardBucket holds 40 calls and leaks 2 per second (https://docs.getrecharge.com/docs/api-rate-limits); some tokens have a
// larger one.
func StandardBucket() Bucket { return Bucket{Size: 40, PerSecond: 2} }

type bucket struct {
	Bucket
	level float64
	last  time.Time
}

// take returns the value of x-recharge-limit (used/size), and a 429 if the call does not fit.
func (b *bucket) take(now time.Time) (*answer, string) {
	if !b.last.IsZero() && now.After(b.last) {
		b.level = max(0, b.level-b.PerSecond*now.Sub(b.last).Seconds())
	}
	b.last = now
	var over *answer
	if b.level+1 > float64(b.Size) {
		refused := refuse(http.StatusTooManyRequests, ShapeError, "", "Too many requests (simulator)")
		refused.retryAfter = b.RetryAfter
		over = &refused
	} else {
		b.level++
	}
	return over, fmt.Sprintf("%d/%d", int(math.Ceil(b.level)), b.Size)
}
