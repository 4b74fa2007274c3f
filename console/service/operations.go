package service

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// Operations is what an operator sees and does, and what everybody sees of texts and customers. Who may call what is decided before.
type Operations interface {
	// Overview returns whether a store is connected, and what happened in the last 24 hours.
	Overview(ctx context.Context, store string) (Overview, error)
	// Live returns what happens in a store, or with "" in all, as it comes. The channel is closed when ctx ends, when the console stops, or when
	// the reader is too slow.
	Live(ctx context.Context, store string) (<-chan Live, error)

	// Reading returns how far the console has read.
	Reading(ctx context.Context) (Reading, error)

	Texts(ctx context.Context, query TextQuery) (TextPage, error)
	Text(ctx context.Context, store, id string, reveal bool) (Text, error)
	// Unknown returns the texts of unknown outcome.
	Unknown(ctx context.Context, store string) (TextPage, error)
	// CountUnknown counts them.
	CountUnknown(ctx context.Context, store string) (int, error)
	// Resolve records what an operator found out about a text of unknown outcome. It takes effect when the sms role has read the record.
	Resolve(ctx context.Context, who string, resolution Resolution) error

	Customers(ctx context.Context, query CustomerQuery) (CustomerPage, error)
	Customer(ctx context.Context, store, id string, reveal bool) (Customer, error)
	// Timeline reads what happened to a customer from the topics: seconds.
	Timeline(ctx context.Context, query TimelineQuery) (timeline.Timeline, error)

	// Events returns the kinds of events, those that were never seen included.
	Events(ctx context.Context, store string) ([]EventKind, error)
	// SendSamples sends a sample of each event to the store's destination, for a test customer with this e-mail.
	SendSamples(ctx context.Context, who, store, email string) ([]SampleEvent, error)

	Pipeline(ctx context.Context) (Pipeline, error)

	DeadLetters(ctx context.Context, query DeadLetterQuery) (DeadLetterPage, error)
	// DeadLetter returns one, by its name role/partition/offset.
	DeadLetter(ctx context.Context, name string, reveal bool) (DeadLetter, error)
	// CountReplay counts what Replay would send.
	CountReplay(ctx context.Context, request ReplayRequest) (ReplayCount, error)
	// Replay begins to send dead letters to their roles again, at a limited rate. Replays lists those of this process, the newest first.
	Replay(ctx context.Context, who string, request ReplayRequest) (Replay, error)
	Replays(ctx context.Context) ([]Replay, error)

	Tokens(ctx context.Context) ([]Token, error)
	CreateToken(ctx context.Context, by access.Person, request TokenRequest) (NewToken, error)
	RevokeToken(ctx context.Context, by access.Person, id string) error
}

// Model is the read model: see package readmodel.
type Model interface {
	Overview(ctx context.Context, store string, since time.Time) (readmodel.Overview, error)
	Hours(ctx context.Context, store string, since time.Time) ([]readmodel.Hour, error)
	Events(ctx context.Context, f readmodel.EventFilter) (readmodel.Page[readmodel.Event], error)
	EventTypes(ctx context.Context, store string) ([]readmodel.EventType, error)
	Texts(ctx context.Context, f readmodel.TextFilter) (readmodel.Page[readmodel.Text], error)
	Text(ctx context.Context, id string) (readmodel.TextLife, error)
	Customers(ctx context.Context, store, query string, limit int) ([]readmodel.Customer, error)
	Customer(ctx context.Context, store, id string, limit int) (readmodel.CustomerPage, error)
	DeadLetters(ctx context.Context, f readmodel.DeadLetterFilter) (readmodel.Page[readmodel.DeadLetter], error)
	DeadLetterCounts(ctx context.Context, store string) ([]readmodel.DeadLetterCount, error)
	Flows(ctx context.Context, store string, since time.Time, zone *time.Location) ([]readmodel.FlowCount, error)
	Subscribe(store string) *readmodel.Stream
	Progress() readmodel.Progress
}

// Use makes the stores of the service those of its jobs: what runs for a store that is not among them ends.
func (s *Service) Use() { s.jobs.use(s.cfg.Stores) }

// Stop ends the checks that are made. Without Config.Jobs it ends all jobs, too: the next replay and the next push continue.
func (s *Service) Stop() {
	s.checking.stop()
	if s.cfg.Jobs == nil {
		s.jobs.Stop()
	}
}

// known returns an error for a store that is not configured; "" stands for all.
func (s *Service) known(store string) error {
	if store == "" {
		return nil
	}
	_, err := s.store(store)
	return err
}

// ofModel gives an error of the read model its kind.
func ofModel(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, readmodel.ErrNotFound):
		return fmt.Errorf("%w: %s", ErrNotFound, what)
	case errors.Is(err, readmodel.ErrSlow):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case errors.Is(err, readmodel.ErrCursor):
		return invalid("cursor", "is not that of a page of this list")
	}
	return fmt.Errorf("read %s: %w", what, err)
}

// unreached gives an error of the brokers its kind.
func unreached(what string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, what, err)
}

// Jobs are what runs in a process for longer than a request, and what a process has once: streams of what happens, replays, pushes, tests and changes. They
// outlive a change of the configuration, which builds another Service.
type Jobs struct {
	changing chan struct{} // see Service.alone
	trials   *trials
	lags     lags
	pings    pings
	replays  replays
	pushes   pushes

	mutex   sync.Mutex
	all     scope
	stores  map[string]*storeJobs
	running sync.WaitGroup
}

// scope is what ends some jobs.
type scope struct {
	ctx context.Context //nolint:containedctx // jobs go on after the request that began them
	end context.CancelCauseFunc
}

func (s scope) within() scope {
	ctx, end := context.WithCancelCause(s.ctx)
	return scope{ctx, end}
}

// storeJobs are the jobs of a store.
type storeJobs struct {
	all, pushes scope
	settings    any // of the destination of pushes
}

// job is a job that runs. Call done when it has ended.
type job struct {
	ctx  context.Context //nolint:containedctx // see scope
	done func()
}

// Why jobs end: the words are shown.
var (
	errStops       = errors.New("the console stops")
	errNewSettings = errors.New("the settings of the store's destination have changed")
)

// NewJobs returns Jobs of a process. Stop ends them.
func NewJobs(now func() time.Time) *Jobs {
	return &Jobs{
		changing: make(chan struct{}, 1), trials: newTrials(now), lags: lags{now: now}, pushes: pushes{last: map[string]Push{}},
		all: scope{ctx: context.Background()}.within(), stores: map[string]*storeJobs{},
	}
}

// Stop ends all jobs, and waits for them. There are none afterwards.
func (j *Jobs) Stop() {
	j.mutex.Lock()
	j.all.end(errStops)
	j.mutex.Unlock()
	j.running.Wait()
	j.lags.close()
}

// use sets the stores that are configured now. Jobs of others end, and pushes whose destination has changed.
func (j *Jobs) use(stores []Store) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	for name, known := range j.stores {
		if !slices.ContainsFunc(stores, func(s Store) bool { return s.Name == name }) {
			known.all.end(fmt.Errorf("store %s is not configured any more", name))
			delete(j.stores, name)
		}
	}
	for _, store := range stores {
		known := j.stores[store.Name]
		if known == nil {
			known = &storeJobs{all: j.all.within(), settings: store.pushes()}
			known.pushes = known.all.within()
			j.stores[store.Name] = known
		}
		if !reflect.DeepEqual(known.settings, store.pushes()) {
			known.pushes.end(errNewSettings)
			known.pushes, known.settings = known.all.within(), store.pushes()
		}
	}
}

// pushes returns the settings of the destination of pushes; nil for none.
func (s Store) pushes() any {
	if s.Profiles == nil {
		return nil
	}
	return s.Profiles.Settings
}

// begin begins a job of a store, or with "" one of the process.
func (j *Jobs) begin(store string) (job, error) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	if store == "" {
		return j.in(j.all)
	}
	known := j.stores[store]
	if known == nil {
		return job{}, fmt.Errorf("%w: store %q is not configured any more", ErrNotFound, store)
	}
	return j.in(known.all)
}

// beginPush begins a push to the destination of a store.
func (j *Jobs) beginPush(store Store) (job, error) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	known := j.stores[store.Name]
	switch {
	case known == nil:
		return job{}, fmt.Errorf("%w: store %q is not configured any more", ErrNotFound, store.Name)
	case !reflect.DeepEqual(known.settings, store.pushes()):
		return job{}, fmt.Errorf("%w: %w", ErrConflict, errNewSettings)
	}
	return j.in(known.pushes)
}

// in begins a job.
func (j *Jobs) in(s scope) (job, error) {
	if s.ctx.Err() != nil {
		return job{}, fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(s.ctx))
	}
	j.running.Add(1)
	return job{s.ctx, j.running.Done}, nil
}
