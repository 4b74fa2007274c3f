package credentials

import (
	"errors"
	"io/fs"
	"sync"
	"syscall"
	"time"
)

// Warn reports that something could not be read and its last content is used.
type Warn func(err error)

// warnEvery limits the warnings about one source.
const warnEvery = time.Minute

// reloaded is a value that is read again each time it is used.
type reloaded[T any] struct {
	read func() (T, error)
	warnings

	mutex sync.Mutex
	last  T
	known bool
}

func newReloaded[T any](read func() (T, error), warn Warn) *reloaded[T] {
	return &reloaded[T]{read: read, warnings: warnings{warn: warn}}
}

// get returns the value, or the last one if it can't be read. It is an error only if it has never been read.
func (r *reloaded[T]) get() (T, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	value, err := r.read()
	switch {
	case err == nil:
		r.last, r.known = value, true
		return value, nil
	case r.known:
		r.report(time.Now(), err)
		return r.last, nil
	default:
		return value, err
	}
}

// warnings reports at most one error in warnEvery. Calls must not overlap.
type warnings struct {
	warn Warn
	last time.Time
}

func (w *warnings) report(now time.Time, err error) {
	if w.warn != nil && (w.last.IsZero() || now.Sub(w.last) >= warnEvery) {
		w.last = now
		w.warn(err)
	}
}

// withoutPath returns the cause of a failed file operation. It leaves out the file name, which could be the secret itself, set by
// mistake.
func withoutPath(err error) error {
	var errno syscall.Errno
	var pathError *fs.PathError
	switch {
	case errors.As(err, &errno):
		return errno
	case errors.As(err, &pathError):
		return pathError.Err
	default:
		return errors.New("unknown cause")
	}
}
