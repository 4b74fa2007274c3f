package settings_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
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
		s.TextsPerDay = 7
		return s.Resume()
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

// Settings that can't be read pause the texts, unless earlier ones are known.
func TestUnreadableSending(t *testing.T) {
	b := kafkatest.Embedded(t)
	s := newSettings(t, b)
	produce := func(value string) *settings.Rows[settings.Setting] {
		producer := kafka.NewProducer(b.Cluster(), kafka.ProducerConfig{})
		require.NoError(t, producer.Produce(t.Context(), kafka.Record{Topic: s.Name, Key: []byte("acme/sending"), Value: []byte(value)}))
		require.NoError(t, producer.Close())
		rows, err := s.Read(t.Context(), b.Cluster())
		require.NoError(t, err)
		return rows
	}
	never := produce(`{"store":"acme","version":1,"at":"2026-03-01T10:00:00Z","by":"x","texts_per_day":4}`)
	require.ErrorContains(t, never.Unreadable(), "must not begin and end at the same time")
	assert.True(t, settings.SendingOf(never, "acme").Holds(flow.ChargePaid))
	assert.False(t, settings.SendingOf(never, "beta").Holds(flow.ChargePaid))
	_, err := s.ChangeSending(t.Context(), b.Cluster(), settings.SendingChange{Stores: []string{"acme"}, By: "ann", At: at(2), Decide: func(s *sending.Settings) error {
		s.TextsPerDay = 5
		return s.Resume()
	}})
	require.NoError(t, err)
	earlier := produce(`{"store":"acme"`)
	require.Error(t, earlier.Unreadable())
	assert.Equal(t, 5, settings.SendingOf(earlier, "acme").TextsPerDay)
	assert.False(t, settings.SendingOf(earlier, "acme").Holds(flow.ChargePaid))
}

// Who has paused the texts stays known while others change something else.
func TestPausedBy(t *testing.T) {
	b := kafkatest.Embedded(t)
	s := newSettings(t, b)
	change := func(by string, day int, decide func(*sending.Settings) error) settings.Sending {
		_, err := s.ChangeSending(t.Context(), b.Cluster(), settings.SendingChange{Stores: []string{"acme"}, By: by, At: at(day), Decide: decide})
		require.NoError(t, err)
		rows, err := s.Read(t.Context(), b.Cluster())
		require.NoError(t, err)
		return settings.PausedBy(rows, "acme")
	}
	limit := func(texts int) func(*sending.Settings) error {
		return func(s *sending.Settings) error {
			s.TextsPerDay = texts
			return nil
		}
	}
	change("eve", 1, limit(9))
	change("ann", 2, func(s *sending.Settings) error {
		s.Pause()
		return nil
	})
	since := change("bob", 3, limit(7))
	assert.Equal(t, "ann", since.By)
	assert.Equal(t, at(2).UTC(), since.At)
}
