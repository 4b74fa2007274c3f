package reload

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

// Source is a configuration that can be loaded again, and when to do so.
type Source struct {
	// Loaded is the configuration at the start.
	Loaded config.Loaded
	// Hangups has a value for each SIGHUP; nil for none.
	Hangups <-chan os.Signal
	// Ticks are the times at which to look whether files have changed; nil for never. The files are read: watching them would need the
	// directories of all symbolic links on the way, and does not work on network file systems.
	Ticks <-chan time.Time
}

// Metrics gets the outcome of each reload.
type Metrics interface {
	// Reloaded sets that a configuration was taken up, except of so many keys that need a restart.
	Reloaded(at time.Time, pending int)
	ReloadFailed()
}

// Loop loads a configuration again and again, one at a time.
type Loop struct {
	Source

	// TakeUp takes up the changes that need no restart. next has them, and the values in force of all other keys. After an error nothing has
	// changed.
	TakeUp  func(ctx context.Context, next config.Config, changes []config.Change) error
	Metrics Metrics
	Log     *zap.Logger
	Now     func() time.Time

	inForce config.Config
	trouble atomic.Pointer[error]
}

// Run loads the configuration at each hangup, and when its files have changed and then stayed the same from one tick to the next, so that
// no file is read while it is written. It ends with ctx.
func (l *Loop) Run(ctx context.Context) {
	l.inForce = l.Loaded.Config
	last := l.Loaded // what was loaded last, perhaps with faults: they are not reported again
	seen := last.Digest()
	for {
		trigger := "SIGHUP"
		select {
		case <-ctx.Done():
			return
		case <-l.Hangups:
		case <-l.Ticks:
			before := seen
			if seen = last.DigestNow(); seen != before || seen == last.Digest() {
				continue
			}
			trigger = "changed file"
		}
		last = l.load(ctx, trigger)
		seen = last.Digest()
	}
}

// Trouble is a check for /readyz: why the last configuration was not taken up, or what of it needs a restart.
func (l *Loop) Trouble() error {
	if trouble := l.trouble.Load(); trouble != nil {
		return *trouble
	}
	return nil
}

// load loads the configuration and takes it up. It returns what was loaded.
func (l *Loop) load(ctx context.Context, trigger string) config.Loaded {
	loaded, err := l.Loaded.Reload()
	if err != nil {
		l.failed(err, trigger)
		return loaded
	}
	taken, pending := l.difference(loaded.Config)
	if len(taken) > 0 {
		err = l.TakeUp(ctx, l.inForce.TakeUp(loaded.Config), taken)
	}
	switch {
	case ctx.Err() != nil: // the process stops
		return loaded
	case err != nil:
		l.failed(err, trigger)
		return loaded
	}
	l.warn(loaded)
	l.Loaded, l.inForce = loaded, l.inForce.TakeUp(loaded.Config)
	l.report(taken, pending, trigger)
	return loaded
}

// difference returns the changes that are taken up, and those that need a restart.
func (l *Loop) difference(next config.Config) (taken, pending []config.Change) {
	for _, change := range config.Difference(l.inForce, next) {
		if change.Restart {
			pending = append(pending, change)
		} else {
			taken = append(taken, change)
		}
	}
	return taken, pending
}

// failed logs why the configuration stays as it is.
func (l *Loop) failed(err error, trigger string) {
	trouble := fmt.Errorf("the configuration was not taken up, the previous one stays in force: %w", err)
	l.trouble.Store(&trouble)
	l.Metrics.ReloadFailed()
	l.Log.Error("reload configuration failed, the previous one stays in force", zap.String("trigger", trigger), zap.Error(err),
		zap.String("advice", "correct it: it is loaded again as soon as a file of it changes, or on SIGHUP; rechargeflow config check finds faults"))
}

// warn logs the warnings that the configuration before did not have.
func (l *Loop) warn(loaded config.Loaded) {
	for _, warning := range loaded.Warnings {
		if !slices.ContainsFunc(l.Loaded.Warnings, func(known config.Fault) bool { return known.Key == warning.Key && known.Problem == warning.Problem }) {
			l.Log.Warn("configuration: " + warning.String())
		}
	}
}

// report logs the keys of what was taken up and of what was not, never their values.
func (l *Loop) report(taken, pending []config.Change, trigger string) {
	l.Metrics.Reloaded(l.Now(), len(pending))
	l.trouble.Store(nil)
	if len(pending) > 0 {
		line := "restart to apply: " + strings.Join(names(pending), ", ")
		trouble := errors.New(line)
		l.trouble.Store(&trouble)
		l.Log.Warn(line, zap.String("trigger", trigger))
	}
	message := "configuration reloaded"
	if len(taken) == 0 {
		message = "configuration reloaded, nothing to take up"
	}
	l.Log.Info(message, zap.String("trigger", trigger), zap.Strings("taken_up", names(taken)))
}

func names(changes []config.Change) []string {
	all := make([]string, len(changes))
	for i, change := range changes {
		all[i] = change.String()
	}
	return all
}
