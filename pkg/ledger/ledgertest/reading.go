package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/ledger"
)

func reading(t *testing.T, open Open) {
	clock := NewClock()
	l := open(ledger.Options{Now: clock.Now})
	ctx := t.Context()
	first := claim(t, l, "t1", ledger.Claimed)
	clock.Advance(1500 * time.Millisecond)
	require.NoError(t, l.Accept(ctx, first.MessageID, "p-1"))
	paid := Trigger("t2")
	paid.Flow, paid.Cause = "charge_paid", ""
	second, err := l.Claim(ctx, paid)
	require.NoError(t, err)
	require.NoError(t, l.Reject(ctx, second.MessageID, "http_422"))
	elsewhere := Trigger("t3")
	elsewhere.Store = "other"
	third, err := l.Claim(ctx, elsewhere)
	require.NoError(t, err)
	require.NoError(t, l.MarkUnknown(ctx, third.MessageID, "no_answer"))

	noon := NewClock().Now()
	want := []ledger.Message{
		{
			ID: first.MessageID, Store: "acme", Flow: "charge_failed", Cause: "acme/1/charge_failed/7", CustomerID: "1",
			State: ledger.StateAccepted, Attempts: 1, ProviderID: "p-1", Triggers: []string{"t1"},
			CreatedAt: noon, UpdatedAt: noon.Add(1500 * time.Millisecond),
		},
		{
			ID: second.MessageID, Store: "acme", Flow: "charge_paid", CustomerID: "1",
			State: ledger.StateRejected, Attempts: 1, Code: "http_422", Triggers: []string{"t2"},
			CreatedAt: clock.Now(), UpdatedAt: clock.Now(),
		},
		{
			ID: third.MessageID, Store: "other", Flow: "charge_failed", Cause: "acme/1/charge_failed/7", CustomerID: "1",
			State: ledger.StateUnknown, Attempts: 1, Code: "no_answer", Triggers: []string{"t3"},
			CreatedAt: clock.Now(), UpdatedAt: clock.Now(),
		},
	}
	for _, tt := range []struct {
		filter ledger.Filter
		want   []ledger.Message
	}{
		{ledger.Filter{}, want},
		{ledger.Filter{Limit: 2}, want[:2]},
		{ledger.Filter{Store: "other"}, want[2:]},
		{ledger.Filter{Store: "acme", Flow: "charge_paid"}, want[1:2]},
		{ledger.Filter{State: ledger.StateAccepted}, want[:1]},
		{ledger.Filter{Store: "nobody"}, nil},
	} {
		got, err := l.Messages(ctx, tt.filter)
		require.NoError(t, err)
		assert.Equal(t, tt.want, got)
	}
	all, err := l.Counts(ctx, "")
	require.NoError(t, err)
	assert.Equal(t, map[ledger.State]int{ledger.StateAccepted: 1, ledger.StateRejected: 1, ledger.StateUnknown: 1}, all)
	acme, err := l.Counts(ctx, "acme")
	require.NoError(t, err)
	assert.Equal(t, map[ledger.State]int{ledger.StateAccepted: 1, ledger.StateRejected: 1}, acme)
}
