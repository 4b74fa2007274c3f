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
	asking(t, []string{"acme"}, func(t *testing.T, r *run) {
		r.putCustomer(t, "acme", 1)
		r.asker.Want(3, identity("acme", 1), flag("acme", 1), identity("acme", 2))
		r.after(time.Second)
		answers := r.kept.all()
		require.Len(t, answers, 3)
		found := map[string]recharge.Lookup{}
		for _, a := range answers {
			found[a.CustomerID+" "+string(a.For)] = a.Lookup
			assert.Equal(t, "acme", a.Store)
			assert.Equal(t, a.Question, a.Lookup.Question)
		}
		assert.Equal(t, "c1@example.com", found["1 identity"].Customer.Email)
		assert.Equal(t, "11", found["1 flag"].Subscriptions[0].ID)
		assert.True(t, found["1 flag"].Complete)
		assert.True(t, found["2 identity"].NotFound)
		assert.Equal(t, 1, r.counts.of("acme identity found"))
		assert.Equal(t, 1, r.counts.of("acme identity not_found"))
		assert.Equal(t, 1, r.counts.of("acme flag found"))
		assert.Zero(t, r.counts.waiting("acme"))
		require.NoError(t, r.asker.Trouble())
	})
}

func TestNothingIsAskedBeforeItIsDue(t *testing.T) {
	asking(t, []string{"acme"}, func(t *testing.T, r *run) {
		q := recharge.Question{CustomerID: "1", For: recharge.ForCancellation, ChargeID: "8", Attempt: 1}
		first := lookup.Ask{Store: "acme", Question: q, Due: r.began.Add(time.Minute)}
		q.Attempt = 2
		second := lookup.Ask{Store: "acme", Question: q, Due: r.began.Add(10 * time.Minute)}
		r.asker.Want(0, second, first)
		r.after(time.Minute - time.Millisecond)
		assert.Empty(t, r.lines())
		r.after(time.Hour)
		assert.Equal(t, []string{"acme/1 cancellation 8 #1 1m0s", "acme/1 cancellation 8 #2 10m0s"}, r.lines())
		assert.Equal(t, 2, r.apis["acme"].Calls())
	})
}

func TestAnAskThatIsPendingIsNotAddedAgain(t *testing.T) {
	asking(t, []string{"acme"}, func(t *testing.T, r *run) {
		late := identity("acme", 1)
		late.Due = r.began.Add(time.Minute)
		r.asker.Want(0, late, identity("acme", 1), late)
		assert.Equal(t, 1, r.counts.waiting("acme"))
		r.after(time.Hour)
		assert.Equal(t, []string{"acme/1 identity 1m0s"}, r.lines())
		r.asker.Want(0, identity("acme", 1)) // done: again
		r.after(2 * time.Hour)
		assert.Len(t, r.lines(), 2)
	})
}

// Who wants what is under way may know its answer already: it is kept, and nobody has confirmed that yet.
func TestAnAskThatIsUnderWayIsAskedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		fail int
		want []string
	}{
		"the confirmation is late":  {0, []string{"acme/1 identity 0s", "acme/1 identity 40s"}},
		"the confirmation is lost":  {1, []string{"acme/1 identity 40s"}},
		"nothing works for a while": {5, []string{"acme/1 identity 2m"}},
	} {
		asking(t, []string{"acme"}, func(t *testing.T, r *run) {
			r.kept.slow, r.kept.fail = 20*time.Second, c.fail
			r.asker.Want(0, identity("acme", 1))
			r.after(time.Second)
			again := identity("acme", 1)
			again.Due = r.began.Add(40 * time.Second)
			r.asker.Want(0, again)
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

// What is wanted again while it is under way is forgotten with it.
func TestForgetWhatIsWantedAgain(t *testing.T) {
	asking(t, []string{"acme"}, func(t *testing.T, r *run) {
		r.kept.slow = 10 * time.Second
		r.asker.Want(0, identity("acme", 1))
		r.after(time.Second)
		r.asker.Want(0, identity("acme", 1))
		r.asker.Forget(0)
		r.after(time.Hour)
		assert.Empty(t, r.lines())
		assert.Zero(t, r.counts.waiting("acme"))
	})
}

// What holds events back goes first, and an identity before all else of its customer.
func TestOrder(t *testing.T) {
	asking(t, []string{"acme"}, func(t *testing.T, r *run) {
		r.apis["acme"].Next(1, rechargetest.Behaviour{Slow: time.Second}) // all others are there meanwhile
		r.asker.Want(0, identity("acme", 1))
		r.after(0)
		later := identity("acme", 5)
		later.Due = r.began.Add(30 * time.Second)
		r.asker.Want(0, flag("acme", 2), flag("acme", 5), later, ask("acme", 3, recharge.ForCancellation), identity("acme", 4), flag("acme", 4))
		r.after(time.Minute)
		lines := r.lines()
		require.Len(t, lines, 7)
		assert.Equal(t, "acme/1 identity 1s", lines[0])
		assert.ElementsMatch(t, []string{"acme/4 identity 1s", "acme/3 cancellation 1s", "acme/2 flag 1s", "acme/4 flag 1s"}, lines[1:5])
		assert.Equal(t, []string{"acme/5 identity 30s", "acme/5 flag 30s"}, lines[5:])
	})
}

// Of what is due identities go first, then cancellations, then flags, each in the
// order in which they were wanted.
func TestOrderOfOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &kept{slow: time.Second}
		asker := lookup.New(lookup.Config{
			Readers: map[string]lookup.Reader{"acme": readerFunc(unknown)}, Keep: kept.keep, AtOnce: 1,
			Now: time.Now, Log: zap.NewNop(), Metrics: &counts{},
		})
		for id := range 3 {
			asker.Want(0, flag("acme", 10+id), ask("acme", 10+id, recharge.ForCancellation))
			time.Sleep(time.Millisecond)
			asker.Want(0, ask("acme", 20+id, recharge.ForCancellation), identity("acme", 30+id))
			time.Sleep(time.Millisecond)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, asker.Run(ctx))
		var order []string
		for _, a := range kept.all() {
			order = append(order, a.CustomerID+" "+string(a.For))
		}
		assert.Equal(t, []string{
			"30 identity", "31 identity", "32 identity",
			"10 cancellation", "20 cancellation", "11 cancellation", "21 cancellation", "12 cancellation", "22 cancellation",
			"10 flag", "11 flag", "12 flag",
		}, order)
	})
}

func TestFailuresComeAgain(t *testing.T) {
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
		asking(t, []string{"acme"}, func(t *testing.T, r *run) {
			r.putCustomer(t, "acme", 1)
			r.apis["acme"].Next(5, failure)
			r.asker.Want(0, identity("acme", 1))
			r.after(time.Hour)
			require.Len(t, r.lines(), 1, name)
			assert.NotNil(t, r.kept.all()[0].Lookup.Customer, name)
			assert.Equal(t, 6, r.apis["acme"].Calls(), name)
			assert.Zero(t, r.counts.waiting("acme"), name)
		})
	}
}

// An API that is down for a day is tried about once a minute, however much waits;
// when it is back everything is asked.
func TestAnAPIThatIsDown(t *testing.T) {
	for name, down := range map[string]rechargetest.Behaviour{
		"unreachable": {Reset: true}, "503": {Status: 503, Body: `{}`}, "slow 503": {Status: 503, Body: `{}`, Slow: 2 * time.Second},
	} {
		asking(t, []string{"acme", "other"}, func(t *testing.T, r *run) {
			r.apis["acme"].Next(100_000, down)
			for id := range 500 {
				r.asker.Want(id%12, flag("acme", id+1), identity("acme", id+1))
			}
			r.asker.Want(0, identity("other", 1))
			r.after(24 * time.Hour)
			calls := r.apis["acme"].Calls()
			assert.Greater(t, calls, 24*60, name)
			assert.Less(t, calls, 24*60*3/2, name)
			assert.Len(t, r.lines(), 1, "the other store goes on")
			require.ErrorContains(t, r.asker.Trouble(), "store acme: 1000 lookups wait for: look up customer: recharge api: ")
			assert.NotContains(t, r.asker.Trouble().Error(), "customers/")
			r.apis["acme"].Recover()
			r.after(24*time.Hour + 15*time.Minute)
			assert.Len(t, r.lines(), 1001, name)
			require.NoError(t, r.asker.Trouble())
		})
	}
}

func TestARefusedTokenIsToldUntilItIsMended(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		asking(t, []string{"acme"}, func(t *testing.T, r *run) {
			r.apis["acme"].FailNext(6, status, `{"error":"bad authentication"}`)
			r.asker.Want(0, identity("acme", 1), identity("acme", 2))
			r.after(5 * time.Second)
			assert.True(t, r.counts.isPaused("acme"))
			r.after(time.Hour)
			assert.False(t, r.counts.isPaused("acme"))
			assert.Equal(t, 6, r.counts.of("acme identity refused"))
			assert.Len(t, r.lines(), 2)
		})
	}
}

func TestRetryAfterIsKept(t *testing.T) {
	asking(t, []string{"acme"}, func(t *testing.T, r *run) {
		r.apis["acme"].Next(1, rechargetest.Behaviour{Status: 503, Body: `{}`, RetryAfter: "600"})
		r.asker.Want(0, identity("acme", 1))
		r.after(time.Second)
		r.asker.Want(0, identity("acme", 2))
		r.after(10*time.Minute - time.Second)
		assert.Equal(t, 1, r.apis["acme"].Calls())
		r.after(11 * time.Minute)
		assert.Len(t, r.lines(), 2)
	})
}

// One customer whose call fails for ever holds up nobody else for long.
func TestACustomerWhoseCallFailsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &run{kept: &kept{}, counts: &counts{}, began: time.Now()}
		r.run(t, map[string]lookup.Reader{"acme": readerFunc(func(q recharge.Question) (recharge.Lookup, error) {
			if q.CustomerID == "1" {
				return recharge.Lookup{}, &recharge.APIError{Status: 500}
			}
			return unknown(q)
		})})
		r.asker.Want(0, identity("acme", 1), flag("acme", 1))
		for id := range 100 {
			r.after(time.Duration(id) * 5 * time.Minute)
			r.asker.Want(0, identity("acme", id+2))
			r.after(time.Duration(id)*5*time.Minute + 2*time.Second)
			require.Len(t, r.lines(), id+1)
		}
		assert.Equal(t, 2, r.counts.waiting("acme"), "the flag waits behind its customer's identity")
	})
}

// An answer that Kafka doesn't take is asked for again.
func TestAnAnswerThatIsNotKept(t *testing.T) {
	asking(t, []string{"acme"}, func(t *testing.T, r *run) {
		r.kept.fail = 3
		r.asker.Want(0, identity("acme", 1))
		r.after(0)
		require.ErrorContains(t, r.asker.Trouble(), "keep lookup: kafka is down")
		r.after(time.Hour)
		assert.Len(t, r.lines(), 1)
		assert.Equal(t, 3, r.counts.of("acme identity not_kept"))
		assert.Equal(t, 4, r.apis["acme"].Calls())
	})
}

func TestForget(t *testing.T) {
	asking(t, []string{"acme"}, func(t *testing.T, r *run) {
		late := func(id int) lookup.Ask {
			a := identity("acme", id)
			a.Due = r.began.Add(time.Minute)
			return a
		}
		r.asker.Want(0, late(1), late(2))
		r.asker.Want(1, late(3))
		r.asker.Forget(0)
		assert.Equal(t, 1, r.counts.waiting("acme"))
		r.asker.Want(0, late(2)) // it is ours again
		r.asker.Forget(7)
		r.after(time.Hour)
		assert.ElementsMatch(t, []string{"acme/2 identity 1m0s", "acme/3 identity 1m0s"}, r.lines())
	})
}

// A call under way is given up; its customer is asked again only when it has ended.
func TestForgetWhatIsUnderWay(t *testing.T) {
	for name, b := range map[string]rechargetest.Behaviour{"slow": {Slow: 9 * time.Second}, "hangs": {Hang: true}} {
		asking(t, []string{"acme"}, func(t *testing.T, r *run) {
			r.apis["acme"].Next(1, b)
			r.asker.Want(0, identity("acme", 1))
			r.after(time.Second)
			r.asker.Forget(0)
			r.after(5 * time.Second)
			require.NoError(t, r.asker.Trouble())
			assert.Zero(t, r.counts.waiting("acme"))
			r.after(time.Hour)
			assert.Empty(t, r.lines(), name)
			r.apis["acme"].Next(1, b)
			r.asker.Want(0, identity("acme", 1))
			r.after(time.Hour + time.Second)
			r.asker.Forget(0)
			r.asker.Want(0, identity("acme", 1))
			r.after(2 * time.Hour)
			assert.Equal(t, []string{"acme/1 identity 1h0m1s"}, r.lines(), name)
		})
	}
}

func TestForgetWhileAnAnswerIsKept(t *testing.T) {
	asking(t, []string{"acme"}, func(t *testing.T, r *run) {
		r.kept.slow = 10 * time.Second
		r.asker.Want(0, identity("acme", 1))
		r.after(time.Second)
		r.asker.Forget(0)
		r.asker.Want(0, identity("acme", 1))
		r.after(time.Hour)
		assert.Equal(t, []string{"acme/1 identity 1s"}, r.lines(), "the second ask, of a second after the first")
	})
}

// Asks of a store that this process can't ask are not lost, and it is told.
func TestAStoreWithoutReader(t *testing.T) {
	asking(t, []string{"acme"}, func(t *testing.T, r *run) {
		r.asker.Want(0, identity("unknown", 1))
		r.after(time.Hour)
		require.ErrorContains(t, r.asker.Trouble(), "store unknown: 1 lookups wait for: access to Recharge's API")
		assert.Equal(t, 1, r.counts.waiting("unknown"))
		r.asker.Forget(0)
		require.NoError(t, r.asker.Trouble())
	})
}

// A pending ask takes a few hundred bytes and no goroutine.
func TestManyAsksAreSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("it fills 60 MB")
	}
	const many = 100_000
	asker := lookup.New(lookup.Config{
		Readers: map[string]lookup.Reader{"acme": readerFunc(nil)}, Now: time.Now, Log: zap.NewNop(), Metrics: &counts{},
	})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()
	for id := range many {
		asker.Want(id%12, flag("acme", id+1))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	bytes := (after.HeapAlloc - before.HeapAlloc) / many
	t.Log(fmt.Sprint(bytes, " bytes an ask"))
	assert.Less(t, bytes, uint64(600))
	assert.Equal(t, goroutines, runtime.NumGoroutine())
	began := time.Now()
	for partition := range 12 {
		asker.Forget(partition)
	}
	assert.Less(t, time.Since(began), 10*time.Second)
	runtime.KeepAlive(asker)
}
