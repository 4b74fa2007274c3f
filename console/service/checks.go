package service

import (
	"context"
	"sync"
	"time"
)

const (
	// checkEvery is how old the checks of a store may be: they call other systems.
	checkEvery = time.Minute
	// firstCheckWithin is how long the first request waits for them.
	firstCheckWithin = 2 * time.Second
)

// checks are the last checks of each store.
type checks struct {
	mutex sync.Mutex
	rows  map[string]*checked
}

type checked struct {
	at      time.Time
	rows    []Check
	running chan struct{} // closed when the checks that are made have ended; nil if none are
}

// checks returns the last checks of a store, and has others made if these are old.
func (s *Service) checks(ctx context.Context, store string) ([]Check, time.Time) {
	last, running := s.lastChecks(store)
	if !last.at.IsZero() || running == nil {
		return last.rows, last.at
	}
	timer := time.NewTimer(firstCheckWithin)
	defer timer.Stop()
	select {
	case <-running:
	case <-timer.C:
	case <-ctx.Done():
	}
	last, _ = s.lastChecks(store)
	return last.rows, last.at
}

// lastChecks returns what was found last, and what is closed when the checks that are made now have ended.
func (s *Service) lastChecks(store string) (checked, <-chan struct{}) {
	c := &s.ops.checks
	c.mutex.Lock()
	defer c.mutex.Unlock()
	of := c.rows[store]
	if of == nil {
		of = &checked{rows: []Check{}}
		c.rows[store] = of
	}
	if of.running == nil && s.cfg.Now().Sub(of.at) >= checkEvery && !s.stopped() {
		of.running = make(chan struct{})
		s.ops.working.Add(1)
		go s.check(store, of)
	}
	return *of, of.running
}

// check makes the checks of a store.
func (s *Service) check(store string, of *checked) {
	defer s.ops.working.Done()
	ctx, cancel := s.untilStopped()
	defer cancel()
	rows := append([]Check{}, s.cfg.Checks(ctx, store)...)
	for i := range rows {
		rows[i].Found = s.plain(rows[i].Found)
	}
	s.ops.checks.mutex.Lock()
	defer s.ops.checks.mutex.Unlock()
	if ctx.Err() == nil {
		of.at, of.rows = s.cfg.Now(), rows
	}
	close(of.running)
	of.running = nil
}

func (s *Service) stopped() bool {
	select {
	case <-s.ops.stopping:
		return true
	default:
		return false
	}
}

// untilStopped returns a context that ends when the service is stopped.
func (s *Service) untilStopped() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-s.ops.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
