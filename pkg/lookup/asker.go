package lookup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Ask is a question to a store's API. Two with the same store and question are the
// same ask.
type Ask struct {
	Store string
	recharge.Question
	// Due is when to ask, not before; zero is at once.
	Due time.Time
	// Traceparent is that of the webhook that led to it, "" if that is not known.
	Traceparent string
}

// Answer is what became of an ask.
type Answer struct {
	Ask
	Lookup recharge.Lookup
	At     time.Time // of the answer
}

// Reader is a store's access to Recharge's API. An error means: ask again later; a
// *recharge.APIError says how long to wait at least. *recharge.Client is one.
type Reader interface {
	Ask(ctx context.Context, q recharge.Question) (recharge.Lookup, error)
}

// Metrics counts what is asked.
type Metrics interface {
	// Lookup counts one try. Outcomes are found, not_found, unreadable, refused (401,
	// 403), limited (429), failed and not_kept.
	Lookup(store, askedFor, outcome string)
	// LookupsPending tells how many asks of a store have no answer yet.
	LookupsPending(store string, asks int)
	// Paused tells of a token that is refused: somebody has to mend it.
	Paused(role, store string, paused bool)
}

// Config is what an Asker works with. All but AtOnce must be set.
type Config struct {
	// Readers by store.
	Readers map[string]Reader
	// Keep returns nil once an answer can't be lost any more; its errors mean: ask
	// again. It is called by several goroutines at a time.
	Keep func(ctx context.Context, a Answer) error
	// AtOnce is how many calls of one store may be under way, default 4; the token's
	// budget allows fewer as a rule.
	AtOnce  int
	Role    string // for Metrics
	Now     func() time.Time
	Log     *zap.Logger
	Metrics Metrics
}

// Asker asks what is wanted. All methods are safe for concurrent use.
type Asker struct {
	cfg Config

	mu     sync.Mutex
	stores map[string]*store
}

// New makes an Asker, which asks nothing before Run.
func New(cfg Config) *Asker {
	if cfg.AtOnce <= 0 {
		cfg.AtOnce = 4
	}
	a := &Asker{cfg: cfg, stores: map[string]*store{}}
	for name, reader := range cfg.Readers {
		a.stores[name] = newStore(name, reader, cfg)
	}
	return a
}

// Want adds asks whose answers belong into a partition, those of a store all at once.
// One that is still pending is the same as before, its Due included; one that is done
// is asked again, one that is under way after it has ended. It does not wait. Asks of a
// store without a Reader are pending until Forget; Trouble tells.
func (a *Asker) Want(partition int, asks ...Ask) {
	byStore := map[string][]Ask{}
	for _, ask := range asks {
		byStore[ask.Store] = append(byStore[ask.Store], ask)
	}
	for name, asks := range byStore {
		a.store(name).want(partition, asks)
	}
}

// Forget drops the asks of a partition. A call that is under way for one of them is
// given up; if its answer is being kept at that moment, it may be kept.
func (a *Asker) Forget(partition int) {
	for _, s := range a.all() {
		s.forget(partition)
	}
}

// Run asks until ctx ends. It may be called once; its error is always nil.
func (a *Asker) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	for _, s := range a.all() {
		for range a.cfg.AtOnce {
			if s.reader != nil {
				workers.Go(func() { s.work(ctx) })
			}
		}
	}
	workers.Wait()
	return nil
}

// Trouble names the stores whose asks get no answer, and why; nil if there is none.
func (a *Asker) Trouble() error {
	var troubles []string
	for _, s := range a.all() {
		if pending, why := s.trouble(); why != nil {
			troubles = append(troubles, fmt.Sprintf("store %s: %d lookups wait for: %s", s.name, pending, why))
		}
	}
	if len(troubles) == 0 {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(troubles, "; "))
}

// store is made for a name that nobody can ask for, too: its asks may not be lost.
func (a *Asker) store(name string) *store {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, known := a.stores[name]
	if !known {
		s = newStore(strings.Clone(name), nil, a.cfg)
		a.stores[s.name] = s
	}
	return s
}

// all are the stores by name.
func (a *Asker) all() []*store {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []*store
	for _, name := range slices.Sorted(maps.Keys(a.stores)) {
		all = append(all, a.stores[name])
	}
	return all
}
