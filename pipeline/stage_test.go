package pipeline_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// If Kafka does not confirm a write, no record has an outcome; the next attempt writes the same records.
func TestStageProduceFails(t *testing.T) {
	w := newWorld(t, storeConfig{SMS: true})
	var tried [][]kafka.Record
	down := errors.New("not enough replicas")
	w.run.Produce = func(ctx context.Context, records ...kafka.Record) error {
		tried = append(tried, records)
		if len(tried) < 3 {
			return down
		}
		return w.topics.Produce(ctx, records...)
	}
	stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer}, w.options(storeConfig{SMS: true}), w.run)
	require.NoError(t, err)
	webhooks := []kafka.Record{
		w.raw("subscription/created", subscriptionBody("784594001", joBean)),
		w.raw("subscription/created", `{"subscription":{}}`),
		w.raw("subscription/cancelled", subscriptionBody("784594001", joBean)),
	}
	for range 2 {
		done, err := w.handle(stages[0], webhooks)
		require.ErrorIs(t, err, down)
		assert.Zero(t, done)
		assert.Empty(t, w.outcomes.lines)
	}
	done, err := w.handle(stages[0], webhooks)
	require.NoError(t, err)
	assert.Equal(t, 3, done)
	assert.Equal(t, []string{"transformer done", "transformer rejected malformed", "transformer done"}, w.outcomes.lines)
	require.NotEmpty(t, tried[0])
	assert.Equal(t, tried[0], tried[1])
	assert.Equal(t, tried[0], tried[2])
}

// Outputs go to the partition of their raw record, whatever their key: that is where
// the customer's order is kept. Their headers name the raw record.
func TestOutputsStayInThePartition(t *testing.T) {
	w := newWorld(t, storeConfig{SMS: true})
	var written []kafka.Record
	w.run.Produce = func(_ context.Context, records ...kafka.Record) error {
		written = append(written, records...)
		return nil
	}
	stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer}, w.options(storeConfig{SMS: true}), w.run)
	require.NoError(t, err)
	good, bad := w.raw("subscription/created", subscriptionBody("784594001", joBean)), w.raw("subscription/created", "{}")
	good.Partition, good.Offset, bad.Partition, bad.Offset = 5, 41, 5, 42
	_, err = w.handle(stages[0], []kafka.Record{good, bad})
	require.NoError(t, err)
	require.NotEmpty(t, written)
	for _, r := range written {
		if r.Topic == "recharge.webhooks" { // for another state than the customer's
			assert.Equal(t, kafka.ByKey, r.Partition)
			continue
		}
		assert.Equal(t, 5, r.Partition)
		if !slices.Contains([]string{"recharge.events", "recharge.sms-triggers", "recharge.customers"}, r.Topic) {
			continue
		}
		assert.Equal(t, "acme/246936001", string(r.Key))
		assert.Equal(t, "recharge.webhooks", r.Header(envelope.HeaderRawTopic))
		assert.Equal(t, "5", r.Header(envelope.HeaderRawPartition))
		assert.Equal(t, "41", r.Header(envelope.HeaderRawOffset))
		assert.Equal(t, good.Header(envelope.HeaderTraceparent), r.Header(envelope.HeaderTraceparent))
		assert.Equal(t, good.Header(envelope.HeaderReceivedAt), r.Header(envelope.HeaderReceivedAt))
	}
	assert.True(t, slices.ContainsFunc(written, func(r kafka.Record) bool { return r.Topic == "recharge.deadletter.transformer" }))
}
