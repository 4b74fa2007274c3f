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

// step is something that happens to a few processes with one store and its token.
type step struct {
	after time.Duration
	what  string // want, forget, move, misbehave, kafka
	asks  []lookup.Ask
	part  int
	to    int
	n     int
	as    rechargetest.Behaviour
}

const partitions = 4

func drawStep(rt *rapid.T) step {
	s := step{
		after: time.Duration(rapid.IntRange(0, 20_000).Draw(rt, "after ms")) * time.Millisecond,
		what:  rapid.SampledFrom([]string{"want", "want", "want", "want", "forget", "move", "misbehave", "kafka"}).Draw(rt, "what"),
		part:  rapid.IntRange(0, partitions-1).Draw(rt, "partition"),
		to:    rapid.IntRange(0, 2).Draw(rt, "to"),
		n:     rapid.IntRange(1, 8).Draw(rt, "n"),
	}
	switch s.what {
	case "want":
		for range s.n * 3 {
			a := ask("acme", 1+s.part+partitions*rapid.IntRange(0, 9).Draw(rt, "customer"),
				rapid.SampledFrom([]recharge.Purpose{recharge.ForIdentity, recharge.ForFlag, recharge.ForCancellation}).Draw(rt, "purpose"))
			if a.For == recharge.ForCancellation {
				a.ChargeID, a.Attempt = "8", rapid.IntRange(1, 3).Draw(rt, "attempt")
			}
			a.Due = time.Time{}.Add(time.Duration(rapid.IntRange(0, 60).Draw(rt, "due s")) * time.Second) // from now on
			s.asks = append(s.asks, a)
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

// world runs steps and keeps its own account.
type world struct {
	t       *testing.T
	api     *rechargetest.Server
	kept    kept
	counts  [3]counts
	askers  [3]*lookup.Asker
	owner   [partitions]int
	seen    int // answers accounted for
	pending map[recharge.Question]wanted
	order   int
	faults  []string

	mu       sync.Mutex
	underWay map[string]int // by customer
	asking   map[recharge.Question]int
	again    map[recharge.Question]lookup.Ask // wanted while it was under way
}

type wanted struct {
	ask   lookup.Ask
	order int
}

// Every ask that is wanted and not forgotten ends in one answer, never before it is
// due, which is asked for after it was wanted; of one customer one at a time is asked, their identity first; the bucket never
// overflows, however many processes share it, and whatever goes wrong on the way.
func TestEveryAskEndsInOneAnswer(t *testing.T) {
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
	w := &world{t: t, api: rechargetest.NewInProcess("token"), pending: map[recharge.Question]wanted{}, underWay: map[string]int{}, asking: map[recharge.Question]int{}, again: map[recharge.Question]lookup.Ask{}}
	w.api.LimitRate(rechargetest.StandardBucket())
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for i := range w.askers {
		client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: w.api.URL, Token: "token", HTTPClient: w.api.Client(10 * time.Second)})
		require.NoError(t, err)
		w.askers[i] = lookup.New(lookup.Config{
			Readers: map[string]lookup.Reader{"acme": watched{w, client}}, Keep: w.keep, Now: time.Now, Log: zap.NewNop(), Metrics: &w.counts[i],
		})
		running.Go(func() { _ = w.askers[i].Run(ctx) })
	}
	for _, s := range steps {
		time.Sleep(s.after)
		w.account()
		w.do(s)
	}
	w.api.Recover()
	w.kept.set(0)
	time.Sleep(time.Hour)
	w.account()
	for q := range w.pending {
		w.fault("no answer to %+v", q)
	}
	for i := range w.counts {
		if n := w.counts[i].all(" limited"); n > 0 {
			w.fault("%d calls were over the limit", n)
		}
		if n := w.counts[i].waiting("acme"); n > 0 {
			w.fault("process %d: %d asks are pending", i, n)
		}
	}
	cancel()
	running.Wait()
	w.api.Close()
	return w
}

func (w *world) do(s step) {
	switch s.what {
	case "want":
		for i := range s.asks {
			s.asks[i].Due = time.Now().Add(s.asks[i].Due.Sub(time.Time{}))
		}
		for _, a := range s.asks {
			w.want(a)
		}
		w.askers[w.owner[s.part]].Want(s.part, s.asks...)
	case "forget":
		w.askers[w.owner[s.part]].Forget(s.part)
		for q, p := range w.pending {
			if partitionOf(p.ask) == s.part {
				delete(w.pending, q)
				w.failed(q)
			}
		}
	case "move":
		w.askers[w.owner[s.part]].Forget(s.part)
		w.owner[s.part] = s.to
		var rebuilt []lookup.Ask
		for _, p := range w.pending {
			if partitionOf(p.ask) == s.part {
				rebuilt = append(rebuilt, p.ask)
				w.failed(p.ask.Question)
			}
		}
		w.askers[s.to].Want(s.part, rebuilt...)
	case "misbehave":
		w.api.Next(s.n, s.as)
	case "kafka":
		w.kept.set(s.n)
	}
}

// want notes an ask, while nothing else goes on.
func (w *world) want(a lookup.Ask) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.pending[a.Question]; !known {
		w.order++
		w.pending[a.Question] = wanted{a, w.order}
	} else if w.asking[a.Question] > 0 {
		w.again[a.Question] = a
	}
}

// answered notes that a question is done, but for what was wanted meanwhile.
func (w *world) answered(q recharge.Question) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.pending, q)
	if a, ok := w.again[q]; ok {
		w.order++
		w.pending[q] = wanted{a, w.order}
		delete(w.again, q)
	}
}

// failed notes that a question got no answer: what it was wanted for meanwhile is the same question.
func (w *world) failed(q recharge.Question) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.again, q)
}

func (w *world) keep(ctx context.Context, a lookup.Answer) error {
	err := w.kept.keep(ctx, a)
	if err != nil {
		w.failed(a.Question)
	}
	return err
}

func partitionOf(a lookup.Ask) int {
	var id int
	_, _ = fmt.Sscan(a.CustomerID, &id)
	return (id - 1) % partitions
}

// account compares the answers since the last time with what was pending.
func (w *world) account() {
	synctest.Wait()
	answers := w.kept.all()
	for _, a := range answers[w.seen:] {
		p, ok := w.pending[a.Question]
		switch {
		case !ok:
			w.fault("an answer that nobody waits for: %+v", a.Question)
			continue
		case a.At.Before(p.ask.Due):
			w.fault("answered before it was due: %+v", a.Question)
		case a.Lookup.Question != a.Question:
			w.fault("the answer to another question: %+v", a.Question)
		}
		first, identityPending := w.pending[recharge.Question{CustomerID: a.CustomerID, For: recharge.ForIdentity}]
		if a.For != recharge.ForIdentity && identityPending && first.order < p.order {
			w.fault("answered before the identity that was wanted earlier: %+v", a.Question)
		}
		w.answered(a.Question)
	}
	w.seen = len(answers)
}

func (w *world) fault(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

// watched sees to it that one call of a customer is under way at a time in a process.
type watched struct {
	w      *world
	client *recharge.Client
}

// Ask is part of lookup.Reader.
func (r watched) Ask(ctx context.Context, q recharge.Question) (recharge.Lookup, error) {
	who := fmt.Sprintf("%p %s", r.client, q.CustomerID)
	r.count(who, q, 1)
	defer r.count(who, q, -1)
	l, err := r.client.Ask(ctx, q)
	if err != nil {
		r.w.failed(q)
	}
	return l, err
}

func (r watched) count(who string, q recharge.Question, by int) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	r.w.asking[q] += by
	r.w.underWay[who] += by
	if r.w.underWay[who] > 1 {
		r.w.faults = append(r.w.faults, "two calls of a customer at a time")
	}
}

func (k *kept) set(failures int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fail = failures
}

// A bucket that others fill up makes everything late, and loses nothing.
func TestABucketThatOthersFill(t *testing.T) {
	asking(t, []string{"acme"}, func(t *testing.T, r *run) {
		stop := time.Now().Add(10 * time.Minute)
		go func() { // somebody who never waits
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
			r.asker.Want(0, identity("acme", id+1))
		}
		r.after(10 * time.Minute)
		require.Positive(t, r.counts.of("acme identity limited"))
		r.after(20 * time.Minute)
		require.Len(t, r.lines(), 50)
	})
}
