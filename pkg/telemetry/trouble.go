package telemetry

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// troubleEvery is the time between two warnings about the same trouble.
const troubleEvery = time.Minute

// Trouble logs that a destination fails, at once and then at most every minute, and when it works again.
type Trouble struct {
	Name   string // of the destination, the start of the lines
	Log    *zap.Logger
	Fields []zap.Field // of each line
	Now    func() time.Time

	mu       sync.Mutex
	failures int // since the last success
	since    time.Time
	warned   time.Time
}

// Failed logs a failure, what it means for the record, and when the next attempt is.
func (t *Trouble) Failed(cause error, consequence, next string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.Now()
	if t.failures++; t.failures == 1 {
		t.since, t.warned = now, time.Time{}
	}
	if !t.warned.IsZero() && now.Sub(t.warned) < troubleEvery {
		return
	}
	t.warned = now
	t.Log.With(t.Fields...).Warn(t.Name+" failed", zap.Error(cause), zap.String("consequence", consequence), zap.String("next_try", next),
		zap.Int("failures", t.failures), zap.Duration("failing_for", now.Sub(t.since)))
}

// Over logs that a destination works again, if it failed before.
func (t *Trouble) Over() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failures == 0 {
		return
	}
	t.Log.With(t.Fields...).Info(t.Name+" works again", zap.Int("failures", t.failures), zap.Duration("failed_for", t.Now().Sub(t.since)))
	t.failures = 0
}
