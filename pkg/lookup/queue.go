package lookup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Client calls a store's API. An error means that the call must be repeated later; a *recharge.APIError has the minimum wait.
// *recharge.Client implements it.
type Client interface {
	Lookup(ctx context.Context, r recharge.LookupRequest) (recharge.Lookup, error)
}

// Metrics counts API calls.
type Metrics interface {
	// Lookup counts one call. Outcomes are found, not_found, unreadable, refused (401, 403), limited (429), failed,
	// not_published and row_unreadable.
	Lookup(store, kind, outcome string)
	// LookupsPending sets the number of a store's requests without a response.
	LookupsPending(store string, requests int)
	// Paused sets whether the API refuses the store's token.
	Paused(role, store string, paused bool)
}

// Config configures a Queue. All fields but Workers are required.
type Config struct {
	// Clients by store.
	Clients map[string]Client
	// Publish returns nil once the response is stored. After an error the API is called again. It is called by several
	// goroutines.
	Publish func(ctx context.Context, l recharge.Lookup) error
	// Workers limits the concurrent calls of one store, default 4. The token's rate limit usually allows fewer.
	Workers int
	Role    string // for Metrics
	Now     func() time.Time
	Log     *zap.Logger
	Metrics Metrics
}

// Queue holds lookup requests until they are answered. All methods are safe for concurrent use.
type Queue struct {
	cfg Config

	mu     sync.Mutex
	stores map[string]*store
}

// New returns a Queue. It makes no API call before Run.
func New(cfg Config) *Queue {
	if cfg.Workers <= 0 {
		cfg.Workers = 4
	}
	q := &Queue{cfg: cfg, stores: map[string]*store{}}
	for name, client := range cfg.Clients {
		q.stores[name] = newStore(name, client, cfg)
	}
	return q
}

// Add adds requests of a partition, those of a store all at once, and does not wait. A pending request stays as it is, with its
// Due. If its call is running, it is repeated afterwards. Requests of a store without a Client stay pending until Remove, and
// Trouble reports them.
func (q *Queue) Add(partition int, requests ...recharge.LookupRequest) {
	byStore := map[string][]recharge.LookupRequest{}
	for _, r := range requests {
		byStore[r.Store] = append(byStore[r.Store], r)
	}
	for name, requests := range byStore {
		q.store(name).add(partition, requests)
	}
}

// Remove drops the requests of a partition and cancels their calls. A response that is being published may still be published.
func (q *Queue) Remove(partition int) {
	for _, s := range q.all() {
		s.removePartition(partition)
	}
}

// Run calls the APIs until ctx ends. It may be called once; its error is always nil.
func (q *Queue) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	for _, s := range q.all() {
		for range q.cfg.Workers {
			if s.client != nil {
				workers.Go(func() { s.work(ctx) })
			}
		}
	}
	workers.Wait()
	return nil
}

// Trouble returns an error with the stores whose requests get no response, and why; nil if there are none.
func (q *Queue) Trouble() error {
	var troubles []string
	for _, s := range q.all() {
		if pending, why := s.trouble(); why != nil {
			troubles = append(troubles, fmt.Sprintf("store %s: %d lookups pending: %s", s.name, pending, why))
		}
	}
	if len(troubles) == 0 {
		return nil
	}
	return errors.New(strings.Join(troubles, "; "))
}

// Customers returns the number of customers of each store whose records are parked: those with a pending request of kind
// customer.
func (q *Queue) Customers() map[string]int {
	all := map[string]int{}
	for _, s := range q.all() {
		all[s.name] = s.parked()
	}
	return all
}

// store returns the store with a name. It creates a store without a client if needed, so that its requests are not lost.
func (q *Queue) store(name string) *store {
	q.mu.Lock()
	defer q.mu.Unlock()
	s, ok := q.stores[name]
	if !ok {
		s = newStore(strings.Clone(name), nil, q.cfg)
		q.stores[s.name] = s
	}
	return s
}

// all returns the stores in the order of their names.
func (q *Queue) all() []*store {
	q.mu.Lock()
	defer q.mu.Unlock()
	var all []*store
	for _, name := range slices.Sorted(maps.Keys(q.stores)) {
		all = append(all, q.stores[name])
	}
	return all
}
