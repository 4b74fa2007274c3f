package service

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/membership"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// PushRequest says which segments are pushed.
type PushRequest struct {
	Segments []string `json:"segments,omitempty"` // none for all, also deleted ones
	DryRun   bool     `json:"dry_run,omitempty"`
	// Confirm is how many properties a dry run would set: another number is a conflict. Without it the push sets as many as it finds.
	Confirm *int `json:"confirm,omitempty"`
}

func (r PushRequest) check() error {
	if r.Confirm != nil && *r.Confirm < 0 {
		return invalid("confirm", "is %d, must be the number that a dry run has counted", *r.Confirm)
	}
	return nil
}

// Push is a push of segments.
type Push struct {
	Store   string    `json:"store"`
	By      string    `json:"by,omitempty"`
	DryRun  bool      `json:"dry_run"`
	Running bool      `json:"running"`
	Began   time.Time `json:"began,omitzero"` // zero if this process has pushed nothing
	Ended   time.Time `json:"ended,omitzero"`
	// Added and Removed are how many customers became members, and are none any more, by segment.
	Added    map[string]int `json:"added"`
	Removed  map[string]int `json:"removed"`
	Rejected int            `json:"rejected"`
	Problems []string       `json:"problems"` // some words of refusals, masked; why the push failed
}

// Changes returns how many properties of customers a push sets: those who became members, and those who are none any more.
func (p Push) Changes() (added, removed int) {
	for _, n := range p.Added {
		added += n
	}
	for _, n := range p.Removed {
		removed += n
	}
	return added, removed
}

// answerWithin is how long PushSegments waits for the end of a push.
const answerWithin = 10 * time.Second

// pushes are the pushes of this process, one at a time for each store.
type pushes struct {
	mutex sync.Mutex
	last  map[string]Push
}

// PushSegments sets the properties of segments at Bloomreach. A push that takes long goes on after its request: see LastPush. A dry run says what
// would be set.
func (s *Service) PushSegments(ctx context.Context, who, store string, request PushRequest) (Push, error) {
	if err := request.check(); err != nil {
		return Push{}, err
	}
	began := Push{Store: store, By: who, DryRun: request.DryRun, Began: s.cfg.Now().UTC()}
	push, err := s.pushOf(ctx, store, request.Segments)
	if err != nil {
		return Push{}, err
	}
	if err := s.reach(ctx); err != nil {
		return Push{}, err
	}
	if request.DryRun || request.Confirm != nil {
		done, err := push.Run(ctx, s.cfg.Now())
		would := s.ended(began, done, nil)
		if request.DryRun || err != nil {
			return would, unavailable(err)
		}
		if err := would.isConfirmed(*request.Confirm); err != nil {
			return Push{}, err
		}
	}
	return s.beginPush(ctx, began, request)
}

// isConfirmed returns a conflict if a push would set another number of properties.
func (p Push) isConfirmed(confirmed int) error {
	added, removed := p.Changes()
	if added+removed != confirmed {
		return fmt.Errorf("%w: the number of properties to set is %d now, and %d was confirmed", ErrConflict, added+removed, confirmed)
	}
	return nil
}

// beginPush begins a push, and waits for its end for some time.
func (s *Service) beginPush(ctx context.Context, began Push, request PushRequest) (Push, error) {
	store := began.Store
	found, err := s.store(store)
	if err != nil {
		return Push{}, err
	}
	job, err := s.jobs.beginPush(*found)
	if err != nil {
		return Push{}, err
	}
	if !s.jobs.pushes.begin(began) {
		job.done()
		return Push{}, fmt.Errorf("%w: a push of this store is running", ErrConflict)
	}
	ended := make(chan struct{})
	go func() {
		defer job.done()
		defer close(ended)
		s.push(job, began, request.Segments)
	}()
	timer := time.NewTimer(answerWithin)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	case <-ctx.Done():
	}
	return s.jobs.pushes.of(store), nil
}

// push makes a push that has begun.
func (s *Service) push(job job, began Push, segments []string) {
	done, err := s.Push(job.ctx, began.Store, segments)
	log, said := s.cfg.Log.Info, "segments pushed"
	switch {
	case err == nil:
	case job.ctx.Err() == nil:
		log, said = s.cfg.Log.Error, "push segments failed"
	default:
		log, said = s.cfg.Log.Warn, "push segments interrupted"
		err = fmt.Errorf("%w; what was sent is known, the next push continues", context.Cause(job.ctx))
	}
	after := s.ended(began, done, err)
	s.jobs.pushes.end(after)
	log(said, zap.String("store", after.Store), zap.String("by", after.By), zap.Any("added", after.Added), zap.Any("removed", after.Removed),
		zap.Int("rejected", after.Rejected), zap.Error(err))
}

// LastPush returns the push of a store that runs, or the last one of this process.
func (s *Service) LastPush(_ context.Context, store string) (Push, error) {
	if _, err := s.store(store); err != nil {
		return Push{}, err
	}
	return s.jobs.pushes.of(store), nil
}

// of returns the push of a store that runs, or the last one.
func (p *pushes) of(store string) Push {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if last, found := p.last[store]; found {
		return last
	}
	return Push{Store: store, Added: map[string]int{}, Removed: map[string]int{}, Problems: []string{}}
}

// begin notes a push, unless another one of the store runs.
func (p *pushes) begin(push Push) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.last[push.Store].Running {
		return false
	}
	push.Running, push.Added, push.Removed, push.Problems = true, map[string]int{}, map[string]int{}, []string{}
	p.last[push.Store] = push
	return true
}

func (p *pushes) end(push Push) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.last[push.Store] = push
}

// ended returns a push after its end.
func (s *Service) ended(push Push, done membership.Pushed, err error) Push {
	push.Ended, push.Rejected, push.Problems = s.cfg.Now().UTC(), done.Rejected, []string{}
	push.Added, push.Removed = map[string]int{}, map[string]int{}
	maps.Copy(push.Added, done.Added)
	maps.Copy(push.Removed, done.Removed)
	mask := timeline.NewMasker(false)
	for _, each := range done.Errors {
		push.Problems = append(push.Problems, mask.Text(each))
	}
	if err != nil {
		push.Problems = append(push.Problems, mask.Text(err.Error()))
	}
	return push
}

// PlannedPush returns what Push would send, and sends nothing.
func (s *Service) PlannedPush(ctx context.Context, store string, names []string) (membership.Pushed, error) {
	push, err := s.pushOf(ctx, store, names)
	if err != nil {
		return membership.Pushed{}, err
	}
	done, err := push.Run(ctx, s.cfg.Now())
	return done, unavailable(err)
}

// Push pushes segments of a store until it is done; all without names. With an error, what was sent until then is returned: the next push
// continues.
func (s *Service) Push(ctx context.Context, store string, names []string) (membership.Pushed, error) {
	push, err := s.pushOf(ctx, store, names)
	if err != nil {
		return membership.Pushed{}, err
	}
	found, err := s.store(store)
	if err != nil {
		return membership.Pushed{}, err
	}
	exclusive := kafka.NewExclusive(s.cfg.Cluster, s.cfg.Topics.Prefix+"rechargeflow.segments."+store, s.cfg.Topics.SegmentMembers())
	defer exclusive.Close()
	if err := exclusive.TakeOver(ctx); err != nil {
		return membership.Pushed{}, unavailable(err)
	}
	push.Destination = found.Profiles.Destination
	push.Commit = func(ctx context.Context, records ...kafka.Record) error {
		if err := exclusive.Commit(ctx, records...); err != nil {
			return fmt.Errorf("%w: perhaps another process pushes segments of this store", err)
		}
		return nil
	}
	done, err := push.Run(ctx, s.cfg.Now())
	if err != nil {
		err = fmt.Errorf("push segments: %w; what was sent is known, the next push continues", err)
	}
	return done, unavailable(err)
}

// pushOf returns a push of the named segments, of all if none is named.
func (s *Service) pushOf(ctx context.Context, store string, names []string) (membership.Push, error) {
	found, err := s.store(store)
	if err != nil {
		return membership.Push{}, err
	}
	if found.Profiles == nil {
		return membership.Push{}, fmt.Errorf("%w: the store sends no events, so its segments have no destination", ErrForbidden)
	}
	all, err := s.segments(ctx, store)
	if err != nil {
		return membership.Push{}, err
	}
	push := membership.Push{Source: s.source(store), Profile: found.Profiles.Of, Former: found.Profiles.Former, Sleep: sleep}
	for _, each := range all {
		push.Segments = append(push.Segments, membership.Segment{Name: each.Name, Rule: each.Rule})
	}
	for _, name := range names {
		if _, err := s.segment(ctx, store, name); err != nil {
			return membership.Push{}, err
		}
		push.Only = append(push.Only, name)
	}
	return push, nil
}

// sleep waits, or returns the error of the context.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
