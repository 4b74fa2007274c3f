package recharge_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

func TestParseLimit(t *testing.T) {
	limit, ok := recharge.ParseLimit(" 1/40 ")
	assert.True(t, ok)
	assert.Equal(t, recharge.Limit{Used: 1, Size: 40}, limit)
	for _, header := range []string{"", "40", "1/", "/40", "a/40", "1/0", "-1/40", "1/-40", "1/2/3", "1/99999999999"} {
		_, ok := recharge.ParseLimit(header)
		assert.False(t, ok, header)
	}
}

// waitFor returns how long Wait blocks the next call.
func waitFor(limiter *recharge.RateLimiter) time.Duration {
	began := time.Now()
	if limiter.Wait(context.Background()) != nil {
		return -1
	}
	return time.Since(began)
}

func TestRateLimiter(t *testing.T) {
	cases := []struct {
		name  string
		limit recharge.Limit
		pause time.Duration
		want  time.Duration
	}{
		{name: "no limit known", want: 0},
		{name: "below three quarters", limit: recharge.Limit{Used: 29, Size: 40}, want: 0},
		{name: "at three quarters one call must leak", limit: recharge.Limit{Used: 30, Size: 40}, want: 500 * time.Millisecond},
		{name: "full", limit: recharge.Limit{Used: 40, Size: 40}, want: 5500 * time.Millisecond},
		{name: "a larger bucket leaks faster", limit: recharge.Limit{Used: 400, Size: 400}, want: 5050 * time.Millisecond},
		{name: "pause", limit: recharge.Limit{Used: 1, Size: 40}, pause: 2 * time.Second, want: 2 * time.Second},
		{name: "pause and full: the longer wait, and a smaller share", limit: recharge.Limit{Used: 40, Size: 40}, pause: 2 * time.Second, want: 7500 * time.Millisecond},
		{name: "smallest bucket", limit: recharge.Limit{Used: 1, Size: 1}, want: 20 * time.Second},
	}
	for _, c := range cases {
		synctest.Test(t, func(t *testing.T) {
			limiter := recharge.NewRateLimiter(time.Now)
			require.Zero(t, waitFor(limiter))
			limiter.Done(c.limit, c.pause)
			assert.InDelta(t, c.want, waitFor(limiter), float64(2*time.Millisecond), c.name)
		})
	}
}

// One call is in flight while no limit is known, later as many as leak per second.
func TestRateLimiterBoundsConcurrentCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := recharge.NewRateLimiter(time.Now)
		started := make(chan int, 9)
		for i := range 9 {
			go func() {
				if limiter.Wait(t.Context()) == nil {
					started <- i
				}
			}()
		}
		synctest.Wait()
		require.Len(t, started, 1)
		limiter.Done(recharge.Limit{Used: 1, Size: 40}, 0)
		synctest.Wait()
		require.Len(t, started, 3)
		limiter.Done(recharge.Limit{Used: 2, Size: 40}, 0)
		limiter.Done(recharge.Limit{Used: 3, Size: 40}, 0)
		synctest.Wait()
		require.Len(t, started, 5)
	})
}

func TestRateLimiterWaitEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := recharge.NewRateLimiter(time.Now)
		require.NoError(t, limiter.Wait(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, limiter.Wait(ctx), context.DeadlineExceeded)
	})
}

// replicas are several processes with one token.
type replicas struct {
	bucket   rechargetest.Bucket
	replicas int
	callers  int             // of each process
	latency  []time.Duration // of the first calls, in order
	full     bool            // whether the bucket is full at the start
	duration time.Duration
}

// callCounts counts the calls of replicas.
type callCounts struct {
	refused int
	done    []int // calls of each process
	late    []int // calls of each process in the second half
}

func (r replicas) run(t *testing.T) (out callCounts) {
	synctest.Test(t, func(t *testing.T) {
		server := rechargetest.NewInProcess("token")
		defer server.Close()
		server.PutCustomer("1", []byte(`{"customer":{"id":1}}`))
		server.LimitRate(r.bucket)
		if r.full {
			fill(t, server, r.bucket.Size)
		}
		for _, latency := range r.latency {
			server.Next(1, rechargetest.Behaviour{Slow: latency})
		}
		out = callCounts{done: make([]int, r.replicas), late: make([]int, r.replicas)}
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), r.duration)
		defer cancel()
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range r.replicas {
			client := inProcess(t, server)
			for range r.callers {
				all.Go(func() {
					for ctx.Err() == nil {
						_, err := client.Customer(ctx, "1")
						mu.Lock()
						out.count(i, err, time.Since(began) > r.duration/2)
						mu.Unlock()
					}
				})
			}
		}
		all.Wait()
	})
	return out
}

func (o *callCounts) count(replica int, err error, late bool) {
	var answer *recharge.APIError
	switch {
	case err == nil:
		o.done[replica]++
		if late {
			o.late[replica]++
		}
	case errors.As(err, &answer) && answer.Status == http.StatusTooManyRequests:
		o.refused++
	}
}

// fill puts calls of a client without a rate limiter into the bucket.
func fill(t *testing.T, server *rechargetest.Server, calls int) {
	t.Helper()
	for range calls {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/customers/1", nil)
		require.NoError(t, err)
		response, err := server.Client(time.Minute).Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
}

func inProcess(t *testing.T, server *rechargetest.Server) *recharge.Client {
	t.Helper()
	client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: server.URL, Token: "token", HTTPClient: server.Client(10 * time.Second)})
	require.NoError(t, err)
	return client
}

// Up to five processes never overflow the bucket, with any number of callers and any latency. Each of them makes progress,
// and together they use what leaks.
func TestRateLimiterSharedByReplicas(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := replicas{
			bucket:   rechargetest.StandardBucket(),
			replicas: rapid.IntRange(1, 5).Draw(rt, "replicas"),
			callers:  rapid.IntRange(1, 6).Draw(rt, "callers"),
			full:     rapid.Bool().Draw(rt, "full"),
			duration: 2 * time.Minute,
		}
		if rapid.Bool().Draw(rt, "bigger") {
			r.bucket = rechargetest.Bucket{Size: 80, PerSecond: 4}
		}
		for range 100 {
			r.latency = append(r.latency, time.Duration(rapid.IntRange(0, 2000).Draw(rt, "latency"))*time.Millisecond)
		}
		out := r.run(t)
		first := 0
		if r.full { // the first call of a process does not know that the bucket is full
			first = r.replicas
		}
		if out.refused > first {
			rt.Fatalf("%d calls were refused: %+v", out.refused, r)
		}
		sum := 0
		for i, done := range out.done {
			sum += done
			if out.late[i] == 0 {
				rt.Fatalf("process %d made no call in a minute: %v of %+v", i, out, r)
			}
		}
		if leaked := int(r.bucket.PerSecond * r.duration.Seconds()); sum < leaked*3/4 {
			rt.Fatalf("%d calls were made while %d leaked: %+v", sum, leaked, r)
		}
	})
}

// With more processes than the last quarter of the bucket has room for, some calls are refused; all processes make
// progress.
func TestRateLimiterOfManyReplicas(t *testing.T) {
	r := replicas{bucket: rechargetest.StandardBucket(), replicas: 12, callers: 4, duration: 10 * time.Minute}
	for i := range 1200 {
		r.latency = append(r.latency, time.Duration(100+i%5*200)*time.Millisecond)
	}
	out := r.run(t)
	sum := 0
	for i, calls := range out.late {
		assert.NotZero(t, calls, i)
		sum += out.done[i]
	}
	assert.Greater(t, sum, 900, "of 1,200 that leak")
	assert.Less(t, out.refused, sum/10, fmt.Sprint(out))
}
