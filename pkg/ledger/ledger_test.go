package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/ledger"
)

// The send key is what a provider knows a text by: it must never change.
func TestSendKeyGolden(t *testing.T) {
	assert.Equal(t, "05df98aca6448b6405d7c88a468948d19a72db17962fdc089cf86ff02670d0aa", ledger.SendKey(ledger.Trigger{
		ID: "t1", Store: "acme", Flow: "charge_failed", Cause: "c", CustomerID: "1", OccurredAt: time.Now(),
	}))
}

func TestDecide(t *testing.T) {
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	shared, alone := ledger.Options{}.Defaults(), ledger.Options{Sole: true}.Defaults()
	fresh := ledger.Held{State: ledger.StateClaimed, Owner: "a", ClaimedAt: noon}
	tests := []struct {
		name    string
		options ledger.Options
		held    ledger.Held
		asker   string
		now     time.Time
		outcome ledger.Outcome
		state   ledger.State
	}{
		{"planned", shared, ledger.Held{State: ledger.StatePlanned}, "a", noon, ledger.Claimed, ledger.StateClaimed},
		{"accepted", shared, ledger.Held{State: ledger.StateAccepted}, "a", noon, ledger.AlreadyAccepted, ledger.StateAccepted},
		{"rejected", shared, ledger.Held{State: ledger.StateRejected}, "a", noon, ledger.AlreadyRejected, ledger.StateRejected},
		{"unknown", shared, ledger.Held{State: ledger.StateUnknown}, "a", noon, ledger.Unknown, ledger.StateUnknown},
		{"own claim", shared, fresh, "a", noon, ledger.InFlight, ledger.StateClaimed},
		{"other's claim", shared, fresh, "b", noon, ledger.InFlight, ledger.StateClaimed},
		{"own claim, lease over", shared, fresh, "a", noon.Add(ledger.DefaultLease), ledger.Unknown, ledger.StateUnknown},
		{"other's claim, lease over", shared, fresh, "b", noon.Add(ledger.DefaultLease), ledger.Unknown, ledger.StateUnknown},
		{"alone, own claim", alone, fresh, "a", noon, ledger.InFlight, ledger.StateClaimed},
		{"alone, left behind", alone, fresh, "b", noon, ledger.Unknown, ledger.StateUnknown},
		{"the clock went back", shared, fresh, "b", noon.Add(-time.Hour), ledger.InFlight, ledger.StateClaimed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			outcome, state, err := tt.options.Decide(tt.held, tt.asker, tt.now)
			require.NoError(t, err)
			assert.Equal(t, tt.outcome, outcome)
			assert.Equal(t, tt.state, state)
		})
	}
	_, _, err := shared.Decide(ledger.Held{State: "lost"}, "a", noon)
	require.ErrorIs(t, err, ledger.ErrMove)
}

// Asked again, only what was rejected is another thing than before.
func TestAskedAgain(t *testing.T) {
	for _, state := range []ledger.State{ledger.StatePlanned, ledger.StateClaimed, ledger.StateAccepted, ledger.StateRejected, ledger.StateUnknown} {
		held := ledger.Held{State: state, Owner: "a"}
		assert.Equal(t, held, held.Asked(ledger.Trigger{}))
		want := held
		if state == ledger.StateRejected {
			want.State = ledger.StatePlanned
		}
		assert.Equal(t, want, held.Asked(ledger.Trigger{Again: true}))
	}
}

func TestShort(t *testing.T) {
	assert.Equal(t, "ok", ledger.Short("ok"))
	assert.Equal(t, "ok", ledger.Short("o\xff\x00k"), "what a database may refuse")
	long := make([]byte, 500)
	for i := range long {
		long[i] = "é"[i%2]
	}
	assert.Len(t, ledger.Short("a"+string(long)), ledger.MaxWord-1, "never half a character")
}
