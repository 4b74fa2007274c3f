// Package ledgertest is the test suite that every storage of the ledger must pass.
//
//	ledgertest.go   runs the suite; claims and answers
//	crash.go        leases, crashes, several owners
//	property.go     random sequences of calls
//	reading.go      Messages and Counts
package ledgertest

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/ledger"
)

// Open opens a ledger on a storage. Every call opens the same storage, as another process would.
type Open func(o ledger.Options) ledger.Ledger

// Storage creates an empty storage for one test and returns a function to open it. It closes ledgers that the test leaves open.
type Storage func(t testing.TB) Open

// Clock is a clock that only Advance moves.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that starts at noon of 4 May 2026, UTC.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)} }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Run runs the suite.
func Run(t *testing.T, storage Storage) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Open){
		"claims":               claims,
		"answers":              answers,
		"claimed again":        claimedAgain,
		"answers to nothing":   answersToNothing,
		"release":              release,
		"lease":                lease,
		"sole":                 sole,
		"close":                closing,
		"reopen":               reopen,
		"canceled answers":     canceledAnswers,
		"invalid triggers":     invalidTriggers,
		"reading":              reading,
		"one of many claims":   oneOfMany,
		"many different ones":  manyDifferent,
		"never claimed twice":  neverClaimedTwice,
		"two owners, one text": twoOwners,
	} {
		t.Run(name, func(t *testing.T) { test(t, storage(t)) })
	}
}

// Trigger returns a trigger with an id.
func Trigger(id string) ledger.Trigger {
	return ledger.Trigger{
		ID: id, Store: "acme", Flow: "charge_failed", Cause: "acme/1/charge_failed/7", CustomerID: "1",
		OccurredAt: time.Date(2026, 5, 4, 11, 59, 0, 0, time.UTC),
	}
}

// claim claims a trigger that must have the outcome.
func claim(t *testing.T, l ledger.Ledger, id string, want ledger.Outcome) ledger.Claim {
	t.Helper()
	c, err := l.Claim(t.Context(), Trigger(id))
	require.NoError(t, err)
	require.Equal(t, want, c.Outcome)
	assert.NotEmpty(t, c.MessageID)
	assert.Equal(t, ledger.SendKey(Trigger(id)), c.SendKey)
	return c
}

func claims(t *testing.T, open Open) {
	l := open(ledger.Options{})
	first := claim(t, l, "t1", ledger.Claimed)
	assert.Equal(t, 1, first.Attempt)
	second := claim(t, l, "t2", ledger.Claimed)
	assert.NotEqual(t, first.MessageID, second.MessageID)
	assert.NotEqual(t, first.SendKey, second.SendKey)
	again := claim(t, l, "t1", ledger.InFlight)
	assert.Equal(t, first.MessageID, again.MessageID)
	assert.Zero(t, again.Attempt, "only a holder has an attempt")
}

func answers(t *testing.T, open Open) {
	l := open(ledger.Options{})
	ctx := t.Context()
	ends := map[ledger.Outcome]func(id string) error{
		ledger.AlreadyAccepted: func(id string) error { return l.Accept(ctx, id, "p-1") },
		ledger.AlreadyRejected: func(id string) error { return l.Reject(ctx, id, "http_422") },
		ledger.Unknown:         func(id string) error { return l.MarkUnknown(ctx, id, "no_answer") },
	}
	for outcome, end := range ends {
		c := claim(t, l, string(outcome), ledger.Claimed)
		require.NoError(t, end(c.MessageID))
		claim(t, l, string(outcome), outcome)
		require.NoError(t, end(c.MessageID), "repeating an answer is allowed")
		require.ErrorIs(t, l.Release(ctx, c), ledger.ErrMove)
		claim(t, l, string(outcome), outcome)
		for other, move := range ends {
			if other == outcome || outcome == ledger.Unknown {
				continue
			}
			require.ErrorIs(t, move(c.MessageID), ledger.ErrMove, "%s to %s", outcome, other)
		}
	}
	for _, proof := range []ledger.Outcome{ledger.AlreadyAccepted, ledger.AlreadyRejected} {
		c := claim(t, l, "late "+string(proof), ledger.Claimed)
		require.NoError(t, l.MarkUnknown(ctx, c.MessageID, "no_answer"))
		require.NoError(t, ends[proof](c.MessageID), "late proof")
		require.ErrorIs(t, l.MarkUnknown(ctx, c.MessageID, "no_answer"), ledger.ErrMove)
		claim(t, l, "late "+string(proof), proof)
	}
	c := claim(t, l, "ids", ledger.Claimed)
	require.NoError(t, l.Accept(ctx, c.MessageID, ""))
	require.NoError(t, l.Accept(ctx, c.MessageID, "p-2"), "the id may come later")
	require.NoError(t, l.Accept(ctx, c.MessageID, ""))
	require.ErrorIs(t, l.Accept(ctx, c.MessageID, "p-3"), ledger.ErrMove, "two ids are two texts")
}

// claimedAgain: an operator can retry a rejected message, but no other.
func claimedAgain(t *testing.T, open Open) {
	l := open(ledger.Options{})
	ctx := t.Context()
	again := func(id string, want ledger.Outcome) ledger.Claim {
		trigger := Trigger(id)
		trigger.Again = true
		c, err := l.Claim(ctx, trigger)
		require.NoError(t, err)
		require.Equal(t, want, c.Outcome)
		return c
	}
	first := again("t1", ledger.Claimed)
	again("t1", ledger.InFlight)
	require.NoError(t, l.Reject(ctx, first.MessageID, "http_422"))
	second := again("t1", ledger.Claimed)
	assert.Equal(t, 2, second.Attempt)
	assert.Equal(t, first.MessageID, second.MessageID)
	assert.Equal(t, first.SendKey, second.SendKey)
	require.NoError(t, l.Accept(ctx, second.MessageID, "p-1"))
	again("t1", ledger.AlreadyAccepted)
	messages, err := l.Messages(ctx, ledger.Filter{})
	require.NoError(t, err)
	require.Len(t, messages, 1)
	assert.Equal(t, ledger.StateAccepted, messages[0].State)
	assert.Empty(t, messages[0].Code, "the code of the former rejection is removed")

	unsure := claim(t, l, "t2", ledger.Claimed)
	require.NoError(t, l.MarkUnknown(ctx, unsure.MessageID, "no_answer"))
	again("t2", ledger.Unknown)
}

func answersToNothing(t *testing.T, open Open) {
	l := open(ledger.Options{})
	ctx := t.Context()
	require.ErrorIs(t, l.Accept(ctx, "nobody", "p"), ledger.ErrMessage)
	require.ErrorIs(t, l.Reject(ctx, "nobody", "c"), ledger.ErrMessage)
	require.ErrorIs(t, l.MarkUnknown(ctx, "nobody", "c"), ledger.ErrMessage)
	require.ErrorIs(t, l.Release(ctx, ledger.Claim{MessageID: "nobody"}), ledger.ErrMove)

	c := claim(t, l, "t1", ledger.Claimed)
	require.NoError(t, l.Release(ctx, c))
	require.ErrorIs(t, l.Accept(ctx, c.MessageID, "p"), ledger.ErrMove, "planned is not being sent")
	require.ErrorIs(t, l.Reject(ctx, c.MessageID, "c"), ledger.ErrMove)
	require.ErrorIs(t, l.MarkUnknown(ctx, c.MessageID, "c"), ledger.ErrMove)
}

func release(t *testing.T, open Open) {
	l, other := open(ledger.Options{}), open(ledger.Options{})
	ctx := t.Context()
	first := claim(t, l, "t1", ledger.Claimed)
	require.NoError(t, l.Release(ctx, first))
	second := claim(t, l, "t1", ledger.Claimed)
	assert.Equal(t, first.SendKey, second.SendKey, "the same text")
	assert.Equal(t, 2, second.Attempt)
	require.ErrorIs(t, l.Release(ctx, first), ledger.ErrMove, "an old claim releases nothing")
	claim(t, l, "t1", ledger.InFlight)
	require.NoError(t, l.Release(ctx, second))
	third := claim(t, other, "t1", ledger.Claimed)
	require.ErrorIs(t, l.Release(ctx, second), ledger.ErrMove)
	forged := third
	forged.Owner = second.Owner
	require.ErrorIs(t, l.Release(ctx, forged), ledger.ErrMove, "only the holder")
	require.NoError(t, other.Accept(ctx, third.MessageID, "p"))
	claim(t, l, "t1", ledger.AlreadyAccepted)
}
