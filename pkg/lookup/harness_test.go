package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/lookup"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// run is a queue in a bubble of synctest, with its stores' APIs.
type run struct {
	queue     *lookup.Queue
	apis      map[string]*rechargetest.Server
	published *published
	counts    *counts
	began     time.Time
}

// running runs a queue for some stores while do lasts, in fake time.
func running(t *testing.T, stores []string, do func(t *testing.T, r *run)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		do(t, start(t, stores...))
	})
}

// start must be called in a bubble.
func start(t *testing.T, stores ...string) *run {
	t.Helper()
	r := &run{apis: map[string]*rechargetest.Server{}, published: &published{}, counts: &counts{}, began: time.Now()}
	readers := map[string]lookup.Client{}
	for _, store := range stores {
		api := rechargetest.NewInProcess("token")
		api.LimitRate(rechargetest.StandardBucket())
		client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: api.URL, Token: "token", HTTPClient: api.Client(10 * time.Second)})
		require.NoError(t, err)
		r.apis[store], readers[store] = api, client
	}
	r.run(t, readers)
	t.Cleanup(func() {
		for _, api := range r.apis {
			api.Close()
		}
	})
	return r
}

// run lets the queue work until the test ends.
func (r *run) run(t *testing.T, readers map[string]lookup.Client) {
	t.Helper()
	r.queue = lookup.New(lookup.Config{
		Clients: readers, Publish: r.published.publish, Role: "transformer", Now: time.Now, Log: zap.NewNop(), Metrics: r.counts,
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.queue.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-ended)
	})
}

// after waits until that long after the beginning.
func (r *run) after(d time.Duration) {
	time.Sleep(time.Until(r.began.Add(d)))
	synctest.Wait()
}

// putCustomer adds a customer with one subscription.
func (r *run) putCustomer(t testing.TB, store string, ids ...int) {
	t.Helper()
	for _, id := range ids {
		require.NoError(t, r.apis[store].Put(fmt.Appendf(nil, `{"customer":{"id":%d,"email":"c%[1]d@example.com"},"subscription":{"id":1%[1]d,"customer_id":%[1]d}}`, id)))
	}
}

func customer(store string, id int) recharge.LookupRequest {
	return request(store, id, recharge.LookupCustomer)
}

func subscriptions(store string, id int) recharge.LookupRequest {
	return request(store, id, recharge.LookupSubscriptions)
}

func request(store string, id int, kind recharge.LookupKind) recharge.LookupRequest {
	return recharge.LookupRequest{Store: store, CustomerID: fmt.Sprint(id), Kind: kind}
}

// published is the raw topic.
type published struct {
	mu      sync.Mutex
	fail    int           // how many of the next calls fail
	slow    time.Duration // how long a call takes
	answers []recharge.Lookup
}

var errDown = errors.New("kafka is down")

func (k *published) publish(ctx context.Context, a recharge.Lookup) error {
	k.mu.Lock()
	slow := k.slow
	k.mu.Unlock()
	select {
	case <-time.After(slow):
	case <-ctx.Done():
		return ctx.Err()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail > 0 {
		k.fail--
		return errDown
	}
	k.answers = append(k.answers, a)
	return nil
}

func (k *published) all() []recharge.Lookup {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.answers)
}

// lines are the answers in the order in which they were published.
func (r *run) lines() []string {
	lines := []string{}
	for _, a := range r.published.all() {
		line := fmt.Sprintf("%s/%s %s", a.Store, a.CustomerID, a.Kind)
		if a.ChargeID != "" {
			line += fmt.Sprintf(" %s #%d", a.ChargeID, a.Attempt)
		}
		lines = append(lines, line+" "+a.AnsweredAt.Sub(r.began).Round(time.Second).String())
	}
	return lines
}

// counts are the metrics.
type counts struct {
	mu      sync.Mutex
	tries   map[string]int
	pending map[string]int
	paused  map[string]bool
}

func (c *counts) Lookup(store, kind, outcome string) {
	c.set(func() { c.tries[store+" "+kind+" "+outcome]++ })
}

func (c *counts) LookupsPending(store string, requests int) {
	c.set(func() { c.pending[store] = requests })
}

func (c *counts) Paused(role, store string, paused bool) {
	c.set(func() { c.paused[role+" "+store] = paused })
}

func (c *counts) set(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tries == nil {
		c.tries, c.pending, c.paused = map[string]int{}, map[string]int{}, map[string]bool{}
	}
	do()
}

func (c *counts) of(line string) (n int) {
	c.set(func() { n = c.tries[line] })
	return n
}

func (c *counts) waiting(store string) (n int) {
	c.set(func() { n = c.pending[store] })
	return n
}

func (c *counts) isPaused(store string) (p bool) {
	c.set(func() { p = c.paused["transformer "+store] })
	return p
}

// all is the number of tries with that outcome.
func (c *counts) all(suffix string) (n int) {
	c.set(func() {
		for line, tries := range c.tries {
			if strings.HasSuffix(line, suffix) {
				n += tries
			}
		}
	})
	return n
}
