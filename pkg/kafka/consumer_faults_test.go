package kafka_test

import (
	"errors"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// A broker that is behind, or was asked by mistake, may say so of an offset that is there.
func TestAnOffsetThatIsThereIsNotLost(t *testing.T) {
	for _, policy := range []kafka.LostOffsets{kafka.LostSkip, kafka.LostHalt} {
		t.Run(string(policy), func(t *testing.T) {
			fake, cluster := faulty(t)
			produce(t, cluster, numbered("t", 0, 5)...)
			config := quick("g", "t")
			config.LostOffsets = policy
			var handled collector
			r := run(t, cluster, config, zap.NewNop(), handled.handle)
			eventually(t, func() bool { return handled.count() == 5 }, "records handled")
			fault := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Partitions: []int32{0}, Err: kerr.OffsetOutOfRange, Count: 2})
			eventually(t, func() bool { return fault.Hits() == 2 }, "the broker errs")
			produce(t, cluster, kafka.Record{Topic: "t", Value: []byte("5")})
			eventually(t, func() bool { return handled.count() >= 6 }, "the next one is handled")
			assert.Equal(t, []string{"0", "1", "2", "3", "4", "5"}, values(handled.all()))
			assert.Zero(t, r.Lost())
			assert.Empty(t, r.Status().Halted)
		})
	}
}

// commitFor commits an offset for a group that has no members, as Kafka's own tools do.
func commitFor(t *testing.T, cluster kafka.Cluster, group, topic string, partition int, offset int64, metadata string) {
	t.Helper()
	client := &kafkago.Client{Addr: kafkago.TCP(cluster.Brokers...), Transport: &kafkago.Transport{}}
	defer client.Transport.(*kafkago.Transport).CloseIdleConnections()
	answer, err := client.OffsetCommit(t.Context(), &kafkago.OffsetCommitRequest{
		GroupID: group, GenerationID: -1,
		Topics: map[string][]kafkago.OffsetCommit{topic: {{Partition: partition, Offset: offset, Metadata: metadata}}},
	})
	require.NoError(t, err)
	require.NoError(t, answer.Topics[topic][0].Error)
}

// committedOf returns a group's offset in a partition, -1 for none, and what was written beside it.
func committedOf(t *testing.T, cluster kafka.Cluster, group, topic string, partition int) (int64, string) {
	t.Helper()
	client := &kafkago.Client{Addr: kafkago.TCP(cluster.Brokers...), Transport: &kafkago.Transport{}}
	defer client.Transport.(*kafkago.Transport).CloseIdleConnections()
	answer, err := client.OffsetFetch(t.Context(), &kafkago.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: {partition}}})
	require.NoError(t, err)
	if errors.Is(answer.Error, kafkago.GroupIdNotFound) { // the embedded broker, of a group that never committed
		return -1, ""
	}
	require.NoError(t, answer.Error)
	found := answer.Topics[topic][0]
	require.NoError(t, found.Error)
	return found.CommittedOffset, found.Metadata
}

// A topic that was made anew is read from its beginning, and its offsets are committed although they are smaller.
func TestATopicThatWasMadeAnew(t *testing.T) {
	_, cluster := faulty(t)
	commitFor(t, cluster, "g", "t", 0, 100, "")
	produce(t, cluster, numbered("t", 0, 3)...)
	var handled collector
	r := run(t, cluster, quick("g", "t"), zap.NewNop(), handled.handle)
	eventually(t, func() bool { return handled.count() == 3 }, "records handled")
	r.stop()
	assert.Zero(t, r.Lost())
	offset, _ := committedOf(t, cluster, "g", "t", 0)
	assert.EqualValues(t, 3, offset)
}

// LostHalt reads nothing, and says so, until somebody commits another offset.
func TestWhatIsLostHalts(t *testing.T) {
	fake, cluster := faulty(t)
	produce(t, cluster, numbered("t", 0, 10)...)
	produce(t, cluster, numbered("t", 1, 1)...)
	commitFor(t, cluster, "g", "t", 0, 2, "")
	require.NoError(t, fake.DeleteRecords("t", 0, 6))
	config := quick("g", "t")
	config.LostOffsets = kafka.LostHalt
	var handled collector
	r := run(t, cluster, config, zap.NewNop(), handled.handle)
	eventually(t, func() bool { return len(r.Status().Halted) == 1 }, "it says so")
	assert.Contains(t, r.Status().Halted[0], "partition 0 of topic t")
	assert.Contains(t, r.Status().Halted[0], "offset 2 is gone, the first is 6")
	eventually(t, func() bool { return handled.count() == 1 }, "other partitions go on")
	assert.Equal(t, 1, handled.all()[0].Partition)
	r.stop()
	offset, _ := committedOf(t, cluster, "g", "t", 0)
	assert.EqualValues(t, 2, offset, "nothing is passed over")
	assert.Zero(t, r.Lost())

	commitFor(t, cluster, "g", "t", 0, 8, "")
	assert.Equal(t, []string{"8", "9"}, values(consumeAll(t, cluster, config, 2)))
}
