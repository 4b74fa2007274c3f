package lookup

import (
	"errors"
	"strings"
	"sync"
	"time"
)

// errNoReader is the trouble of a store that this process can't ask.
var errNoReader = errors.New("access to Recharge's API, which this process has none of: check recharge.token")

// store holds the asks of one store.
type store struct {
	name   string
	reader Reader
	cfg    Config

	mu        sync.Mutex
	customers map[customerKey]*customer
	due       [ranks]customers // those of whom nothing is under way, by the rank of their next ask
	pending   int
	underWay  int
	failures  int       // in a row, one ask's own counted once
	failed    *ask      // the last of them
	until     time.Time // no call before
	why       error     // of the last failure
	changed   chan struct{}
}

func newStore(name string, reader Reader, cfg Config) *store {
	return &store{name: name, reader: reader, cfg: cfg, customers: map[customerKey]*customer{}, changed: make(chan struct{})}
}

// want takes all asks before any begins: an identity may come after what must wait
// for it.
func (s *store) want(partition int, asks []Ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range asks {
		c := s.customer(partition, a.CustomerID)
		if a.Store = s.name; !c.add(a, s.cfg.Now()) {
			continue
		}
		s.count(1)
		if c.asking == nil {
			s.takeOut(c)
			s.putIn(c)
		}
	}
	s.signal()
}

// customer is one that is known, or a new one.
func (s *store) customer(partition int, id string) *customer {
	key := customerKey{partition, id}
	c, known := s.customers[key]
	if !known {
		key.id = strings.Clone(id)
		c = &customer{key: key}
		s.customers[key] = c
	}
	return c
}

func (s *store) forget(partition int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, c := range s.customers {
		if key.partition != partition {
			continue
		}
		s.count(-len(c.asks))
		c.asks = nil
		if c.asking != nil { // it stays, so that no other call of this customer begins meanwhile
			c.giveUp()
			continue
		}
		s.takeOut(c)
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
	case s.reader == nil:
		return s.pending, errNoReader
	}
	return s.pending, s.why
}

// count changes how many asks are pending.
func (s *store) count(by int) {
	s.pending += by
	s.cfg.Metrics.LookupsPending(s.name, s.pending)
}

// signal wakes those who wait for an ask.
func (s *store) signal() {
	close(s.changed)
	s.changed = make(chan struct{})
}
