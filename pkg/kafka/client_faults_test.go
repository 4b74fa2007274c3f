package kafka_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// faulty starts a broker for fault injection, with a topic "t" of two partitions.
func faulty(t *testing.T) (*kfake.Cluster, kafka.Cluster) {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "t"), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	return fake, kafka.Cluster{Brokers: fake.ListenAddrs()}
}

func TestProduceRequiresAllReplicas(t *testing.T) {
	fake, cluster := faulty(t)
	var requests atomic.Int64
	fake.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		requests.Add(1)
		produce, ok := request.(*kmsg.ProduceRequest)
		assert.True(t, ok)
		assert.Equal(t, int16(-1), produce.Acks)
		return nil, nil, false
	})
	produce(t, cluster, numbered("t", 1, 3)...)
	assert.Positive(t, requests.Load())
	assert.Len(t, kafkatest.All(t, cluster.Brokers[0], "t"), 3)
}

func TestProduceRetriesTransientErrors(t *testing.T) {
	for _, passing := range []*kerr.Error{
		kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.NotEnoughReplicas, kerr.RequestTimedOut,
	} {
		t.Run(passing.Message, func(t *testing.T) {
			fake, cluster := faulty(t)
			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: passing, Count: 5})
			produce(t, cluster, numbered("t", 0, 3)...)
			seen := make(map[string]bool)
			for _, r := range kafkatest.All(t, cluster.Brokers[0], "t") {
				seen[string(r.Value)] = true
			}
			assert.Len(t, seen, 3)
		})
	}
}

func TestProduceRetriesBrokenConnection(t *testing.T) {
	fake, cluster := faulty(t)
	var broken atomic.Int64
	fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		if broken.Add(1) < 4 {
			fake.KeepControl()
			return nil, net.ErrClosed, true // closes the connection: the client reads EOF
		}
		return nil, nil, false
	})
	produce(t, cluster, numbered("t", 0, 1)...)
	assert.Len(t, kafkatest.All(t, cluster.Brokers[0], "t"), 1)
	assert.EqualValues(t, 4, broken.Load())
}

func TestProduceGivesUp(t *testing.T) {
	fake, cluster := faulty(t)
	producer := newProducer(t, cluster)

	t.Run("after a permanent error", func(t *testing.T) {
		fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed})
		assert.ErrorContains(t, producer.Produce(t.Context(), numbered("t", 0, 1)...), "lacks Write on topic t")
	})
	t.Run("when its context ends", func(t *testing.T) {
		fault := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1})
		defer fault.Remove()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, producer.Produce(ctx, numbered("t", 0, 1)...), context.DeadlineExceeded)
	})
	t.Run("for a missing topic", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		assert.ErrorContains(t, producer.Produce(ctx, numbered("absent", 0, 1)...), "absent")
	})
	t.Run("for a record that is too large", func(t *testing.T) {
		large := kafka.Record{Topic: "t", Value: make([]byte, kafka.MaxRecordBytes)}
		require.ErrorIs(t, producer.Produce(t.Context(), large), kafka.ErrTooLarge)
		large.Value = large.Value[:kafka.MaxRecordBytes-200]
		assert.NoError(t, producer.Produce(t.Context(), large), "what is allowed fits")
	})
	t.Run("without a topic", func(t *testing.T) {
		assert.ErrorContains(t, producer.Produce(t.Context(), kafka.Record{}), "no topic")
	})
	t.Run("without brokers", func(t *testing.T) {
		nowhere := newProducer(t, kafka.Cluster{Brokers: []string{"127.0.0.1:1"}})
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		assert.ErrorContains(t, nowhere.Produce(ctx, numbered("t", 0, 1)...), "refused")
	})
	require.NoError(t, producer.Produce(t.Context()), "nothing to do")
}

func TestFetchErrorsKeepTheGeneration(t *testing.T) {
	fake, cluster := faulty(t)
	produce(t, cluster, numbered("t", 0, 3)...)
	for _, passing := range []*kerr.Error{kerr.NotLeaderForPartition, kerr.UnknownServerError, kerr.KafkaStorageError} {
		fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: passing, Count: 2})
	}
	var handled collector
	r := run(t, cluster, quick("g", "t"), zap.NewNop(), handled.handle)
	eventually(t, func() bool { return handled.count() == 3 }, "records handled")
	assert.Equal(t, []string{"0", "1", "2"}, values(handled.all()))
	assert.Equal(t, 1, r.Status().Generation, "an error of a fetch must not end the generation")
	assert.Zero(t, r.LostOffsets())
}

func TestDeletedOffsetsAreCounted(t *testing.T) {
	fake, cluster := faulty(t)
	old := numbered("t", 0, 10)
	for i := range old {
		old[i].Time = time.Now().AddDate(-1, 0, 0)
	}
	produce(t, cluster, old[:4]...)
	assert.Len(t, consumeAll(t, cluster, quick("g", "t"), 4), 4)
	produce(t, cluster, old[4:]...)
	fake.ApplyRetention()
	produce(t, cluster, kafka.Record{Topic: "t", Partition: 0, Value: []byte("new")})

	logs, seen := observer.New(zap.ErrorLevel)
	var handled collector
	r := run(t, cluster, quick("g", "t"), zap.New(logs), handled.handle)
	eventually(t, func() bool { return handled.count() == 1 }, "record handled")
	assert.Equal(t, "new", string(handled.all()[0].Value))
	assert.EqualValues(t, 6, r.LostOffsets())
	require.Equal(t, 1, seen.FilterMessageSnippet("offset out of range").Len())
	assert.EqualValues(t, 6, seen.All()[0].ContextMap()["lost"])
}

func TestHandlerThatFinishesNothing(t *testing.T) {
	for name, done := range map[string]int{"none and no error": 0, "fewer than none": -1, "more than it got": 3} {
		t.Run(name, func(t *testing.T) {
			_, cluster := faulty(t)
			produce(t, cluster, numbered("t", 0, 2)...)
			logs, seen := observer.New(zap.WarnLevel)
			var calls atomic.Int64
			var handled collector
			run(t, cluster, quick("g", "t"), zap.New(logs), func(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
				if calls.Add(1) <= 3 {
					return kafka.Finished{First: done}, nil
				}
				return handled.handle(ctx, records)
			})
			eventually(t, func() bool { return handled.count() == 2 }, "records handled")
			assert.Equal(t, 3, seen.FilterMessageSnippet("handler failed").Len())
		})
	}
}

func TestHeartbeatsWhileHandlerRuns(t *testing.T) {
	_, cluster := faulty(t)
	produce(t, cluster, numbered("t", 0, 1)...)
	config := quick("g", "t")
	config.SessionTimeout = 500 * time.Millisecond
	var calls atomic.Int64
	var handled collector
	r := run(t, cluster, config, zap.NewNop(), func(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
		calls.Add(1)
		select {
		case <-time.After(4 * config.SessionTimeout):
		case <-ctx.Done():
			return kafka.Finished{}, ctx.Err()
		}
		return handled.handle(ctx, records)
	})
	eventually(t, func() bool { return handled.count() == 1 }, "record handled")
	assert.EqualValues(t, 1, calls.Load())
	assert.Equal(t, 1, r.Status().Generation)
}

// TestRebalanceCancelsHandler: a rebalance ends the context of a running handler, and what it finished is committed.
func TestRebalanceCancelsHandler(t *testing.T) {
	_, cluster := faulty(t)
	produce(t, cluster, numbered("t", 0, 3)...)
	working := make(chan struct{}, 10)
	var handled collector
	run(t, cluster, quick("g", "t"), zap.NewNop(), func(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
		if string(records[0].Value) != "0" {
			return handled.handle(ctx, records)
		}
		working <- struct{}{}
		<-ctx.Done()
		_, _ = handled.handle(ctx, records[:1])
		return kafka.Finished{First: 1}, ctx.Err()
	})
	<-working
	run(t, cluster, quick("g", "t"), zap.NewNop(), handled.handle)
	eventually(t, func() bool { return handled.count() >= 3 }, "records handled")
	assert.Equal(t, []string{"0", "1", "2"}, values(handled.all()))
}

// TestStopDuringJoin: a join may wait for other members for all of the rebalance timeout; the end of Run does not.
func TestStopDuringJoin(t *testing.T) {
	fake, cluster := faulty(t)
	joining, release := make(chan struct{}), make(chan struct{})
	fake.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.SleepControl(func() { close(joining); <-release })
		return nil, nil, false
	})
	defer close(release)
	var handled collector
	config := quick("g", "t")
	config.RebalanceTimeout = time.Minute
	r := run(t, cluster, config, zap.NewNop(), handled.handle)
	<-joining
	started := time.Now()
	r.stop()
	assert.Less(t, time.Since(started), 10*time.Second)
}

func TestRunValidatesConfig(t *testing.T) {
	good := kafka.Cluster{Brokers: []string{"127.0.0.1:9092"}}
	for _, c := range []struct {
		name    string
		cluster kafka.Cluster
		config  kafka.ConsumerConfig
		want    string
	}{
		{"no brokers", kafka.Cluster{}, kafka.ConsumerConfig{Group: "g", Topics: []string{"t"}}, "no Kafka brokers"},
		{"no port", kafka.Cluster{Brokers: []string{"kafka"}}, kafka.ConsumerConfig{Group: "g", Topics: []string{"t"}}, `"kafka"`},
		{"no group", good, kafka.ConsumerConfig{Topics: []string{"t"}}, "no consumer group"},
		{"no topics", good, kafka.ConsumerConfig{Group: "g"}, "no topics"},
		{"an empty topic name", good, kafka.ConsumerConfig{Group: "g", Topics: []string{""}}, "no topics"},
		{
			"a session shorter than its heartbeats", good,
			kafka.ConsumerConfig{Group: "g", Topics: []string{"t"}, SessionTimeout: time.Second},
			"heartbeat",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var handled collector
			err := kafka.NewConsumer(c.cluster, c.config, zap.NewNop()).Run(t.Context(), handled.handle)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestReadAllSkipsTransactionMarkers(t *testing.T) {
	fake, cluster := faulty(t)
	produce(t, cluster, numbered("t", 0, 2)...)
	commitTransaction(t, fake.ListenAddrs(), "t", "2", "3")
	produce(t, cluster, kafka.Record{Topic: "t", Partition: 0, Value: []byte("4")})
	commitTransaction(t, fake.ListenAddrs(), "t", "5")
	want := []string{"0", "1", "2", "3", "4", "5"}
	assert.Equal(t, want, values(kafkatest.All(t, cluster.Brokers[0], "t")))
	assert.Equal(t, want, values(consumeAll(t, cluster, quick("g", "t"), len(want))))
}

func TestReadAllOfMissingTopic(t *testing.T) {
	_, cluster := faulty(t)
	_, err := kafkatest.ReadAll(t.Context(), cluster, "absent")
	require.ErrorContains(t, err, "topic absent")
	_, err = kafkatest.ReadAll(t.Context(), kafka.Cluster{}, "t")
	assert.ErrorContains(t, err, "no Kafka brokers")
}

func TestLargeBacklogInBatches(t *testing.T) {
	_, cluster := faulty(t)
	filler := strings.Repeat("x", 10_000)
	var records []kafka.Record
	for i := range 300 { // 3 MB: more than one fetch
		records = append(records, kafka.Record{Topic: "t", Partition: 1, Value: fmt.Append(nil, i, filler)})
	}
	produce(t, cluster, records...)
	got := consumeAll(t, cluster, quick("g", "t"), 300)
	for i, r := range got {
		require.Equal(t, string(records[i].Value), string(r.Value))
	}
	assert.Len(t, kafkatest.All(t, cluster.Brokers[0], "t"), 300)
}
