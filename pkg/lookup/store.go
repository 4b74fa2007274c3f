package lookup

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// errNoClient is reported for a store without an API token.
var errNoClient = errors.New("no API token configured: set recharge.token of the store")

// store holds the requests of one store.
type store struct {
	name   string
	client Client
	cfg    Config

	mu        sync.Mutex
	customers map[customerKey]*customer
	due       [ranks]customers // those without a running call, by the rank of their next request
	pending   int
	running   int
	failures  int       // in a row; those of one request count once
	failed    *pending  // the last request that failed
	until     time.Time // no call before
	why       error     // of the last failure
	changed   chan struct{}
}

func newStore(name string, client Client, cfg Config) *store {
	return &store{name: name, client: client, cfg: cfg, customers: map[customerKey]*customer{}, changed: make(chan struct{})}
}

// add adds all requests before any call starts: a request of kind customer may come after one that must wait for it.
func (s *store) add(partition int, requests []recharge.LookupRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range requests {
		c := s.customer(partition, r.CustomerID)
		if r.Store = s.name; !c.add(r, s.cfg.Now()) {
			continue
		}
		s.count(1)
		if c.running == nil {
			s.removeFromHeap(c)
			s.enqueue(c)
		}
	}
	s.signal()
}

// customer returns the customer with an id. It creates a new one if needed.
func (s *store) customer(partition int, id string) *customer {
	key := customerKey{partition, id}
	c, ok := s.customers[key]
	if !ok {
		key.id = strings.Clone(id)
		c = &customer{key: key}
		s.customers[key] = c
	}
	return c
}

func (s *store) removePartition(partition int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, c := range s.customers {
		if key.partition != partition {
			continue
		}
		s.count(-len(c.pending))
		c.pending = nil
		if c.running != nil { // the customer stays, so that no second call for them begins meanwhile
			c.cancel()
			continue
		}
		s.removeFromHeap(c)
		delete(s.customers, key)
	}
	s.signal()
}

func (s *store) trouble() (pending int, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.pending == 0:
		return 0, nil
	case s.client == nil:
		return s.pending, errNoClient
	}
	return s.pending, s.why
}

// parked returns the number of customers with a pending request of kind customer.
func (s *store) parked() (customers int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.customers {
		if slices.ContainsFunc(c.pending, func(p *pending) bool { return p.Kind == recharge.LookupCustomer }) {
			customers++
		}
	}
	return customers
}

// count changes the number of pending requests.
func (s *store) count(by int) {
	s.pending += by
	s.cfg.Metrics.LookupsPending(s.name, s.pending)
}

// signal wakes the workers that wait for a request.
func (s *store) signal() {
	close(s.changed)
	s.changed = make(chan struct{})
}
