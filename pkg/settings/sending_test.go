package settings_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

func TestSendingOnTheEmbeddedBroker(t *testing.T) {
	b := kafkatest.Embedded(t)
	s := newSettings(t, b)
	day := 0
	change := func(decide func(*sending.Settings) error, stores ...string) ([]settings.Sending, error) {
		day++
		return s.ChangeSending(t.Context(), b.Cluster(), settings.SendingChange{Stores: stores, By: "ann", At: at(day), Decide: decide})
	}
	pause := func(s *sending.Settings) error {
		s.Pause()
		return nil
	}
	changed, err := change(pause, "acme", "beta")
	require.NoError(t, err)
	require.Len(t, changed, 2)
	paused := sending.Default()
	paused.Paused = true
	assert.Equal(t, settings.Sending{Store: "acme", Version: 1, At: at(1).UTC(), By: "ann", Settings: paused}, changed[0])
	again, err := change(pause, "acme", "beta", "gamma")
	require.NoError(t, err)
	require.Len(t, again, 1, "the two others are paused already")
	assert.Equal(t, "gamma", again[0].Store)

	_, err = change(func(s *sending.Settings) error {
		s.TextsPerDay = 1
		s.QuietHours.From = s.QuietHours.To
		return nil
	}, "acme")
	require.ErrorIs(t, err, sending.ErrInvalid)
	failed := errors.New("no")
	_, err = change(func(*sending.Settings) error { return failed }, "acme")
	require.ErrorIs(t, err, failed)

	_, err = change(func(s *sending.Settings) error {
		s.Resume()
		s.TextsPerDay = 7
		return nil
	}, "acme")
	require.NoError(t, err)
	rows, err := s.Read(t.Context(), b.Cluster())
	require.NoError(t, err)
	require.NoError(t, rows.Unreadable())
	assert.Equal(t, 7, settings.SendingOf(rows, "acme").TextsPerDay)
	assert.False(t, settings.SendingOf(rows, "acme").Paused)
	assert.Equal(t, settings.Sending{Store: "none", Settings: sending.Default()}, settings.SendingOf(rows, "none"))
	history := settings.SendingHistoryOf(rows, "acme")
	require.Len(t, history, 3)
	for version, each := range history {
		assert.Equal(t, version, each.Version)
	}
	requireSchemas(t, b, s.Name)
}
