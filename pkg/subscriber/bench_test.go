package subscriber_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// statesOfFour returns the state of a customer with four subscriptions, before and after one of them was canceled.
func statesOfFour(b *testing.B) (before, after *subscriber.State) {
	b.Helper()
	s, st := byEmail(), &subscriber.State{}
	decide := func(w recharge.Webhook) {
		who := counted(jo(start()), 4)
		w.Customer = &who
		_, next, err := subscriber.Decide(s, st, w, start().Add(time.Minute))
		require.NoError(b, err)
		before, st = st, next
	}
	for i := range 4 {
		decide(about("subscription/created", start(), func(s *recharge.Subscription) { s.ID = fmt.Sprint(784594001 + i) }))
	}
	decide(about("subscription/cancelled", start().Add(time.Hour)))
	return before, st
}

// BenchmarkChangedRows compares the table rows of a customer, of which that of one subscription changed.
func BenchmarkChangedRows(b *testing.B) {
	before, after := statesOfFour(b)
	b.ReportAllocs()
	for b.Loop() {
		if changed := subscriber.ChangedRows(store, joID, before, after); len(changed) != 1 {
			b.Fatal(changed)
		}
	}
}

// BenchmarkSaveUnchanged compares the states of a customer where a webhook changed nothing, as duplicates do.
func BenchmarkSaveUnchanged(b *testing.B) {
	_, st := statesOfFour(b)
	tx := newRows().state.Begin(0)
	ref := customerstate.Ref{Store: store, CustomerID: joID}
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, tx.Save(ref, st, st))
	}
}
