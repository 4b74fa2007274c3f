package lookup_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/lookup"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// step is one random event for a few processes that share a store and its token.
type step struct {
	after    time.Duration
	what     string // add, remove, move, misbehave, kafka
	requests []recharge.LookupRequest
	part     int
	to       int
	n        int
	as       rechargetest.Behaviour
}

const partitions = 4

func drawStep(rt *rapid.T) step {
	s := step{
		after: time.Duration(rapid.IntRange(0, 20_000).Draw(rt, "after ms")) * time.Millisecond,
		what:  rapid.SampledFrom([]string{"add", "add", "add", "add", "remove", "move", "misbehave", "kafka"}).Draw(rt, "what"),
		part:  rapid.IntRange(0, partitions-1).Draw(rt, "partition"),
		to:    rapid.IntRange(0, 2).Draw(rt, "to"),
		n:     rapid.IntRange(1, 8).Draw(rt, "n"),
	}
	switch s.what {
	case "add":
		for range s.n * 3 {
			a := request("acme", 1+s.part+partitions*rapid.IntRange(0, 9).Draw(rt, "customer"),
				rapid.SampledFrom([]recharge.LookupKind{recharge.LookupCustomer, recharge.LookupSubscriptions, recharge.LookupCancellation}).Draw(rt, "kind"))
			if a.Kind == recharge.LookupCancellation {
				a.ChargeID, a.Attempt = "8", rapid.IntRange(1, 3).Draw(rt, "attempt")
			}
			a.Due = time.Time{}.Add(time.Duration(rapid.IntRange(0, 60).Draw(rt, "due s")) * time.Second) // from now on
			s.requests = append(s.requests, a)
		}
	case "misbehave":
		s.as = rapid.SampledFrom([]rechargetest.Behaviour{
			{Status: 500, Body: `{}`},
			{Status: 503, Body: `{}`, RetryAfter: "3"},
			{Status: 401, Body: `{"error":"bad authentication"}`},
			{Status: 200, Body: `<html>`},
			{Reset: true},
			{Hang: true},
			{Slow: 3 * time.Second},
			{Slow: 15 * time.Second},
		}).Draw(rt, "as")
	}
	return s
}

// world runs steps and computes the expected answers.
type world struct {
	t         *testing.T
	api       *rechargetest.Server
	published published
	counts    [3]counts
	queues    [3]*lookup.Queue
	owner     [partitions]int
	seen      int // answers accounted for
	pending   map[requestKey]requested
	order     int
	faults    []string

	mu       sync.Mutex
	underWay map[string]int // by customer
	calling  map[requestKey]int
	again    map[requestKey]recharge.LookupRequest // requested while it was under way
}

type requested struct {
	request recharge.LookupRequest
	order   int
}

// Every request that is added and not removed ends in one answer, never before it is due, by a call that began after the
// request was added. One call of a customer runs at a time, that for the customer object first. The API's bucket never
// overflows, however many processes share it, and whatever fails.
func TestEveryRequestEndsInOneAnswer(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 1, 25).Draw(rt, "steps")
		var w *world
		synctest.Test(t, func(t *testing.T) { w = play(t, steps) })
		if len(w.faults) > 0 {
			rt.Fatalf("%v", w.faults)
		}
	})
}

func play(t *testing.T, steps []step) *world {
	w := &world{t: t, api: rechargetest.NewInProcess("token"), pending: map[requestKey]requested{}, underWay: map[string]int{}, calling: map[requestKey]int{}, again: map[requestKey]recharge.LookupRequest{}}
	w.api.LimitRate(rechargetest.StandardBucket())
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for i := range w.queues {
		client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: w.api.URL, Token: "token", HTTPClient: w.api.Client(10 * time.Second)})
		require.NoError(t, err)
		w.queues[i] = lookup.New(lookup.Config{
			Clients: map[string]lookup.Client{"acme": watched{w, client}}, Publish: w.publish, Now: time.Now, Log: zap.NewNop(), Metrics: &w.counts[i],
		})
		running.Go(func() { _ = w.queues[i].Run(ctx) })
	}
	for _, s := range steps {
		time.Sleep(s.after)
		w.account()
		w.do(s)
	}
	w.api.Recover()
	w.published.set(0)
	time.Sleep(time.Hour)
	w.account()
	for k := range w.pending {
		w.fault("no answer to %+v", k)
	}
	for i := range w.counts {
		if n := w.counts[i].all(" limited"); n > 0 {
			w.fault("%d calls were over the limit", n)
		}
		if n := w.counts[i].waiting("acme"); n > 0 {
			w.fault("process %d: %d requests are pending", i, n)
		}
	}
	cancel()
	running.Wait()
	w.api.Close()
	return w
}

func (w *world) do(s step) {
	switch s.what {
	case "add":
		for i := range s.requests {
			s.requests[i].Due = time.Now().Add(s.requests[i].Due.Sub(time.Time{}))
		}
		for _, a := range s.requests {
			w.request(a)
		}
		w.queues[w.owner[s.part]].Add(s.part, s.requests...)
	case "remove":
		w.queues[w.owner[s.part]].Remove(s.part)
		for k, p := range w.pending {
			if partitionOf(p.request) == s.part {
				delete(w.pending, k)
				w.failed(k)
			}
		}
	case "move":
		w.queues[w.owner[s.part]].Remove(s.part)
		w.owner[s.part] = s.to
		var rebuilt []recharge.LookupRequest
		for _, p := range w.pending {
			if partitionOf(p.request) == s.part {
				rebuilt = append(rebuilt, p.request)
				w.failed(keyOf(p.request))
			}
		}
		w.queues[s.to].Add(s.part, rebuilt...)
	case "misbehave":
		w.api.Next(s.n, s.as)
	case "kafka":
		w.published.set(s.n)
	}
}

// request adds an expected request, while nothing else runs.
func (w *world) request(a recharge.LookupRequest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.pending[keyOf(a)]; !known {
		w.order++
		w.pending[keyOf(a)] = requested{a, w.order}
	} else if w.calling[keyOf(a)] > 0 {
		w.again[keyOf(a)] = a
	}
}

// answered removes a request that was answered, and adds it again if it was requested meanwhile.
func (w *world) answered(k requestKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.pending, k)
	if r, ok := w.again[k]; ok {
		w.order++
		w.pending[k] = requested{r, w.order}
		delete(w.again, k)
	}
}

// failed records that a request got no answer: one that was added meanwhile is the same request.
func (w *world) failed(k requestKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.again, k)
}

func (w *world) publish(ctx context.Context, a recharge.Lookup) error {
	err := w.published.publish(ctx, a)
	if err != nil {
		w.failed(keyOf(a.LookupRequest))
	}
	return err
}

func partitionOf(a recharge.LookupRequest) int {
	var id int
	_, _ = fmt.Sscan(a.CustomerID, &id)
	return (id - 1) % partitions
}

// account compares the answers since the last call with the pending requests.
func (w *world) account() {
	synctest.Wait()
	answers := w.published.all()
	for _, a := range answers[w.seen:] {
		k := keyOf(a.LookupRequest)
		p, ok := w.pending[k]
		switch {
		case !ok:
			w.fault("an answer without a request: %+v", k)
			continue
		case a.AnsweredAt.Before(p.request.Due):
			w.fault("answered before it was due: %+v", k)
		}
		first, customerPending := w.pending[requestKey{customerID: a.CustomerID, kind: recharge.LookupCustomer}]
		if a.Kind != recharge.LookupCustomer && customerPending && first.order < p.order {
			w.fault("answered before the customer that was requested earlier: %+v", k)
		}
		w.answered(k)
	}
	w.seen = len(answers)
}

func (w *world) fault(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

// watched checks that one call of a customer runs at a time in a process.
type watched struct {
	w      *world
	client *recharge.Client
}

// Lookup is part of lookup.Client.
func (c watched) Lookup(ctx context.Context, r recharge.LookupRequest) (recharge.Lookup, error) {
	customer := fmt.Sprintf("%p %s", c.client, r.CustomerID)
	c.count(customer, keyOf(r), 1)
	defer c.count(customer, keyOf(r), -1)
	l, err := c.client.Lookup(ctx, r)
	if err != nil {
		c.w.failed(keyOf(r))
	} else if !l.Same(r) {
		c.w.fault("the answer to another request: %+v", keyOf(l.LookupRequest))
	}
	return l, err
}

func (c watched) count(customer string, k requestKey, by int) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.w.calling[k] += by
	c.w.underWay[customer] += by
	if c.w.underWay[customer] > 1 {
		c.w.faults = append(c.w.faults, "two calls of a customer at a time")
	}
}

func (k *published) set(failures int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fail = failures
}

// A bucket that other clients fill up delays requests, but loses none.
func TestABucketThatOthersFill(t *testing.T) {
	running(t, []string{"acme"}, func(t *testing.T, r *run) {
		stop := time.Now().Add(10 * time.Minute)
		go func() { // a client that never waits
			for time.Now().Before(stop) {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.apis["acme"].URL+"/customers/1", nil)
				if err == nil {
					if response, err := r.apis["acme"].Client(time.Minute).Do(request); err == nil {
						_ = response.Body.Close()
					}
				}
				time.Sleep(100 * time.Millisecond)
			}
		}()
		for id := range 50 {
			r.queue.Add(0, customer("acme", id+1))
		}
		r.after(10 * time.Minute)
		require.Positive(t, r.counts.of("acme customer limited"))
		r.after(20 * time.Minute)
		require.Len(t, r.lines(), 50)
	})
}
