package kafka_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// conformance are the cases that hold with every broker, embedded and Apache Kafka.
var conformance = []struct {
	name string
	test func(*testing.T, kafka.Cluster)
}{
	{"a record is consumed as produced", consumedAsProduced},
	{"keys have the same partitions as in Java", keysPartitionedAsInJava},
	{"partitions are used as given", partitionsAsGiven},
	{"order is kept per key", orderPerKey},
	{"after an error the same records are delivered again", redeliveredAfterError},
	{"a restart continues from the committed offset", restartContinues},
	{"members join and leave under load", membersJoinAndLeave},
	{"a stop drains and commits", stopDrainsAndCommits},
	{"a stop cancels a slow handler", stopCancels},
	{"topics are planned and applied", topicsPlannedAndApplied},
	{"another partition count is refused", partitionCountRefused},
	{"missing requirements are named", checksTopics},
	{"what changes about topics is found", inspectsTopics},
	{"a topic that grows is not written by key", grownTopicNotWritten},
	{"a transaction does not write to a topic that grew by key", grownTopicInTransaction},
	{"partitions that were added are not read", grownTopicNotRead},
	{"a consumer waits for a missing topic", waitsForMissingTopic},
	{"topics are copartitioned", topicsCopartitioned},
	{"a paused partition does not pause other topics", pausedPartitionAlone},
	{"records finished above the offset stay finished", finishedStaysFinished},
	{"consumers that share a membership have offsets of their own", sharedEachOwn},
	{"a slow consumer does not hold up those that share its membership", sharedSlow},
	{"a shared membership moves between processes", sharedMembers},
	{"outputs and offset are committed together", outputsAndOffset},
	{"aborted outputs are never read", abortedIsNeverRead},
	{"a fenced owner commits nothing", fencedOwnerCommitsNothing},
	{"a partly finished batch is committed in part", partlyFinished},
	{"outputs beyond one batch are one transaction", manyOutputs},
	{"punctuate produces outputs", punctuates},
	{"punctuate is called again soon if it has more to do", punctuatesAgain},
	{"transactions continue from the committed offset", transactionsContinue},
}

func TestOnTheEmbeddedBroker(t *testing.T) {
	conform(t, kafkatest.Embedded(t).Cluster())
}

func TestOnApacheKafka(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Apache Kafka; run without -short")
	}
	cluster := kafkatest.Real(t).Cluster()
	conform(t, cluster)
	t.Run("sequences wrap", func(t *testing.T) { sequencesWrap(t, cluster) })
	t.Run("a record that the topic refuses fails alone", func(t *testing.T) { refusedRecordFailsAlone(t, cluster) })
}

func conform(t *testing.T, cluster kafka.Cluster) {
	for _, c := range conformance {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, cluster)
		})
	}
}

func newTopic(t *testing.T, cluster kafka.Cluster, partitions int) string {
	t.Helper()
	return kafkatest.Topic(t, cluster.Brokers[0], partitions)
}

// sequencesWrap: sequences wrap to 0 after 2^31-1, also within a batch. The embedded broker wraps them one earlier; there the
// producer gets a new id.
func sequencesWrap(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 1)
	producer := newProducer(t, cluster)
	require.NoError(t, producer.Produce(t.Context(), numbered(topic, 0, 1)...))
	require.NoError(t, producer.Skip(t.Context(), topic, 0, math.MaxInt32-3))
	for i := 1; i < 22; i += 3 {
		require.NoError(t, producer.Produce(t.Context(), numbered(topic, 0, i+3)[i:]...))
	}
	assert.EqualValues(t, 17, producer.Sequence(topic, 0), "no other producer id was needed")
	assertOutputs(t, cluster, topic, 22)
}

// refusedRecordFailsAlone: a topic limits the size and the time of records. Records that are sent with a refused one are written.
func refusedRecordFailsAlone(t *testing.T, cluster kafka.Cluster) {
	topic := "limited-" + strings.ToLower(rand.Text())
	_, err := admin.Apply(t.Context(), cluster, admin.Spec{Topics: []admin.TopicSpec{{
		Name: topic, Partitions: 1, Replication: 1,
		Configs: map[string]string{"max.message.bytes": "2000", "message.timestamp.after.max.ms": "3600000"},
	}}})
	require.NoError(t, err)
	producer := newProducer(t, cluster)
	good := func(value string) kafka.Record { return kafka.Record{Topic: topic, Value: []byte(value)} }

	ahead := kafka.Record{Topic: topic, Value: []byte("from tomorrow"), Time: time.Now().Add(24 * time.Hour)}
	require.ErrorIs(t, producer.Produce(t.Context(), ahead), kafka.ErrInvalidTimestamp)
	require.ErrorIs(t, producer.Produce(t.Context(), good("0"), ahead, good("1"), good("2")), kafka.ErrInvalidTimestamp)
	require.NoError(t, producer.Produce(t.Context(), good("3"), good("4")))

	large := kafka.Record{Topic: topic, Value: []byte(rand.Text() + strings.Repeat("0", 900) + rand.Text()), Key: []byte(strings.Repeat(rand.Text(), 60))}
	err = producer.Produce(t.Context(), large)
	require.ErrorIs(t, err, kafka.ErrTooLarge)
	require.NotErrorIs(t, err, kafka.ErrInvalidTimestamp)
	require.ErrorIs(t, producer.Produce(t.Context(), good("5"), large, good("6")), kafka.ErrTooLarge)
	assert.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6"}, values(kafkatest.All(t, cluster.Brokers[0], topic)))
}

func consumedAsProduced(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 1)
	sent := []kafka.Record{
		{
			Topic: topic, Partition: kafka.ByKey, Key: []byte("shop/1"), Value: []byte(`{"a":1}`),
			Headers: []kafka.Header{{Key: "ce_id", Value: []byte("x")}, {Key: "empty", Value: []byte{}}, {Key: "ce_id", Value: []byte("y")}},
			Time:    time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC),
		},
		{Topic: topic, Key: []byte("shop/1"), Time: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)}, // a tombstone
		{Topic: topic, Value: []byte("no key")},
	}
	before := time.Now().Add(-time.Second)
	produce(t, cluster, sent...)

	got := kafkatest.All(t, cluster.Brokers[0], topic)
	require.Len(t, got, 3)
	assert.Nil(t, got[1].Value)
	assert.Nil(t, got[2].Key)
	assert.WithinRange(t, got[2].Time, before, time.Now().Add(time.Second), "no time means now")
	for i := range sent {
		sent[i].Partition, sent[i].Offset = 0, int64(i)
	}
	assert.Equal(t, sent[:2], got[:2])
	assert.Equal(t, "x", got[0].Header("ce_id"))
	assert.Empty(t, got[0].Header("absent"))
	assert.Equal(t, got, consumeAll(t, cluster, quick(topic, topic), 3))
}

// The hashes are those of Kafka's own test,
// https://github.com/apache/kafka/blob/4.0/clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java.
func keysPartitionedAsInJava(t *testing.T, cluster kafka.Cluster) {
	hashes := map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	}
	topic := newTopic(t, cluster, 12)
	for key := range hashes {
		produce(t, cluster, kafka.Record{Topic: topic, Partition: kafka.ByKey, Key: []byte(key)})
	}
	got := kafkatest.All(t, cluster.Brokers[0], topic)
	require.Len(t, got, len(hashes))
	for _, r := range got {
		assert.Equal(t, int(hashes[string(r.Key)]&0x7fffffff)%12, r.Partition, "key %s", r.Key)
	}
}

func partitionsAsGiven(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 3)
	for partition := range 3 {
		produce(t, cluster, kafka.Record{Topic: topic, Partition: partition, Key: []byte("one key"), Value: fmt.Append(nil, partition)})
	}
	for _, r := range kafkatest.Consume(t, cluster.Brokers[0], topic, 3) {
		assert.Equal(t, fmt.Sprint(r.Partition), string(r.Value))
	}
	producer := newProducer(t, cluster)
	require.Error(t, producer.Produce(t.Context(), kafka.Record{Topic: topic, Partition: 3}), "a partition that is not there")
	require.Error(t, producer.Produce(t.Context(), kafka.Record{Topic: topic, Partition: -2}))
}

func orderPerKey(t *testing.T, cluster kafka.Cluster) {
	const keys, rounds = 40, 30
	topic := newTopic(t, cluster, 4)
	producer := newProducer(t, cluster)
	for round := range rounds {
		var records []kafka.Record
		for key := range keys {
			for part := range 2 {
				records = append(records, kafka.Record{
					Topic: topic, Partition: kafka.ByKey, Key: fmt.Append(nil, key), Value: fmt.Append(nil, 2*round+part),
				})
			}
		}
		require.NoError(t, producer.Produce(t.Context(), records...))
	}
	next := make(map[string]int)
	for _, r := range consumeAll(t, cluster, quick(topic, topic), keys*rounds*2) {
		require.Equal(t, fmt.Sprint(next[string(r.Key)]), string(r.Value), "key %s", r.Key)
		next[string(r.Key)]++
	}
	assert.Len(t, next, keys)
}

func redeliveredAfterError(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 1)
	produce(t, cluster, numbered(topic, 0, 10)...)
	var calls atomic.Int64
	var finished collector
	config := quick(topic, topic)
	config.MaxBatch = 4
	run(t, cluster, config, zap.NewNop(), func(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
		assert.LessOrEqual(t, len(records), 4)
		switch calls.Add(1) {
		case 1, 2:
			return kafka.Finished{}, errors.New("nothing works")
		case 3:
			_, _ = finished.handle(ctx, records[:1])
			return kafka.Finished{First: 1}, errors.New("the second one does not work")
		case 4:
			_, _ = finished.handle(ctx, records)
			return kafka.Finished{First: len(records)}, errors.New("all done, and yet")
		default:
			return finished.handle(ctx, records[:1])
		}
	})
	eventually(t, func() bool { return finished.count() >= 10 }, "records handled")
	assert.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, values(finished.all()))
}

func restartContinues(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 3)
	for partition := range 3 {
		produce(t, cluster, numbered(topic, partition, 20)...)
	}
	first := consumeAll(t, cluster, quick(topic, topic), 60)
	assert.Len(t, first, 60)
	for partition := range 3 {
		produce(t, cluster, numbered(topic, partition, 5)...)
	}
	second := consumeAll(t, cluster, quick(topic, topic), 15)
	assert.Len(t, second, 15, "nothing twice after a clean stop")
	assertNoGaps(t, append(first, second...))
}

func membersJoinAndLeave(t *testing.T, cluster kafka.Cluster) {
	const partitions = 6
	topic := newTopic(t, cluster, partitions)
	var handled collector
	member := func() *running {
		config := quick(topic, topic)
		config.MaxBatch = 20
		return run(t, cluster, config, zap.NewNop(), handled.handle)
	}
	sent := 0
	load := func() {
		for partition := range partitions {
			produce(t, cluster, numbered(topic, partition, 50)...)
		}
		sent += 50 * partitions
	}
	partitionsOf := func(r *running) int { return len(r.Status().Partitions[topic]) }

	load()
	a := member()
	eventually(t, func() bool { load(); return partitionsOf(a) == partitions }, "the first member has all")
	b := member()
	eventually(t, func() bool { load(); return partitionsOf(a) == 3 && partitionsOf(b) == 3 }, "two members share")
	a.stop()
	assert.False(t, assigned(a))
	eventually(t, func() bool { load(); return partitionsOf(b) == partitions }, "who stays has all")
	c := member()
	eventually(t, func() bool { load(); return partitionsOf(b) == 3 && partitionsOf(c) == 3 }, "a third joins")
	load()
	distinct := func() int {
		seen := make(map[string]bool)
		for _, r := range handled.all() {
			seen[fmt.Sprint(r.Partition, "/", r.Offset)] = true
		}
		return len(seen)
	}
	eventually(t, func() bool { return distinct() == sent }, "everything is handled")
	assertNoGaps(t, handled.all())
	t.Logf("%d records, handled %d times", sent, handled.count())
}

func stopDrainsAndCommits(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 1)
	produce(t, cluster, numbered(topic, 0, 10)...)
	working, finish := make(chan struct{}), make(chan struct{})
	config := quick(topic, topic)
	config.MaxBatch = 4
	var cancelled error
	r := run(t, cluster, config, zap.NewNop(), func(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
		close(working)
		<-finish
		cancelled = ctx.Err()
		return kafka.Finished{First: len(records)}, nil
	})
	<-working
	r.cancel()
	require.Never(t, func() bool { return len(r.result) > 0 }, 300*time.Millisecond, 10*time.Millisecond, "Run waits for its handler")
	close(finish)
	r.stop()
	require.NoError(t, cancelled, "the handler has its grace")
	assert.Equal(t, []string{"4", "5", "6", "7", "8", "9"}, values(consumeAll(t, cluster, quick(topic, topic), 6)))
}

func stopCancels(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 1)
	produce(t, cluster, numbered(topic, 0, 3)...)
	working := make(chan struct{})
	config := quick(topic, topic)
	config.DrainTimeout = 50 * time.Millisecond
	r := run(t, cluster, config, zap.NewNop(), func(ctx context.Context, _ []kafka.Record) (kafka.Finished, error) {
		close(working)
		<-ctx.Done()
		return kafka.Finished{First: 1}, ctx.Err()
	})
	<-working
	r.stop()
	assert.Equal(t, []string{"1", "2"}, values(consumeAll(t, cluster, quick(topic, topic), 2)))
}

func waitsForMissingTopic(t *testing.T, cluster kafka.Cluster) {
	other := newTopic(t, cluster, 1)
	topic := other + "-late"
	var handled collector
	r := run(t, cluster, quick(topic, topic), zap.NewNop(), handled.handle)
	assert.Equal(t, kafka.Status{}, r.Status())
	_, err := admin.Apply(t.Context(), cluster, admin.Spec{Topics: []admin.TopicSpec{{Name: topic, Partitions: 1, Replication: 1}}})
	require.NoError(t, err)
	produce(t, cluster, numbered(topic, 0, 2)...)
	eventually(t, func() bool { return handled.count() == 2 }, "records handled")
	assert.True(t, assigned(r))
	assert.True(t, r.Status().Member)
}
