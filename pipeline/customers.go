package pipeline

import (
	"context"
	"errors"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// CustomerReader is a store's access to Recharge's API.
type CustomerReader interface {
	Customer(ctx context.Context, id string) (recharge.Customer, error)
}

// Customers remembers customers for a while: of a subscriber's many webhooks the
// first pays for the call.
type Customers struct {
	readers map[string]CustomerReader
	cache   *lru.Cache[string, remembered]
	ttl     time.Duration
	now     func() time.Time
}

type remembered struct {
	customer recharge.Customer
	at       time.Time
}

// NewCustomers reads through readers (by store) and keeps up to size customers
// for ttl. size must be above zero.
func NewCustomers(readers map[string]CustomerReader, size int, ttl time.Duration, now func() time.Time) (*Customers, error) {
	cache, err := lru.New[string, remembered](size)
	if err != nil {
		return nil, err
	}
	return &Customers{readers: readers, cache: cache, ttl: ttl, now: now}, nil
}

// Lookup returns what the API says of a customer, fresh on demand: nothing when it
// knows none. A store without API access knows nobody: subscriber.ErrCustomerUnknown.
// What is remembered is never given out as fresh, so that the same webhook met
// again is decided in the same way.
func (c *Customers) Lookup(ctx context.Context, store string, needed subscriber.LookupNeeded) (subscriber.Lookup, error) {
	id := needed.CustomerID
	if known, ok := c.cache.Get(store + "/" + id); ok && !needed.Fresh && c.now().Sub(known.at) < c.ttl {
		return subscriber.Lookup{Customer: known.customer}, nil
	}
	reader, ok := c.readers[store]
	if !ok {
		return subscriber.Lookup{}, subscriber.ErrCustomerUnknown
	}
	customer, err := reader.Customer(ctx, id)
	if errors.Is(err, recharge.ErrNotFound) {
		return subscriber.Lookup{Fresh: needed.Fresh}, nil
	}
	if err != nil {
		return subscriber.Lookup{}, err
	}
	c.remember(store, customer)
	return subscriber.Lookup{Customer: customer, Fresh: needed.Fresh}, nil
}

// Forget drops what is remembered: a webhook just told of a change.
func (c *Customers) Forget(store, id string) { c.cache.Remove(store + "/" + id) }

func (c *Customers) remember(store string, customer recharge.Customer) {
	c.cache.Add(store+"/"+customer.ID, remembered{customer: customer, at: c.now()})
}
