package service_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// A reader who does not take what comes keeps neither other readers nor the stop of the service waiting.
func TestLiveReaderWhoWaits(t *testing.T) {
	w := newWorld(t)
	waits, err := w.Live(t.Context(), "acme")
	require.NoError(t, err)
	rows, err := w.Live(t.Context(), "acme")
	require.NoError(t, err)
	for i := range 20 {
		w.Texted("acme", "7", fmt.Sprintf("%064d", i), flow.ChargePaid)
	}
	row := <-rows
	require.Equal(t, "text", row.Kind)
	w.Stop()
	for range waits {
		continue // what was on its way
	}
}
