package kafka_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// TestIdempotence: whatever the error response, each record is written once and in order.
func TestIdempotence(t *testing.T) {
	answer := func(err *kerr.Error) func(*kfake.Cluster) {
		return func(fake *kfake.Cluster) {
			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: err, Count: 3})
		}
	}
	for name, misbehave := range map[string]func(*kfake.Cluster){
		"request timed out, after it was applied": answer(kerr.RequestTimedOut),
		"too few replicas, after it was applied":  answer(kerr.NotEnoughReplicasAfterAppend),
		"too few replicas, before it was applied": answer(kerr.NotEnoughReplicas),
		"another leader": answer(kerr.NotLeaderForPartition),
		"no leader":      answer(kerr.LeaderNotAvailable),
		"unknown topic, until metadata are everywhere": answer(kerr.UnknownTopicOrPartition),
		"storage error": answer(kerr.KafkaStorageError),
		"sequence out of order, since records were lost": answer(kerr.OutOfOrderSequenceNumber),
		"producer id unknown, since it was too long ago": answer(kerr.UnknownProducerID),
		"producer epoch too old":                         answer(kerr.InvalidProducerEpoch),
		"no producer id yet": func(fake *kfake.Cluster) {
			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.CoordinatorLoadInProgress, Count: 3})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, cluster := faulty(t)
			misbehave(fake)
			producer := newProducer(t, cluster)
			for i := range 20 {
				require.NoError(t, producer.Produce(t.Context(), kafka.Record{Topic: "t", Partition: i % 2, Value: fmt.Append(nil, i)}))
			}
			var want []string
			for i := range 20 {
				want = append(want, fmt.Sprint((2*i)%20+i/10))
			}
			assert.Equal(t, want, values(kafkatest.All(t, cluster.Brokers[0], "t")))
		})
	}
}

// TestBatchAfterFailedBatch: a failed batch may have been written. The broker must not take the next one for a duplicate of it.
func TestBatchAfterFailedBatch(t *testing.T) {
	for _, unclear := range []*kerr.Error{kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend} {
		t.Run(unclear.Message, func(t *testing.T) {
			fake, cluster := faulty(t)
			fake.Fault(
				kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: unclear},
				kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed},
			)
			producer := newProducer(t, cluster)
			record := kafka.Record{Topic: "t", Value: []byte("failed, and yet written")}
			require.ErrorContains(t, producer.Produce(t.Context(), record), "lacks Write on topic t")
			record.Value = []byte("acknowledged")
			require.NoError(t, producer.Produce(t.Context(), record))
			assert.Contains(t, values(kafkatest.All(t, cluster.Brokers[0], "t")), "acknowledged")
		})
	}
}

// TestCloseEndsWaitForTopic: Close ends a call that waits for a topic.
func TestCloseEndsWaitForTopic(t *testing.T) {
	_, cluster := faulty(t)
	before := goleak.IgnoreCurrent()
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	require.NoError(t, producer.Produce(t.Context(), numbered("t", 0, 1)...))
	waiting := make(chan error, 1)
	go func() { waiting <- producer.Produce(t.Context(), numbered("absent", 0, 1)...) }()
	require.Never(t, func() bool { return len(waiting) > 0 }, 100*time.Millisecond, 10*time.Millisecond)
	require.NoError(t, producer.Close())
	select {
	case err := <-waiting:
		require.ErrorContains(t, err, "closed")
	case <-time.After(3 * time.Second):
		require.Fail(t, "the call waits on")
	}
	require.ErrorContains(t, producer.Produce(t.Context(), numbered("t", 0, 1)...), "closed")
	goleak.VerifyNone(t, before)
}

// stall makes a broker hold produce requests until release is called.
func stall(t *testing.T, fake *kfake.Cluster, node int32) (release func()) {
	t.Helper()
	freed := make(chan struct{})
	release = sync.OnceFunc(func() { close(freed) })
	t.Cleanup(release)
	fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		if fake.CurrentNode() == node {
			fake.SleepControl(func() { <-freed })
		}
		return nil, nil, false
	})
	return release
}

// briefly produces with a short timeout.
func briefly(t *testing.T, producer *kafka.Producer, records ...kafka.Record) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	return producer.Produce(ctx, records...)
}

// TestBufferLimit: callers give up on a stalled broker. Their unsent records are dropped, those in flight stay and count: beyond
// the limit Produce fails at once. When the broker continues there is space again.
func TestBufferLimit(t *testing.T) {
	fake, cluster := faulty(t)
	release := stall(t, fake, 0)
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{MaxBuffered: 1 << 20})
	record := kafka.Record{Topic: "t", Partition: 0, Value: make([]byte, 300_000)}
	for range 20 { // 6 MB in total, one record of it in flight
		require.ErrorIs(t, briefly(t, producer, record), context.DeadlineExceeded)
	}

	var callers sync.WaitGroup
	results := make(chan error, 10)
	for range 10 { // these reach the limit
		callers.Go(func() { results <- producer.Produce(t.Context(), record) })
	}
	for range 8 { // 300 kB in flight, two of 300 kB fit
		started := time.Now()
		require.ErrorIs(t, <-results, kafka.ErrBufferFull)
		assert.Less(t, time.Since(started), time.Second)
	}
	release()
	require.NoError(t, <-results)
	require.NoError(t, <-results)
	callers.Wait()
	for range 10 {
		require.NoError(t, producer.Produce(t.Context(), record), "there is room again")
	}
	require.NoError(t, producer.Close())
	assert.Len(t, kafkatest.All(t, cluster.Brokers[0], "t"), 1+2+10, "what never left is forgotten")
}

// TestStalledBrokerLeavesBuffer: a stalled broker must not use up the buffer of the others.
func TestStalledBrokerLeavesBuffer(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(2, "t"))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	require.NoError(t, fake.MoveTopicPartition("t", 0, 0))
	require.NoError(t, fake.MoveTopicPartition("t", 1, 1))
	release := stall(t, fake, 0)
	producer := kafka.NewProducer(kafka.Cluster{Brokers: fake.ListenAddrs()}, kafka.ProducerConfig{MaxBuffered: 1 << 20})
	t.Cleanup(func() {
		release()
		assert.NoError(t, producer.Close())
	})
	record := kafka.Record{Topic: "t", Partition: 0, Value: make([]byte, 300_000)}
	for range 10 {
		require.ErrorIs(t, briefly(t, producer, record), context.DeadlineExceeded)
		record.Partition = 1
		require.NoError(t, producer.Produce(t.Context(), record))
		record.Partition = 0
	}
}

// TestProducerDropsUnsent: records for a missing topic or leader must not count for ever.
func TestProducerDropsUnsent(t *testing.T) {
	fake, cluster := faulty(t)
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Err: kerr.LeaderNotAvailable, Count: -1})
	producer := newProducer(t, cluster)
	record := kafka.Record{Topic: "nowhere", Partition: 0, Value: make([]byte, 800_000)}
	for range 100 {
		err := briefly(t, producer, record)
		require.Error(t, err)
		require.NotErrorIs(t, err, kafka.ErrBufferFull)
	}
}

// TestBufferLimitWithoutMetadata: the limit holds without any response.
func TestBufferLimitWithoutMetadata(t *testing.T) {
	producer := newProducer(t, kafka.Cluster{Brokers: []string{"127.0.0.1:1"}})
	record := kafka.Record{Topic: "t", Value: make([]byte, 800_000)}
	ctx, cancel := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	results := make(chan error, 100)
	for range 100 {
		callers.Go(func() { results <- producer.Produce(ctx, record) })
	}
	for range 100 - (64<<20)/(800_000+64) {
		require.ErrorIs(t, <-results, kafka.ErrBufferFull)
	}
	cancel()
	callers.Wait()
	require.NotErrorIs(t, briefly(t, producer, record), kafka.ErrBufferFull)
}

// TestPermanentErrors: an error that retries can't fix is returned at once.
func TestPermanentErrors(t *testing.T) {
	for name, c := range map[string]struct {
		key kmsg.Key
		err *kerr.Error
	}{
		"topic authorization":   {kmsg.Produce, kerr.TopicAuthorizationFailed},
		"cluster authorization": {kmsg.InitProducerID, kerr.ClusterAuthorizationFailed},
		"policy violation":      {kmsg.Produce, kerr.PolicyViolation},
		"invalid record":        {kmsg.Produce, kerr.InvalidRecord},
	} {
		t.Run(name, func(t *testing.T) {
			fake, cluster := faulty(t)
			fault := fake.Fault(kfake.Fault{Keys: []kmsg.Key{c.key}, Err: c.err, Count: -1})
			producer := newProducer(t, cluster)
			started := time.Now()
			err := producer.Produce(t.Context(), numbered("t", 0, 3)...)
			require.Error(t, err)
			require.NotErrorIs(t, err, context.DeadlineExceeded)
			assert.Less(t, time.Since(started), 3*time.Second)
			fault.Remove()
			require.NoError(t, producer.Produce(t.Context(), numbered("t", 0, 3)...), "it goes on")
			assert.Equal(t, []string{"0", "1", "2"}, values(kafkatest.All(t, cluster.Brokers[0], "t")))
		})
	}
}

// TestLostProduceResponses: connections break after a batch was written, before the response. Each record is written once and in
// order.
func TestLostProduceResponses(t *testing.T) {
	_, cluster, pool := faultyAndLossy(t)
	pool.lose(kmsg.Produce, 10)
	pool.lose(kmsg.InitProducerID, 2)
	underLoad(t, cluster, func(int) {})
	assert.Equal(t, 12, pool.losses())
}

// underLoad has callers produce, each to a partition, calls happens before each record of the first one, and checks that every
// record was written once, in the order of its caller.
func underLoad(t *testing.T, cluster kafka.Cluster, happens func(i int)) {
	t.Helper()
	const callers, each = 8, 40
	producer := newProducer(t, cluster)
	var all errgroup.Group
	for caller := range callers {
		all.Go(func() error {
			for i := range each {
				if caller == 0 {
					happens(i)
				}
				record := kafka.Record{Topic: "t", Partition: caller % 2, Key: fmt.Append(nil, caller), Value: fmt.Append(nil, i)}
				if err := producer.Produce(t.Context(), record); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, all.Wait())
	got := make(map[string][]string)
	for _, r := range kafkatest.All(t, cluster.Brokers[0], "t") {
		got[string(r.Key)] = append(got[string(r.Key)], string(r.Value))
	}
	require.Len(t, got, callers)
	for caller, values := range got {
		assert.Equal(t, upTo(each), values, "caller %s", caller)
	}
}

func TestLeadersMoveUnderLoad(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(2, "t"))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut, Count: 5})
	underLoad(t, kafka.Cluster{Brokers: fake.ListenAddrs()}, func(i int) {
		if partition := int32(i % 2); i%3 == 0 {
			assert.NoError(t, fake.MoveTopicPartition("t", partition, (fake.LeaderFor("t", partition)+1)%3))
		}
	})
}

// TestBatchTooLarge: a batch that exceeds max.message.bytes is split; a record that exceeds it fails alone.
func TestBatchTooLarge(t *testing.T) {
	fake, cluster := faulty(t)
	require.NoError(t, fake.CreateTopic("small", 1, map[string]string{"max.message.bytes": "20000"}))
	producer := newProducer(t, cluster)
	var records []kafka.Record
	for i := range 50 {
		records = append(records, kafka.Record{Topic: "small", Value: fmt.Append(nil, i, strings.Repeat("x", 3000))})
	}
	require.NoError(t, producer.Produce(t.Context(), records...))
	err := producer.Produce(t.Context(), kafka.Record{Topic: "small", Value: make([]byte, 21_000)})
	require.ErrorIs(t, err, kafka.ErrTooLarge)
	require.ErrorContains(t, err, "max.message.bytes")
	require.NoError(t, producer.Produce(t.Context(), kafka.Record{Topic: "small", Value: []byte("50")}))
	got := kafkatest.All(t, cluster.Brokers[0], "small")
	for i, r := range got {
		assert.Equal(t, fmt.Sprint(i), strings.TrimRight(string(r.Value), "x"))
	}
	assert.Len(t, got, 51)
}

// TestCloseWaits: Close waits for records in flight, and they are written.
func TestCloseWaits(t *testing.T) {
	fake, cluster := faulty(t)
	release := stall(t, fake, 0)
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	var callers errgroup.Group
	var written atomic.Int64
	for i := range 20 {
		callers.Go(func() error {
			err := producer.Produce(t.Context(), numbered("t", i%2, 1)...)
			if err == nil {
				written.Add(1)
				return nil
			}
			if strings.Contains(err.Error(), "closed") { // after Close
				return nil
			}
			return err
		})
	}
	eventually(t, func() bool { return briefly(t, producer, numbered("t", 0, 1)...) != nil }, "the broker is stalled")
	closed := make(chan error, 1)
	go func() { closed <- producer.Close() }()
	eventually(t, func() bool {
		err := briefly(t, producer, numbered("t", 0, 1)...)
		return err != nil && strings.Contains(err.Error(), "closed")
	}, "nothing is taken any more")
	release()
	require.NoError(t, <-closed)
	require.NoError(t, callers.Wait())
	assert.Positive(t, written.Load())
	assert.GreaterOrEqual(t, int64(len(kafkatest.All(t, cluster.Brokers[0], "t"))), written.Load())
	require.NoError(t, producer.Close(), "closing twice is fine")
}

func TestTopicCreatedLater(t *testing.T) {
	fake, cluster := faulty(t)
	producer := newProducer(t, cluster)
	result := make(chan error, 1)
	go func() { result <- producer.Produce(t.Context(), numbered("later", 0, 3)...) }()
	require.Never(t, func() bool { return len(result) > 0 }, 100*time.Millisecond, 10*time.Millisecond)
	require.NoError(t, fake.CreateTopic("later", 1, nil))
	require.NoError(t, <-result)
	assert.Equal(t, upTo(3), values(kafkatest.All(t, cluster.Brokers[0], "later")))
}

// TestAbandonedCalls: some callers time out, others don't. Records are written in order, acknowledged ones once.
func TestAbandonedCalls(t *testing.T) {
	fake, cluster := faulty(t)
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: 6})
	producer := newProducer(t, cluster)
	var callers sync.WaitGroup
	var acknowledged sync.Map
	for i := range 200 {
		callers.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+i%7*20)*time.Millisecond)
			defer cancel()
			if producer.Produce(ctx, kafka.Record{Topic: "t", Value: fmt.Append(nil, i)}) == nil {
				acknowledged.Store(fmt.Sprint(i), true)
			}
		})
	}
	callers.Wait()
	require.NoError(t, producer.Close())
	stored := make(map[string]int)
	for _, r := range kafkatest.All(t, cluster.Brokers[0], "t") {
		stored[string(r.Value)]++
		assert.Equal(t, 1, stored[string(r.Value)], "record %s", r.Value)
	}
	acknowledged.Range(func(value, _ any) bool { return assert.Contains(t, stored, value) })
}
