package kafka_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// Whatever comes instead of an answer, each record is stored once and in order.
func TestEachRecordIsWrittenOnce(t *testing.T) {
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

// A batch that was given up may have been written: the next one must not look like it to the broker, which would
// take it for a copy.
func TestABatchAfterOneThatFailedIsWritten(t *testing.T) {
	for _, unclear := range []*kerr.Error{kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend} {
		t.Run(unclear.Message, func(t *testing.T) {
			fake, cluster := faulty(t)
			fake.Fault(
				kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: unclear},
				kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed},
			)
			producer := newProducer(t, cluster)
			record := kafka.Record{Topic: "t", Value: []byte("failed, and yet written")}
			require.ErrorContains(t, producer.Produce(t.Context(), record), "Authorization")
			record.Value = []byte("acknowledged")
			require.NoError(t, producer.Produce(t.Context(), record))
			assert.Contains(t, values(kafkatest.All(t, cluster.Brokers[0], "t")), "acknowledged")
		})
	}
}

// A call that waits for a topic ends with the producer, and leaves nothing behind.
func TestCloseEndsWhoWaitsForATopic(t *testing.T) {
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

// stuck makes a node take no batches until release is called; then it does what it was asked.
func stuck(t *testing.T, fake *kfake.Cluster, node int32) (release func()) {
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

// briefly produces with little patience.
func briefly(t *testing.T, producer *kafka.Producer, records ...kafka.Record) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	return producer.Produce(ctx, records...)
}

// Callers give up on a broker that takes nothing. What never left goes with them; what is under way stays, and counts:
// too much of it is an error at once. When the broker takes records again there is room again.
func TestProducerIsBounded(t *testing.T) {
	fake, cluster := faulty(t)
	release := stuck(t, fake, 0)
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{MaxBuffered: 1 << 20})
	record := kafka.Record{Topic: "t", Partition: 0, Value: make([]byte, 300_000)}
	for range 20 { // 6 MB in all, one record of it under way
		require.ErrorIs(t, briefly(t, producer, record), context.DeadlineExceeded)
	}

	var callers sync.WaitGroup
	results := make(chan error, 10)
	for range 10 { // with those the limit is reached
		callers.Go(func() { results <- producer.Produce(t.Context(), record) })
	}
	for range 8 { // 300 kB under way, two of 300 kB fit
		started := time.Now()
		require.ErrorIs(t, <-results, kafka.ErrFull)
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

// A broker that takes nothing must not use up the room of the others.
func TestAStuckBrokerLeavesRoomForOthers(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(2, "t"))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	require.NoError(t, fake.MoveTopicPartition("t", 0, 0))
	require.NoError(t, fake.MoveTopicPartition("t", 1, 1))
	release := stuck(t, fake, 0)
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

// What waits for a topic or a leader that is not there must not count for ever.
func TestProducerForgetsWhatWasNeverSent(t *testing.T) {
	fake, cluster := faulty(t)
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Err: kerr.LeaderNotAvailable, Count: -1})
	producer := newProducer(t, cluster)
	record := kafka.Record{Topic: "nowhere", Partition: 0, Value: make([]byte, 800_000)}
	for range 100 {
		err := briefly(t, producer, record)
		require.Error(t, err)
		require.NotErrorIs(t, err, kafka.ErrFull)
	}
}

// Without an answer to anything, too much is still an error at once.
func TestProducerIsBoundedWithoutALayout(t *testing.T) {
	producer := newProducer(t, kafka.Cluster{Brokers: []string{"127.0.0.1:1"}})
	record := kafka.Record{Topic: "t", Value: make([]byte, 800_000)}
	ctx, cancel := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	results := make(chan error, 100)
	for range 100 {
		callers.Go(func() { results <- producer.Produce(ctx, record) })
	}
	for range 100 - (64<<20)/(800_000+64) {
		require.ErrorIs(t, <-results, kafka.ErrFull)
	}
	cancel()
	callers.Wait()
	require.NotErrorIs(t, briefly(t, producer, record), kafka.ErrFull)
}

// What the broker will never take is an error at once, not after all patience.
func TestProducerSaysAtOnceWhatCanNotBe(t *testing.T) {
	for name, c := range map[string]struct {
		key kmsg.Key
		err *kerr.Error
	}{
		"no right to the topic":       {kmsg.Produce, kerr.TopicAuthorizationFailed},
		"no right to a producer id":   {kmsg.InitProducerID, kerr.ClusterAuthorizationFailed},
		"a policy of the broker":      {kmsg.Produce, kerr.PolicyViolation},
		"a record it takes as broken": {kmsg.Produce, kerr.InvalidRecord},
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
