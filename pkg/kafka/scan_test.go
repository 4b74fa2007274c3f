package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// operations are the cases of scans and lags that hold with every broker.
var operations = []struct {
	name string
	test func(*testing.T, kafka.Cluster)
}{
	{"a scan returns all records in order", scanReadsAll},
	{"a scan starts at a time", scanFromTime},
	{"a range starts at a time", rangeFromTime},
	{"a scan ends before an open transaction", scanEndsAtOpenTransaction},
	{"one record is read by its offset", oneRecord},
	{"lag counts records and their age", lagCounts},
	{"lag of an unknown group", lagOfUnknownGroup},
	{"lag ends before an open transaction", lagEndsAtOpenTransaction},
	{"lag skips markers", lagSkipsMarkers},
	{"lag has group members", lagHasMembers},
	{"members show what they run", membersShowWhatTheyRun},
}

func TestOperationsOnTheEmbeddedBroker(t *testing.T) { operate(t, kafkatest.Embedded(t).Cluster()) }

func TestOperationsOnApacheKafka(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Apache Kafka; run without -short")
	}
	operate(t, kafkatest.Real(t).Cluster())
}

func operate(t *testing.T, cluster kafka.Cluster) {
	for _, o := range operations {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			o.test(t, cluster)
		})
	}
}

// scanned returns the records of a scan and fails the test on an error.
func scanned(t *testing.T, cluster kafka.Cluster, topic string, since time.Time) []kafka.Record {
	t.Helper()
	var found []kafka.Record
	for r, err := range kafka.Scan(t.Context(), cluster, topic, since) {
		require.NoError(t, err)
		found = append(found, r)
	}
	return found
}

// open writes records in a transaction that stays open until the end of the test.
func open(t *testing.T, cluster kafka.Cluster, topic string, partition int32, values ...string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Brokers...), kgo.TransactionalID(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, client.EndTransaction(context.Background(), kgo.TryAbort))
		client.Close()
	})
	require.NoError(t, client.BeginTransaction())
	for _, value := range values {
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: partition, Value: []byte(value)}).FirstErr())
	}
}

func scanReadsAll(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 3)
	var want []string
	for partition := range 3 {
		records := numbered(topic, partition, 700)
		for i := range records {
			records[i].Value = append(fmt.Appendf(nil, "%d/%s/", partition, records[i].Value), make([]byte, 4<<10)...) // 2.8 MB: several fetches
			want = append(want, string(records[i].Value))
		}
		produce(t, cluster, records...)
	}
	found := scanned(t, cluster, topic, time.Time{})
	assert.True(t, assert.ObjectsAreEqual(want, values(found)), "partition by partition, each in order")
	assert.Equal(t, topic, found[0].Topic)

	stopped := 0
	for _, err := range kafka.Scan(t.Context(), cluster, topic, time.Time{}) {
		require.NoError(t, err)
		if stopped++; stopped == 5 {
			break
		}
	}
	assert.Equal(t, 5, stopped)
}

func scanFromTime(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 2)
	begin := time.Now().Add(-time.Hour).Truncate(time.Millisecond).UTC()
	records := numbered(topic, 0, 10)
	for i := range records {
		records[i].Time = begin.Add(time.Duration(i) * time.Minute)
	}
	records[7].Time = begin // the producer's clock was wrong
	produce(t, cluster, records...)
	assert.Len(t, scanned(t, cluster, topic, begin), 10)
	assert.Equal(t, []string{"5", "6", "8", "9"}, values(scanned(t, cluster, topic, begin.Add(5*time.Minute))))
	assert.Equal(t, []string{"5", "6", "8", "9"}, values(scanned(t, cluster, topic, begin.Add(4*time.Minute+time.Second))))
	assert.Empty(t, scanned(t, cluster, topic, begin.Add(time.Hour)))
}

func rangeFromTime(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 2)
	begin := time.Now().Add(-time.Hour).Truncate(time.Millisecond).UTC()
	for i := range 3 { // batches of their own: brokers may find times by batch
		record := numbered(topic, 1, 1)[0]
		record.Time = begin.Add(time.Duration(i) * time.Minute)
		produce(t, cluster, record)
	}
	reader, err := kafka.NewTopicReader(cluster, topic)
	require.NoError(t, err)
	defer reader.Close()
	partitions, err := reader.Partitions(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1}, partitions)
	for since, want := range map[time.Time]kafka.OffsetRange{
		{}:                           {First: 0, End: 3},
		begin.Add(30 * time.Second):  {First: 1, End: 3},
		begin.Add(200 * time.Second): {First: 3, End: 3},
	} {
		ranges, err := reader.OffsetRangesSince(t.Context(), since, 0, 1)
		require.NoError(t, err)
		assert.Equal(t, map[int]kafka.OffsetRange{0: {}, 1: want}, ranges, since)
	}
}

func scanEndsAtOpenTransaction(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 1)
	produce(t, cluster, numbered(topic, 0, 3)...)
	open(t, cluster, topic, 0, "open")
	produce(t, cluster, kafka.Record{Topic: topic, Value: []byte("behind it")})
	assert.Equal(t, []string{"0", "1", "2"}, values(scanned(t, cluster, topic, time.Time{})))
	assert.Empty(t, scanned(t, cluster, topic, time.Now().Add(time.Minute)))
}

func oneRecord(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 2)
	produce(t, cluster, numbered(topic, 1, 3)...)
	record, err := kafka.ReadRecord(t.Context(), cluster, topic, 1, 2)
	require.NoError(t, err)
	assert.Equal(t, "2", string(record.Value))
	assert.Equal(t, topic, record.Topic)
	for partition, offset := range map[int]int64{0: 0, 1: 3, 2: 0} {
		_, err := kafka.ReadRecord(t.Context(), cluster, topic, partition, offset)
		require.ErrorIs(t, err, kafka.ErrNoRecord, "%d/%d", partition, offset)
	}
}

// TestScanFails: an incomplete scan ends with an error.
func TestScanFails(t *testing.T) {
	fake, cluster := faulty(t)
	produce(t, cluster, numbered("t", 0, 3)...)
	last := func(ctx context.Context, cluster kafka.Cluster, topic string) (seen int, last error) {
		for _, err := range kafka.Scan(ctx, cluster, topic, time.Time{}) {
			require.NoError(t, last, "nothing comes after an error")
			if last = err; err == nil {
				seen++
			}
		}
		return seen, last
	}
	t.Run("no topic", func(t *testing.T) {
		_, err := last(t.Context(), cluster, "absent")
		require.ErrorContains(t, err, "scan topic absent: topic absent: topic does not exist")
	})
	t.Run("no brokers", func(t *testing.T) {
		_, err := last(t.Context(), kafka.Cluster{Brokers: []string{"127.0.0.1:1"}}, "t")
		require.ErrorContains(t, err, "refused")
	})
	t.Run("not allowed", func(t *testing.T) {
		fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed})
		seen, err := last(t.Context(), cluster, "t")
		require.ErrorContains(t, err, "Authorization")
		assert.Zero(t, seen)
	})
	t.Run("stopped", func(t *testing.T) {
		fault := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition, Count: -1})
		defer fault.Remove()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := last(ctx, cluster, "t")
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("transient errors are retried", func(t *testing.T) {
		fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch, kmsg.ListOffsets}, Err: kerr.NotLeaderForPartition, Count: 4})
		seen, err := last(t.Context(), cluster, "t")
		require.NoError(t, err)
		assert.Equal(t, 3, seen)
	})
}

var errNotNow = errors.New("not now")

// behind runs a group that commits finished records of partition 0 of a topic, and no more.
func behind(t *testing.T, cluster kafka.Cluster, group, topic string, finished int) *running {
	t.Helper()
	done := 0
	config := quick(group, topic)
	config.MaxBatch = 1
	return run(t, cluster, config, zap.NewNop(), func(context.Context, []kafka.Record) (kafka.Finished, error) {
		if done == finished {
			return kafka.Finished{}, errNotNow
		}
		done++
		return kafka.Finished{First: 1}, nil
	})
}
