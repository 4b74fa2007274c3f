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

// run is an asker in a bubble of synctest, with its stores' APIs.
type run struct {
	asker  *lookup.Asker
	apis   map[string]*rechargetest.Server
	kept   *kept
	counts *counts
	began  time.Time
}

// asking runs an asker for some stores while do lasts; time passes at once.
func asking(t *testing.T, stores []string, do func(t *testing.T, r *run)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		do(t, start(t, stores...))
	})
}

// start must be called in a bubble.
func start(t *testing.T, stores ...string) *run {
	t.Helper()
	r := &run{apis: map[string]*rechargetest.Server{}, kept: &kept{}, counts: &counts{}, began: time.Now()}
	readers := map[string]lookup.Reader{}
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

// run lets the asker work until the test ends.
func (r *run) run(t *testing.T, readers map[string]lookup.Reader) {
	t.Helper()
	r.asker = lookup.New(lookup.Config{
		Readers: readers, Keep: r.kept.keep, Role: "transformer", Now: time.Now, Log: zap.NewNop(), Metrics: r.counts,
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.asker.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-ended)
	})
}

// after lets time pass until so long after the beginning.
func (r *run) after(d time.Duration) {
	time.Sleep(time.Until(r.began.Add(d)))
	synctest.Wait()
}

// putCustomer puts a customer and one subscription of theirs.
func (r *run) putCustomer(t testing.TB, store string, ids ...int) {
	t.Helper()
	for _, id := range ids {
		require.NoError(t, r.apis[store].Put(fmt.Appendf(nil, `{"customer":{"id":%d,"email":"c%[1]d@example.com"},"subscription":{"id":1%[1]d,"customer_id":%[1]d}}`, id)))
	}
}

func identity(store string, id int) lookup.Ask { return ask(store, id, recharge.ForIdentity) }

func flag(store string, id int) lookup.Ask { return ask(store, id, recharge.ForFlag) }

func ask(store string, id int, purpose recharge.Purpose) lookup.Ask {
	return lookup.Ask{Store: store, Question: recharge.Question{CustomerID: fmt.Sprint(id), For: purpose}}
}

// kept is the raw topic.
type kept struct {
	mu      sync.Mutex
	fail    int           // so many times from now on
	slow    time.Duration // before it is done
	answers []lookup.Answer
}

var errDown = errors.New("kafka is down")

func (k *kept) keep(ctx context.Context, a lookup.Answer) error {
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

func (k *kept) all() []lookup.Answer {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.answers)
}

// lines are the answers in the order in which they were kept.
func (r *run) lines() []string {
	lines := []string{}
	for _, a := range r.kept.all() {
		line := fmt.Sprintf("%s/%s %s", a.Store, a.CustomerID, a.For)
		if a.ChargeID != "" {
			line += fmt.Sprintf(" %s #%d", a.ChargeID, a.Attempt)
		}
		lines = append(lines, line+" "+a.At.Sub(r.began).Round(time.Second).String())
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

func (c *counts) Lookup(store, askedFor, outcome string) {
	c.set(func() { c.tries[store+" "+askedFor+" "+outcome]++ })
}

func (c *counts) LookupsPending(store string, asks int) { c.set(func() { c.pending[store] = asks }) }

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

// all adds up the tries that end so.
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
