package service_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// A reader who is not as fast as a burst gets all of it. Who stops reading does not keep the service from stopping.
func TestLiveBurst(t *testing.T) {
	w := newWorld(t)
	rows, err := w.Live(t.Context(), "acme")
	require.NoError(t, err)
	leaves, err := w.Live(t.Context(), "acme")
	require.NoError(t, err)
	const texts = 150
	for i := range texts {
		w.Texted("acme", "7", "text-"+strconv.Itoa(i), flow.ChargePaid)
	}
	last, err := w.Live(t.Context(), "acme")
	require.NoError(t, err)
	w.Texted("acme", "7", "the last", flow.ChargePaid)
	for row := range last {
		if row.ID == "the last" {
			break
		}
	}
	seen := map[string]bool{}
	for len(seen) <= texts {
		row, open := <-rows
		require.True(t, open, "the stream has ended after %d texts", len(seen))
		seen[row.ID] = true
	}
	w.Stop()
	for range leaves { //nolint:revive // what was on its way
	}
}
