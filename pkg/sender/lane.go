package sender

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// lane is the calls of one store. While calls fail, it pauses for longer and longer and then tries one text.
type lane struct {
	role, store string
	driver      sms.Driver
	abilities   sms.Abilities
	log         *zap.Logger
	atOnce      int
	metrics     Metrics
	now         func() time.Time
	problems    *telemetry.Trouble

	mutex    sync.Mutex
	taken    int       // texts reserved or in flight
	pace     pace      // of the provider
	failures int       // in a row
	until    time.Time // nothing is sent before
	why      error     // of the last failure
	refusals refusals
}

const (
	firstPause, longestPause = time.Second, 30 * time.Second
	// tolerated is how many failures in a row pause no store: one text may fail for its own reasons.
	tolerated = 1
)

func newLane(store string, l Lane, c Config) *lane {
	return &lane{
		role: c.Role, store: store, driver: l.Driver, abilities: l.Abilities, log: c.Log, atOnce: l.AtOnce, metrics: c.Metrics, now: c.Now,
		refusals: refusals{of: map[string]refusal{}}, pace: pace{perSecond: l.Abilities.PerSecond},
		problems: &telemetry.Trouble{Name: "sms gateway", Log: c.Log, Now: c.Now, Fields: []zap.Field{zap.String("role", c.Role), zap.String("store", store)}},
	}
}

// reserve takes room for so many texts, or for as many as there is room, and returns for how many.
func (l *lane) reserve(texts int) int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	room := l.atOnce
	if l.failures > tolerated {
		room = 1
	}
	if l.now().Before(l.until) || room <= l.taken {
		return 0
	}
	n := l.pace.take(min(texts, room-l.taken), l.now())
	l.taken += n
	return n
}

func (l *lane) take() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.taken++
	l.pace.left--
}

// giveBack gives back room that was reserved and not used.
func (l *lane) giveBack(n int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.taken -= n
	l.pace.left += float64(n)
}

func (l *lane) release(n int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.taken -= n
}

// works ends a pause.
func (l *lane) works() {
	l.mutex.Lock()
	l.failures, l.until, l.why = 0, time.Time{}, nil
	l.refusals.accepted++
	l.mutex.Unlock()
	l.problems.Over()
	l.metrics.Paused(l.role, l.store, false)
}

// fails counts a failure. It pauses the store for as long as the provider asks for, or if the one before failed, too. It returns when the
// store goes on.
func (l *lane) fails(why error, after time.Duration) (again time.Time) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.failures++
	l.why = why
	if after == 0 && l.failures > tolerated {
		after = pause(l.failures - tolerated)
	}
	if at := l.now().Add(after); after > 0 && at.After(l.until) {
		l.until = at
	}
	if again = l.now().Add(firstPause); again.Before(l.until) {
		return l.until
	}
	return again
}

// pause returns the length of a pause, which doubles with each. Up to a quarter is random, so that processes don't try at the same moment.
func pause(nth int) time.Duration {
	longest := longestPause
	if doubled := firstPause << min(nth-1, 10); doubled < longest {
		longest = doubled
	}
	return longest - rand.N(longest/4+1) //nolint:gosec // no secret
}

// trouble returns why the store's texts wait, nil if they don't.
func (l *lane) trouble() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.failures <= tolerated && !l.now().Before(l.until) {
		return nil
	}
	failure := &sms.SendError{}
	if errors.As(l.why, &failure) {
		return fmt.Errorf("%d calls failed in a row (%s)", l.failures, failure.Code)
	}
	return fmt.Errorf("%d calls failed in a row", l.failures)
}
