package bloomreach

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// breaker stops the requests to a project that fails, for all partitions together: after some failures in a row it lets one request pass at
// a time, after a pause that doubles. The first that succeeds closes it.
type breaker struct {
	now func() time.Time

	mu       sync.Mutex
	failures int // in a row
	until    time.Time
	probing  bool
}

const (
	failuresToOpen       = 5
	firstPause, maxPause = time.Second, 30 * time.Second
)

// admit returns an error without a request if the breaker is open.
func (b *breaker) admit() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < failuresToOpen {
		return nil
	}
	left := b.until.Sub(b.now())
	if left <= 0 && !b.probing {
		b.probing = true
		return nil
	}
	return &Error{
		Class: ClassRetry, RetryAfter: max(left, firstPause),
		Message: fmt.Sprintf("not sent: the last %d requests failed, waiting", b.failures),
	}
}

// answered counts a request that has ended.
func (b *breaker) answered(failed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	if !failed {
		b.failures = 0
		return
	}
	b.failures++
	if b.failures < failuresToOpen {
		return
	}
	pause := min(firstPause<<min(b.failures-failuresToOpen, 10), maxPause)
	b.until = b.now().Add(pause/2 + rand.N(pause/2)) //nolint:gosec // jitter
}

// abandoned ends a request that was not sent.
func (b *breaker) abandoned() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
}

// failed reports whether an answer is one of a project or an address that fails, not of a request.
func (a answer) failed() bool {
	return a.status == http.StatusTooManyRequests || a.status >= http.StatusInternalServerError || a.withoutResults()
}

// withoutResults reports whether an answer accepts a request and says nothing about its commands. They are sent again, and each time
// may trigger scenarios: fewer tries are better.
func (a answer) withoutResults() bool {
	if !a.ok() || bytes.Contains(a.body, []byte(`"results"`)) {
		return false
	}
	parts := parseObject(a.body)
	return !isBlocked(a, parts) && string(parts["success"]) != "false"
}
