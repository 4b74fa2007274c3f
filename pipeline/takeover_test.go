package pipeline_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
)

// Rows of a newer version of rechargeflow fail a takeover, with an error that names the fix.
func TestTakeOverChecksTheVersionOfTheRows(t *testing.T) {
	w := transforming(t)
	w.state.Rows["customer/acme/7"] = []byte("\x01" + `{"seen":true,"email":"c7@shop.test"}`)
	require.NoError(t, w.stages[0].Transactor.TakeOver(t.Context(), 0))
	w.deliver(createdOf("7", "71"), "7")
	assert.Equal(t, 1, w.outcomes.count("transformer done"))
	require.NoError(t, w.stages[0].Transactor.TakeOver(t.Context(), 0))

	require.Equal(t, []byte{1}, w.state.Rows["format"])
	w.state.Rows["format"] = []byte{2}
	err := w.stages[0].Transactor.TakeOver(t.Context(), 0)
	require.ErrorIs(t, err, customerstate.ErrNewerRows)
	assert.ErrorContains(t, err, "run that version again, or a newer one")
}
