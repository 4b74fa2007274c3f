package access

import (
	"hash/maphash"
	"sync"
	"time"
)

// limit limits how often something happens for each of many keys: a burst, then once in a while. It has a fixed number of counters and divides the keys
// among them at random, so that keys that somebody makes up take no memory.
type limit struct {
	seed  maphash.Seed
	burst int
	every time.Duration

	mu   sync.Mutex
	full []time.Time // when each counter would be full again: GCRA, https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
}

func newLimit(counters, burst int, every time.Duration) *limit {
	return &limit{seed: maphash.MakeSeed(), burst: burst, every: every, full: make([]time.Time, counters)}
}

// take counts one for a key. If there were too many, it does not, and returns how long to wait.
func (l *limit) take(key string, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.counter(key)
	full := l.full[at]
	if full.Before(now) {
		full = now
	}
	full = full.Add(l.every)
	if wait = full.Sub(now) - time.Duration(l.burst)*l.every; wait > 0 {
		return wait
	}
	l.full[at] = full
	return 0
}

// giveBack undoes a take.
func (l *limit) giveBack(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.counter(key)
	l.full[at] = l.full[at].Add(-l.every)
}

func (l *limit) counter(key string) uint64 {
	return maphash.String(l.seed, key) % uint64(len(l.full))
}
