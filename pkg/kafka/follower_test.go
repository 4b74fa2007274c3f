package kafka_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// A Follower ends with an error if its topic is deleted and created again: what it has read is wrong. It takes ten seconds, because a broker
// may also be behind.
func TestFollowerOfATopicThatIsCreatedAgain(t *testing.T) {
	t.Parallel()
	b := kafkatest.Embedded(t)
	topic := kafkatest.Topic(t, b.Addr(), 1)
	produce(t, b.Cluster(), numbered(topic, 0, 3)...)
	var c collector
	atEnd := make(chan int, 2)
	follower := kafka.Follower{
		Topic: topic, Log: zap.NewNop(), AtEnd: func() { atEnd <- c.count() },
		Records: func(records []kafka.Record) { _, _ = c.handle(t.Context(), records) },
	}
	ended := make(chan error, 1)
	go func() { ended <- follower.Run(t.Context(), b.Cluster()) }()
	assert.Equal(t, 3, <-atEnd, "records when the end is reached")

	kafkatest.DeleteTopic(t, b.Addr(), topic)
	_, err := admin.Apply(t.Context(), b.Cluster(), admin.Spec{Topics: []admin.TopicSpec{{Name: topic, Partitions: 1, Replication: 1}}})
	require.NoError(t, err)
	require.ErrorContains(t, <-ended, "follow topic "+topic+": offset 3 of partition 0 does not exist any more")
}

// A process that was fenced writes nothing.
func TestExclusiveIsFenced(t *testing.T) {
	t.Parallel()
	b := kafkatest.Embedded(t)
	topic := kafkatest.Topic(t, b.Addr(), 1)
	first, second := kafka.NewExclusive(b.Cluster(), topic), kafka.NewExclusive(b.Cluster(), topic)
	defer first.Close()
	defer second.Close()
	require.NoError(t, first.TakeOver(t.Context()))
	require.NoError(t, first.Commit(t.Context(), numbered(topic, 0, 1)...))
	require.NoError(t, second.TakeOver(t.Context()))
	require.ErrorContains(t, first.Commit(t.Context(), numbered(topic, 0, 1)...), "commit 1 records, the first to "+topic)
	require.NoError(t, second.Commit(t.Context(), numbered(topic, 0, 2)...))
	assert.Equal(t, []string{"0", "0", "1"}, values(kafkatest.All(t, b.Addr(), topic)))
	require.Error(t, first.Commit(context.Background(), kafka.Record{Topic: topic, Partition: 7}), "a partition that does not exist")
}
