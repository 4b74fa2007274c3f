package sending_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
)

func TestPause(t *testing.T) {
	s := sending.Default()
	assert.False(t, s.Holds(flow.ChargePaid))
	s.Pause(flow.ChargePaid, flow.ChargeFailed)
	s.Pause(flow.ChargePaid)
	assert.Equal(t, []flow.Key{flow.ChargeFailed, flow.ChargePaid}, s.PausedFlows, "in the order of the table, each once")
	assert.True(t, s.Holds(flow.ChargePaid))
	assert.False(t, s.Holds(flow.OrderSkipped))
	require.NoError(t, s.Resume(flow.ChargePaid))
	assert.False(t, s.Holds(flow.ChargePaid))
	s.Pause()
	assert.True(t, s.Holds(flow.OrderSkipped))
	require.ErrorIs(t, s.Resume(flow.ChargeFailed), sending.ErrInvalid)
	require.NoError(t, s.Resume())
	assert.False(t, s.Holds(flow.OrderSkipped))
	assert.True(t, s.Holds(flow.ChargeFailed), "somebody has paused this flow alone")
	require.NoError(t, s.Resume())
	assert.Equal(t, sending.Default(), s)
}

func TestCheckSending(t *testing.T) {
	require.NoError(t, sending.Default().Check())
	for name, change := range map[string]func(*sending.Settings){
		"too many": func(s *sending.Settings) { s.TextsPerDay = 101 },
		"negative": func(s *sending.Settings) { s.TextsPerDay = -1 },
		"empty":    func(s *sending.Settings) { s.QuietHours.From = s.QuietHours.To },
		"all day":  func(s *sending.Settings) { s.QuietHours.From = 13 * 60 },
	} {
		s := sending.Default()
		change(&s)
		assert.ErrorIs(t, s.Check(), sending.ErrInvalid, name)
	}
}

func TestSendingJSON(t *testing.T) {
	value, err := json.Marshal(sending.Default())
	require.NoError(t, err)
	assert.JSONEq(t, `{"quiet_hours":{"from":"20:00","to":"09:00","us_states":true,"all_flows":false},"texts_per_day":4,"paused":false,"paused_flows":[]}`,
		string(value))
	var read sending.Settings
	require.NoError(t, json.Unmarshal(value, &read))
	assert.Equal(t, sending.Default(), read)
}
