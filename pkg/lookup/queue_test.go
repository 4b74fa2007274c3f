package lookup_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
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

func TestAnswers(t *testing.T) {
	running(t, []string{"acme"}, func(t *testing.T, r *run) {
		r.putCustomer(t, "acme", 1)
		r.queue.Add(3, customer("acme", 1), subscriptions("acme", 1), customer("acme", 2))
		r.after(time.Second)
		answers := r.published.all()
		require.Len(t, answers, 3)
		found := map[string]recharge.Lookup{}
		for _, a := range answers {
			found[a.CustomerID+" "+string(a.Kind)] = a
			assert.Equal(t, "acme", a.Store)
			assert.WithinDuration(t, time.Now(), a.AnsweredAt, time.Second)
		}
		assert.Equal(t, "c1@example.com", found["1 customer"].Customer.Email)
		assert.Equal(t, "11", found["1 subscriptions"].Subscriptions[0].ID)
		assert.True(t, found["1 subscriptions"].Complete)
		assert.True(t, found["2 customer"].NotFound)
		assert.Equal(t, 1, r.counts.of("acme customer found"))
		assert.Equal(t, 1, r.counts.of("acme customer not_found"))
		assert.Equal(t, 1, r.counts.of("acme subscriptions found"))
		assert.Zero(t, r.counts.waiting("acme"))
		require.NoError(t, r.queue.Trouble())
	})
}

func TestNoCallBeforeARequestIsDue(t *testing.T) {
	running(t, []string{"acme"}, func(t *testing.T, r *run) {
		first := recharge.LookupRequest{Store: "acme", CustomerID: "1", Kind: recharge.LookupCancellation, ChargeID: "8", Attempt: 1}
		second := first
		first.Due, second.Attempt, second.Due = r.began.Add(time.Minute), 2, r.began.Add(10*time.Minute)
		r.queue.Add(0, second, first)
		r.after(time.Minute - time.Millisecond)
		assert.Empty(t, r.lines())
		r.after(time.Hour)
		assert.Equal(t, []string{"acme/1 cancellation 8 #1 1m0s", "acme/1 cancellation 8 #2 10m0s"}, r.lines())
		assert.Equal(t, 2, r.apis["acme"].Calls())
	})
}

func TestAPendingRequestIsNotAddedAgain(t *testing.T) {
	running(t, []string{"acme"}, func(t *testing.T, r *run) {
		late := customer("acme", 1)
		late.Due = r.began.Add(time.Minute)
		r.queue.Add(0, late, customer("acme", 1), late)
		assert.Equal(t, 1, r.counts.waiting("acme"))
		r.after(time.Hour)
		assert.Equal(t, []string{"acme/1 customer 1m0s"}, r.lines())
		r.queue.Add(0, customer("acme", 1)) // answered before: added again
		r.after(2 * time.Hour)
		assert.Len(t, r.lines(), 2)
	})
}

// The answer of a running call may be published and handled before its publication is confirmed.
func TestARunningRequestIsRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		fail int
		want []string
	}{
		"the confirmation is late":  {0, []string{"acme/1 customer 0s", "acme/1 customer 40s"}},
		"the confirmation is lost":  {1, []string{"acme/1 customer 40s"}},
		"nothing works for a while": {5, []string{"acme/1 customer 2m"}},
	} {
		running(t, []string{"acme"}, func(t *testing.T, r *run) {
			r.published.slow, r.published.fail = 20*time.Second, c.fail
			r.queue.Add(0, customer("acme", 1))
			r.after(time.Second)
			again := customer("acme", 1)
			again.Due = r.began.Add(40 * time.Second)
			r.queue.Add(0, again)
			assert.Equal(t, 1, r.counts.waiting("acme"))
			r.after(21 * time.Second)
			assert.Equal(t, 1, r.counts.waiting("acme"), name)
			r.after(time.Hour)
			lines := r.lines()
			require.Len(t, lines, len(c.want), name)
			for i, line := range lines {
				assert.Contains(t, line, c.want[i], name)
			}
			assert.Zero(t, r.counts.waiting("acme"), name)
		})
	}
}

// A request that was added again while its call ran is removed with it.
func TestRemoveARepeatedRequest(t *testing.T) {
	running(t, []string{"acme"}, func(t *testing.T, r *run) {
		r.published.slow = 10 * time.Second
		r.queue.Add(0, customer("acme", 1))
		r.after(time.Second)
		r.queue.Add(0, customer("acme", 1))
		r.queue.Remove(0)
		r.after(time.Hour)
		assert.Empty(t, r.lines())
		assert.Zero(t, r.counts.waiting("acme"))
	})
}

// Requests of kind customer are sent first, and before all others of their customer.
func TestOrder(t *testing.T) {
	running(t, []string{"acme"}, func(t *testing.T, r *run) {
		r.apis["acme"].Next(1, rechargetest.Behaviour{Slow: time.Second}) // so that all others are added meanwhile
		r.queue.Add(0, customer("acme", 1))
		r.after(0)
		later := customer("acme", 5)
		later.Due = r.began.Add(30 * time.Second)
		r.queue.Add(0, subscriptions("acme", 2), subscriptions("acme", 5), later, request("acme", 3, recharge.LookupCancellation), customer("acme", 4), subscriptions("acme", 4))
		r.after(time.Minute)
		lines := r.lines()
		require.Len(t, lines, 7)
		assert.ElementsMatch(t, []string{
			"acme/1 customer 1s", "acme/4 customer 1s", "acme/3 cancellation 1s", "acme/2 subscriptions 1s", "acme/4 subscriptions 1s",
		}, lines[:5], "answers of the same moment are published in any order")
		assert.Equal(t, []string{"acme/5 customer 30s", "acme/5 subscriptions 30s"}, lines[5:])
	})
}

// Requests that are due: kind customer first, then cancellation, then subscriptions, each in the
// order in which they were requested.
func TestOrderOfDueRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		published := &published{slow: time.Second}
		queue := lookup.New(lookup.Config{
			Clients: map[string]lookup.Client{"acme": clientFunc(unknown)}, Publish: published.publish, Workers: 1,
			Now: time.Now, Log: zap.NewNop(), Metrics: &counts{},
		})
		for id := range 3 {
			queue.Add(0, subscriptions("acme", 10+id), request("acme", 10+id, recharge.LookupCancellation))
			time.Sleep(time.Millisecond)
			queue.Add(0, request("acme", 20+id, recharge.LookupCancellation), customer("acme", 30+id))
			time.Sleep(time.Millisecond)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, queue.Run(ctx))
		var order []string
		for _, a := range published.all() {
			order = append(order, a.CustomerID+" "+string(a.Kind))
		}
		assert.Equal(t, []string{
			"30 customer", "31 customer", "32 customer",
			"10 cancellation", "20 cancellation", "11 cancellation", "21 cancellation", "12 cancellation", "22 cancellation",
			"10 subscriptions", "11 subscriptions", "12 subscriptions",
		}, order)
	})
}

func TestFailedCallsAreRetried(t *testing.T) {
	for name, failure := range map[string]rechargetest.Behaviour{
		"500":           {Status: 500, Body: `{"error":"internal"}`},
		"503":           {Status: 503, Body: `{"errors":"third party timeout"}`},
		"409":           {Status: 409, Body: `{"error":"a call to this resource is in progress"}`},
		"401":           {Status: 401, Body: `{"error":"bad authentication"}`},
		"403":           {Status: 403, Body: `{"error":"no scope"}`},
		"429":           {Status: 429, Body: `{}`},
		"404 of others": {Status: 404, Body: `<html>`},
		"no JSON":       {Status: 200, Body: `<html>`},
		"reset":         {Reset: true},
		"hangs":         {Hang: true},
		"too slow":      {Slow: 11 * time.Second},
	} {
		running(t, []string{"acme"}, func(t *testing.T, r *run) {
			r.putCustomer(t, "acme", 1)
			r.apis["acme"].Next(5, failure)
			r.queue.Add(0, customer("acme", 1))
			r.after(time.Hour)
			require.Len(t, r.lines(), 1, name)
			assert.NotNil(t, r.published.all()[0].Customer, name)
			assert.Equal(t, 6, r.apis["acme"].Calls(), name)
			assert.Zero(t, r.counts.waiting("acme"), name)
		})
	}
}

// An API that is down for a day is called about once a minute, however many requests are pending. When it is back every request
// is answered.
func TestAnAPIThatIsDown(t *testing.T) {
	for name, down := range map[string]rechargetest.Behaviour{
		"unreachable": {Reset: true}, "503": {Status: 503, Body: `{}`}, "slow 503": {Status: 503, Body: `{}`, Slow: 2 * time.Second},
	} {
		running(t, []string{"acme", "other"}, func(t *testing.T, r *run) {
			r.apis["acme"].Next(100_000, down)
			for id := range 500 {
				r.queue.Add(id%12, subscriptions("acme", id+1), customer("acme", id+1))
			}
			r.queue.Add(0, customer("other", 1))
			r.after(24 * time.Hour)
			calls := r.apis["acme"].Calls()
			assert.Greater(t, calls, 24*60, name)
			assert.Less(t, calls, 24*60*3/2, name)
			assert.Len(t, r.lines(), 1, "the other store is not affected")
			require.ErrorContains(t, r.queue.Trouble(), "store acme: 1000 lookups pending: look up customer: recharge api: ")
			assert.NotContains(t, r.queue.Trouble().Error(), "customers/")
			r.apis["acme"].Recover()
			r.after(24*time.Hour + 15*time.Minute)
			assert.Len(t, r.lines(), 1001, name)
			require.NoError(t, r.queue.Trouble())
		})
	}
}

func TestARefusedTokenIsReportedUntilItIsFixed(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		running(t, []string{"acme"}, func(t *testing.T, r *run) {
			r.apis["acme"].FailNext(6, status, `{"error":"bad authentication"}`)
			r.queue.Add(0, customer("acme", 1), customer("acme", 2))
			r.after(5 * time.Second)
			assert.True(t, r.counts.isPaused("acme"))
			r.after(time.Hour)
			assert.False(t, r.counts.isPaused("acme"))
			assert.Equal(t, 6, r.counts.of("acme customer refused"))
			assert.Len(t, r.lines(), 2)
		})
	}
}

func TestRetryAfterIsRespected(t *testing.T) {
	running(t, []string{"acme"}, func(t *testing.T, r *run) {
		r.apis["acme"].Next(1, rechargetest.Behaviour{Status: 503, Body: `{}`, RetryAfter: "600"})
		r.queue.Add(0, customer("acme", 1))
		r.after(time.Second)
		r.queue.Add(0, customer("acme", 2))
		r.after(10*time.Minute - time.Second)
		assert.Equal(t, 1, r.apis["acme"].Calls())
		r.after(11 * time.Minute)
		assert.Len(t, r.lines(), 2)
	})
}

// A customer whose call always fails delays others only briefly.
func TestACustomerWhoseCallFailsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &run{published: &published{}, counts: &counts{}, began: time.Now()}
		r.run(t, map[string]lookup.Client{"acme": clientFunc(func(req recharge.LookupRequest) (recharge.Lookup, error) {
			if req.CustomerID == "1" {
				return recharge.Lookup{}, &recharge.APIError{Status: 500}
			}
			return unknown(req)
		})})
		r.queue.Add(0, customer("acme", 1), subscriptions("acme", 1))
		for id := range 100 {
			r.after(time.Duration(id) * 5 * time.Minute)
			r.queue.Add(0, customer("acme", id+2))
			r.after(time.Duration(id)*5*time.Minute + 2*time.Second)
			require.Len(t, r.lines(), id+1)
		}
		assert.Equal(t, 2, r.counts.waiting("acme"), "the subscriptions wait for the customer")
	})
}

// After an answer could not be published the API is called again.
func TestAnAnswerThatIsNotPublished(t *testing.T) {
	running(t, []string{"acme"}, func(t *testing.T, r *run) {
		r.published.fail = 3
		r.queue.Add(0, customer("acme", 1))
		r.after(0)
		require.ErrorContains(t, r.queue.Trouble(), "publish lookup: kafka is down")
		r.after(time.Hour)
		assert.Len(t, r.lines(), 1)
		assert.Equal(t, 3, r.counts.of("acme customer not_published"))
		assert.Equal(t, 4, r.apis["acme"].Calls())
	})
}

func TestRemove(t *testing.T) {
	running(t, []string{"acme"}, func(t *testing.T, r *run) {
		late := func(id int) recharge.LookupRequest {
			a := customer("acme", id)
			a.Due = r.began.Add(time.Minute)
			return a
		}
		r.queue.Add(0, late(1), late(2))
		r.queue.Add(1, late(3))
		r.queue.Remove(0)
		assert.Equal(t, 1, r.counts.waiting("acme"))
		r.queue.Add(0, late(2)) // the partition is assigned again
		r.queue.Remove(7)
		r.after(time.Hour)
		assert.ElementsMatch(t, []string{"acme/2 customer 1m0s", "acme/3 customer 1m0s"}, r.lines())
	})
}

// Customers are counted while a request of kind customer is pending: nothing is parked for the other kinds.
func TestCustomers(t *testing.T) {
	running(t, []string{"acme", "other"}, func(t *testing.T, r *run) {
		r.putCustomer(t, "acme", 1, 2)
		r.queue.Add(0, customer("acme", 1), subscriptions("acme", 1))
		r.queue.Add(1, customer("acme", 2), subscriptions("acme", 3))
		assert.Equal(t, map[string]int{"acme": 2, "other": 0}, r.queue.Customers())
		r.queue.Remove(1)
		assert.Equal(t, map[string]int{"acme": 1, "other": 0}, r.queue.Customers())
		r.after(time.Hour)
		assert.Equal(t, map[string]int{"acme": 0, "other": 0}, r.queue.Customers())
	})
}

// A running call is canceled; the next call of its customer begins only when it has ended.
func TestRemoveARunningRequest(t *testing.T) {
	for name, b := range map[string]rechargetest.Behaviour{"slow": {Slow: 9 * time.Second}, "hangs": {Hang: true}} {
		running(t, []string{"acme"}, func(t *testing.T, r *run) {
			r.apis["acme"].Next(1, b)
			r.queue.Add(0, customer("acme", 1))
			r.after(time.Second)
			r.queue.Remove(0)
			r.after(5 * time.Second)
			require.NoError(t, r.queue.Trouble())
			assert.Zero(t, r.counts.waiting("acme"))
			r.after(time.Hour)
			assert.Empty(t, r.lines(), name)
			r.apis["acme"].Next(1, b)
			r.queue.Add(0, customer("acme", 1))
			r.after(time.Hour + time.Second)
			r.queue.Remove(0)
			r.queue.Add(0, customer("acme", 1))
			r.after(2 * time.Hour)
			assert.Equal(t, []string{"acme/1 customer 1h0m1s"}, r.lines(), name)
		})
	}
}

func TestRemoveWhileAnAnswerIsPublished(t *testing.T) {
	running(t, []string{"acme"}, func(t *testing.T, r *run) {
		r.published.slow = 10 * time.Second
		r.queue.Add(0, customer("acme", 1))
		r.after(time.Second)
		r.queue.Remove(0)
		r.queue.Add(0, customer("acme", 1))
		r.after(time.Hour)
		assert.Equal(t, []string{"acme/1 customer 1s"}, r.lines(), "the second request, of a second after the first")
	})
}

// Requests of a store without an API token are kept and reported.
func TestAStoreWithoutClient(t *testing.T) {
	running(t, []string{"acme"}, func(t *testing.T, r *run) {
		r.queue.Add(0, customer("unknown", 1))
		r.after(time.Hour)
		require.ErrorContains(t, r.queue.Trouble(), "store unknown: 1 lookups pending: no API token configured")
		assert.Equal(t, 1, r.counts.waiting("unknown"))
		r.queue.Remove(0)
		require.NoError(t, r.queue.Trouble())
	})
}

// A pending request takes a few hundred bytes and no goroutine.
func TestManyRequestsAreSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("it fills 60 MB")
	}
	const many = 100_000
	queue := lookup.New(lookup.Config{
		Clients: map[string]lookup.Client{"acme": clientFunc(nil)}, Now: time.Now, Log: zap.NewNop(), Metrics: &counts{},
	})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()
	for id := range many {
		queue.Add(id%12, subscriptions("acme", id+1))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	bytes := (after.HeapAlloc - before.HeapAlloc) / many
	t.Log(fmt.Sprint(bytes, " bytes a request"))
	assert.Less(t, bytes, uint64(600))
	assert.Equal(t, goroutines, runtime.NumGoroutine())
	began := time.Now()
	for partition := range 12 {
		queue.Remove(partition)
	}
	assert.Less(t, time.Since(began), 10*time.Second)
	runtime.KeepAlive(queue)
}
