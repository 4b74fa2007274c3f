package ledgertest

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/ledger"
)

func lease(t *testing.T, open Open) {
	clock := NewClock()
	o := ledger.Options{Lease: time.Minute, Now: clock.Now}
	l, other := open(o), open(o)
	c := claim(t, l, "t1", ledger.Claimed)
	clock.Advance(time.Minute - time.Microsecond)
	claim(t, l, "t1", ledger.InFlight)
	claim(t, other, "t1", ledger.InFlight)
	clock.Advance(time.Microsecond)
	claim(t, other, "t1", ledger.Unknown)
	clock.Advance(24 * time.Hour)
	claim(t, other, "t1", ledger.Unknown)
	claim(t, l, "t1", ledger.Unknown)
	require.ErrorIs(t, l.Release(t.Context(), c), ledger.ErrMove, "others have seen it as unknown")
	require.NoError(t, l.Accept(t.Context(), c.MessageID, "p-1"), "the answer came late")
	claim(t, other, "t1", ledger.AlreadyAccepted)

	own := claim(t, l, "t2", ledger.Claimed)
	clock.Advance(time.Hour)
	require.NoError(t, l.Release(t.Context(), own), "no owner got another outcome")
	claim(t, l, "t2", ledger.Claimed)
	clock.Advance(time.Minute)
	claim(t, l, "t2", ledger.Unknown)
}

func sole(t *testing.T, open Open) {
	clock := NewClock()
	dead := open(ledger.Options{Now: clock.Now})
	claim(t, dead, "t1", ledger.Claimed)
	l := open(ledger.Options{Now: clock.Now, Sole: true})
	claim(t, l, "t1", ledger.Unknown)
	claim(t, l, "t2", ledger.Claimed)
	claim(t, l, "t2", ledger.InFlight)
}

func closing(t *testing.T, open Open) {
	l, other := open(ledger.Options{}), open(ledger.Options{})
	claim(t, l, "t1", ledger.Claimed)
	claim(t, other, "t2", ledger.Claimed)
	require.NoError(t, l.Close())
	require.NoError(t, l.Close(), "closing twice is allowed")
	claim(t, other, "t1", ledger.Unknown)
	claim(t, other, "t2", ledger.InFlight)
	_, err := l.Claim(t.Context(), Trigger("t3"))
	require.ErrorIs(t, err, ledger.ErrClosed)
	require.ErrorIs(t, l.Accept(t.Context(), "m", "p"), ledger.ErrClosed)
}

func reopen(t *testing.T, open Open) {
	clock := NewClock()
	o := ledger.Options{Now: clock.Now}
	l := open(o)
	ctx := t.Context()
	accepted, rejected := claim(t, l, "accepted", ledger.Claimed), claim(t, l, "rejected", ledger.Claimed)
	unknown, planned := claim(t, l, "unknown", ledger.Claimed), claim(t, l, "planned", ledger.Claimed)
	require.NoError(t, l.Accept(ctx, accepted.MessageID, "p-1"))
	require.NoError(t, l.Reject(ctx, rejected.MessageID, "http_422"))
	require.NoError(t, l.MarkUnknown(ctx, unknown.MessageID, "no_answer"))
	require.NoError(t, l.Release(ctx, planned))
	before, err := l.Messages(ctx, ledger.Filter{})
	require.NoError(t, err)
	require.NoError(t, l.Close())

	clock.Advance(time.Hour)
	l = open(o)
	after, err := l.Messages(ctx, ledger.Filter{})
	require.NoError(t, err)
	assert.Equal(t, before, after)
	claim(t, l, "accepted", ledger.AlreadyAccepted)
	claim(t, l, "rejected", ledger.AlreadyRejected)
	claim(t, l, "unknown", ledger.Unknown)
	claim(t, l, "planned", ledger.Claimed)
}

func canceledAnswers(t *testing.T, open Open) {
	l := open(ledger.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	accepted, rejected := claim(t, l, "accepted", ledger.Claimed), claim(t, l, "rejected", ledger.Claimed)
	unknown, released := claim(t, l, "unknown", ledger.Claimed), claim(t, l, "released", ledger.Claimed)
	cancel()
	require.NoError(t, l.Accept(ctx, accepted.MessageID, "p"))
	require.NoError(t, l.Reject(ctx, rejected.MessageID, "c"))
	require.NoError(t, l.MarkUnknown(ctx, unknown.MessageID, "c"))
	require.NoError(t, l.Release(ctx, released))
	_, err := l.Claim(ctx, Trigger("t1"))
	require.ErrorIs(t, err, context.Canceled)
	claim(t, l, "accepted", ledger.AlreadyAccepted)
	claim(t, l, "rejected", ledger.AlreadyRejected)
	claim(t, l, "unknown", ledger.Unknown)
	claim(t, l, "released", ledger.Claimed)
	claim(t, l, "t1", ledger.Claimed)
}

func invalidTriggers(t *testing.T, open Open) {
	l := open(ledger.Options{})
	for want, change := range map[string]func(*ledger.Trigger){
		"id is missing":           func(tr *ledger.Trigger) { tr.ID = "" },
		"store is missing":        func(tr *ledger.Trigger) { tr.Store = "" },
		"flow is missing":         func(tr *ledger.Trigger) { tr.Flow = "" },
		"customer id is missing":  func(tr *ledger.Trigger) { tr.CustomerID = "" },
		"id has 201 bytes":        func(tr *ledger.Trigger) { tr.ID = strings.Repeat("x", 201) },
		"cause has 201 bytes":     func(tr *ledger.Trigger) { tr.Cause = strings.Repeat("x", 201) },
		"must not contain |":      func(tr *ledger.Trigger) { tr.Store = "a|b" },
		"id is not UTF-8 text":    func(tr *ledger.Trigger) { tr.ID = "a\xff" },
		"cause is not UTF-8 text": func(tr *ledger.Trigger) { tr.Cause = "a\x00" },
	} {
		tr := Trigger("t1")
		change(&tr)
		_, err := l.Claim(t.Context(), tr)
		require.ErrorIs(t, err, ledger.ErrTrigger)
		require.ErrorContains(t, err, want)
	}
	counts, err := l.Counts(t.Context(), "")
	require.NoError(t, err)
	assert.Empty(t, counts)

	claim(t, l, "t1", ledger.Claimed)
	for _, tr := range []ledger.Trigger{
		{ID: "t1", Store: "other", Flow: "charge_failed", CustomerID: "1"},
		{ID: "t1", Store: "acme", Flow: "charge_paid", CustomerID: "1"},
	} {
		_, err := l.Claim(t.Context(), tr)
		require.ErrorIs(t, err, ledger.ErrTrigger)
		require.ErrorContains(t, err, "belongs to flow charge_failed of store acme")
	}
	claim(t, l, "'; DROP TABLE messages; -- \u2603", ledger.Claimed)
	claim(t, l, "'; DROP TABLE messages; -- \u2603", ledger.InFlight)
}

// twoOwners lets two ledgers process the same triggers at the same time, as after a rebalance.
func twoOwners(t *testing.T, open Open) {
	var mu sync.Mutex
	sent := map[string]int{}
	var wg sync.WaitGroup
	for range 2 {
		l := open(ledger.Options{})
		wg.Go(func() {
			for i := range 25 {
				c, err := l.Claim(t.Context(), Trigger("t"+strconv.Itoa(i)))
				if assert.NoError(t, err) && c.Outcome == ledger.Claimed {
					mu.Lock()
					sent[c.SendKey]++
					mu.Unlock()
					assert.NoError(t, l.Accept(t.Context(), c.MessageID, "p"))
				}
			}
		})
	}
	wg.Wait()
	assert.Len(t, sent, 25)
	for _, n := range sent {
		assert.Equal(t, 1, n)
	}
}

func oneOfMany(t *testing.T, open Open) {
	l := open(ledger.Options{})
	const many = 32
	outcomes := make([]ledger.Outcome, many)
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			c, err := l.Claim(t.Context(), Trigger("t1"))
			assert.NoError(t, err)
			outcomes[i] = c.Outcome
		})
	}
	wg.Wait()
	counts := map[ledger.Outcome]int{}
	for _, o := range outcomes {
		counts[o]++
	}
	assert.Equal(t, map[ledger.Outcome]int{ledger.Claimed: 1, ledger.InFlight: many - 1}, counts)
}

func manyDifferent(t *testing.T, open Open) {
	l := open(ledger.Options{})
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			c, err := l.Claim(t.Context(), Trigger("t"+strconv.Itoa(i)))
			if assert.NoError(t, err) && assert.Equal(t, ledger.Claimed, c.Outcome) {
				assert.NoError(t, l.Accept(t.Context(), c.MessageID, "p"))
			}
		})
	}
	wg.Wait()
	counts, err := l.Counts(t.Context(), "acme")
	require.NoError(t, err)
	assert.Equal(t, map[ledger.State]int{ledger.StateAccepted: 32}, counts)
}
