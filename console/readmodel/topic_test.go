package readmodel_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// A topic that can't be read is named, until it can.
func TestTopicThatCantBeRead(t *testing.T) {
	s := newShop(t, kafkatest.Embedded(t))
	s.Prefix += "missing."
	m, err := readmodel.Open(s.config(t.TempDir()))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	defer func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, m.Close())
	}()
	require.Eventually(t, func() bool { return m.Progress().Topic != "" }, s.patience, 5*time.Millisecond)
	failed := m.Progress()
	assert.Contains(t, s.read(), failed.Topic)
	assert.Contains(t, failed.Trouble, failed.Topic)

	s.create()
	require.Eventually(t, func() bool { return m.Progress().CaughtUp }, s.patience, 5*time.Millisecond)
	assert.Empty(t, m.Progress().Topic)
	assert.Empty(t, m.Progress().Trouble)
}
