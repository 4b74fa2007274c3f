package kafka_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// TestOffsetOutOfRangeOfExistingOffset: a broker that is behind, or not the leader, may report an existing offset as out of range.
func TestOffsetOutOfRangeOfExistingOffset(t *testing.T) {
	for _, policy := range []kafka.OffsetReset{kafka.OffsetResetSkip, kafka.OffsetResetHalt} {
		t.Run(string(policy), func(t *testing.T) {
			fake, cluster := faulty(t)
			produce(t, cluster, numbered("t", 0, 5)...)
			config := quick("g", "t")
			config.OffsetReset = policy
			var handled collector
			r := run(t, cluster, config, zap.NewNop(), handled.handle)
			eventually(t, func() bool { return handled.count() == 5 }, "records handled")
			fault := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Partitions: []int32{0}, Err: kerr.OffsetOutOfRange, Count: 2})
			eventually(t, func() bool { return fault.Hits() == 2 }, "the broker errs")
			produce(t, cluster, kafka.Record{Topic: "t", Value: []byte("5")})
			eventually(t, func() bool { return handled.count() >= 6 }, "the next one is handled")
			assert.Equal(t, []string{"0", "1", "2", "3", "4", "5"}, values(handled.all()))
			assert.Zero(t, r.LostOffsets())
			assert.Empty(t, r.Status().Halted)
		})
	}
}

// TestStaleLeader: a broker that was frozen believes for a moment that it is still the leader. It reports that later records do
// not exist, and the old end of the partition.
func TestStaleLeader(t *testing.T) {
	fake, cluster := faulty(t)
	produce(t, cluster, numbered("t", 0, 5)...)
	var handled collector
	run(t, cluster, quick("g", "t"), zap.NewNop(), handled.handle)
	eventually(t, func() bool { return handled.count() == 5 }, "records handled")

	var asked atomic.Int64
	fault := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Partitions: []int32{0}, Err: kerr.OffsetOutOfRange, Count: 3})
	fake.ControlKey(int16(kmsg.ListOffsets), func(request kmsg.Request) (kmsg.Response, error, bool) {
		if fault.Hits() >= 3 && asked.Load() >= 3 {
			return nil, nil, false
		}
		fake.KeepControl()
		asked.Add(1)
		return endingAt(t, request, 2), nil, true
	})
	eventually(t, func() bool { return fault.Hits() >= 3 && asked.Load() >= 2 }, "the broker errs")
	produce(t, cluster, kafka.Record{Topic: "t", Value: []byte("5")})
	eventually(t, func() bool { return handled.count() >= 6 }, "the next one is handled")
	assert.Equal(t, []string{"0", "1", "2", "3", "4", "5"}, values(handled.all()))
}

// endingAt returns a ListOffsets response with the offsets 0 to end for every partition.
func endingAt(t *testing.T, request kmsg.Request, end int64) kmsg.Response {
	t.Helper()
	asked, ok := request.(*kmsg.ListOffsetsRequest)
	assert.True(t, ok)
	answer, ok := asked.ResponseKind().(*kmsg.ListOffsetsResponse)
	assert.True(t, ok)
	for _, topic := range asked.Topics {
		t := kmsg.ListOffsetsResponseTopic{Topic: topic.Topic}
		for _, p := range topic.Partitions {
			one := kmsg.NewListOffsetsResponseTopicPartition()
			one.Partition = p.Partition
			one.Offset = 0
			if p.Timestamp == -1 { // the end
				one.Offset = end
			}
			t.Partitions = append(t.Partitions, one)
		}
		answer.Topics = append(answer.Topics, t)
	}
	return answer
}

// commitFor commits an offset for a group without members, as Kafka's tools do.
func commitFor(t *testing.T, cluster kafka.Cluster, group, topic string, partition int, offset int64, metadata string) {
	t.Helper()
	ofCoordinator(t, cluster, func(client *kafkago.Client) error {
		answer, err := client.OffsetCommit(t.Context(), &kafkago.OffsetCommitRequest{
			GroupID: group, GenerationID: -1,
			Topics: map[string][]kafkago.OffsetCommit{topic: {{Partition: partition, Offset: offset, Metadata: metadata}}},
		})
		if err != nil {
			return err
		}
		return answer.Topics[topic][0].Error
	})
}

// committedOf returns a group's committed offset, -1 for none, and its metadata.
func committedOf(t *testing.T, cluster kafka.Cluster, group, topic string, partition int) (int64, string) {
	t.Helper()
	found := kafkago.OffsetFetchPartition{CommittedOffset: -1}
	ofCoordinator(t, cluster, func(client *kafkago.Client) error {
		answer, err := client.OffsetFetch(t.Context(), &kafkago.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: {partition}}})
		switch {
		case err != nil:
			return err
		case errors.Is(answer.Error, kafkago.GroupIdNotFound): // by the embedded broker, for a group without offsets
			return nil
		case answer.Error != nil:
			return answer.Error
		}
		found = answer.Topics[topic][0]
		return found.Error
	})
	return found.CommittedOffset, found.Metadata
}

// ofCoordinator asks a group's coordinator, again while a new broker has not yet created or loaded its partition of
// __consumer_offsets.
func ofCoordinator(t *testing.T, cluster kafka.Cluster, ask func(*kafkago.Client) error) {
	t.Helper()
	client := &kafkago.Client{Addr: kafkago.TCP(cluster.Brokers...), Transport: &kafkago.Transport{}}
	defer client.Transport.(*kafkago.Transport).CloseIdleConnections()
	var err error
	require.Eventually(t, func() bool {
		err = ask(client)
		return !errors.Is(err, kafkago.NotCoordinatorForGroup) && !errors.Is(err, kafkago.GroupCoordinatorNotAvailable) &&
			!errors.Is(err, kafkago.GroupLoadInProgress)
	}, patience, 20*time.Millisecond, "the group has a coordinator")
	require.NoError(t, err)
}

// TestRecreatedTopic: a recreated topic is read from its start, and its smaller offsets are committed.
func TestRecreatedTopic(t *testing.T) {
	_, cluster := faulty(t)
	commitFor(t, cluster, "g", "t", 0, 100, "")
	produce(t, cluster, numbered("t", 0, 3)...)
	var handled collector
	r := run(t, cluster, quick("g", "t"), zap.NewNop(), handled.handle)
	eventually(t, func() bool { return handled.count() == 3 }, "records handled")
	r.stop()
	assert.Zero(t, r.LostOffsets())
	offset, _ := committedOf(t, cluster, "g", "t", 0)
	assert.EqualValues(t, 3, offset)
}

// TestOffsetResetHalt: a halted partition is not read, and reported, until another offset is committed.
func TestOffsetResetHalt(t *testing.T) {
	fake, cluster := faulty(t)
	produce(t, cluster, numbered("t", 0, 10)...)
	produce(t, cluster, numbered("t", 1, 1)...)
	commitFor(t, cluster, "g", "t", 0, 2, "")
	require.NoError(t, fake.DeleteRecords("t", 0, 6))
	config := quick("g", "t")
	config.OffsetReset = kafka.OffsetResetHalt
	var handled collector
	r := run(t, cluster, config, zap.NewNop(), handled.handle)
	eventually(t, func() bool { return len(r.Status().Halted) == 1 }, "the partition is reported")
	assert.Contains(t, r.Status().Halted[0], "partition 0 of topic t")
	assert.Contains(t, r.Status().Halted[0], "offset 2 does not exist, the first is 6")
	eventually(t, func() bool { return handled.count() == 1 }, "other partitions go on")
	assert.Equal(t, 1, handled.all()[0].Partition)
	r.stop()
	offset, _ := committedOf(t, cluster, "g", "t", 0)
	assert.EqualValues(t, 2, offset, "nothing is passed over")
	assert.Zero(t, r.LostOffsets())

	commitFor(t, cluster, "g", "t", 0, 8, "")
	assert.Equal(t, []string{"8", "9"}, values(consumeAll(t, cluster, config, 2)))
}

// TestLastCommitIsRetried: the last commit is retried while the coordinator moves.
func TestLastCommitIsRetried(t *testing.T) {
	for _, passing := range []*kerr.Error{kerr.NotCoordinator, kerr.CoordinatorLoadInProgress, kerr.RequestTimedOut} {
		t.Run(passing.Message, func(t *testing.T) {
			fake, cluster := faulty(t)
			produce(t, cluster, numbered("t", 0, 5)...)
			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: passing, Count: 3})
			working, finish := make(chan struct{}), make(chan struct{})
			r := run(t, cluster, quick("g", "t"), zap.NewNop(), func(_ context.Context, records []kafka.Record) (kafka.Finished, error) {
				close(working)
				<-finish
				return kafka.Finished{First: len(records)}, nil
			})
			<-working
			r.cancel()
			close(finish)
			r.stop()
			offset, _ := committedOf(t, cluster, "g", "t", 0)
			assert.EqualValues(t, 5, offset)
		})
	}
}

// TestLostResponse: one response never arrives on an open connection, while heartbeats continue. The partition does not stall for
// ever.
func TestLostResponse(t *testing.T) {
	for key, which := range map[kmsg.Key]int64{kmsg.OffsetFetch: 2, kmsg.Fetch: 1} { // the first OffsetFetch is kafka-go's
		t.Run(key.Name(), func(t *testing.T) {
			t.Parallel()
			fake, cluster := faulty(t)
			produce(t, cluster, append(numbered("t", 0, 5), numbered("t", 1, 5)...)...)
			release := make(chan struct{})
			t.Cleanup(func() { close(release) })
			var handled collector
			var asked atomic.Int64
			fake.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
				if asked.Add(1) == which {
					fake.SleepControl(func() { <-release })
				}
				return nil, nil, false
			})
			run(t, cluster, quick("g", "t"), zap.NewNop(), handled.handle)
			eventually(t, func() bool { return handled.count() == 10 }, "records handled")
		})
	}
}

// TestNoGeneration: a consumer without a generation for too long joins again.
func TestNoGeneration(t *testing.T) {
	fake, cluster := faulty(t)
	produce(t, cluster, numbered("t", 0, 3)...)
	release := make(chan struct{})
	free := sync.OnceFunc(func() { close(release) })
	t.Cleanup(free)
	fake.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.SleepControl(func() { <-release })
		return nil, nil, false
	})
	config := quick("g", "t")
	config.SessionTimeout, config.RebalanceTimeout = 300*time.Millisecond, 300*time.Millisecond
	var handled collector
	r := run(t, cluster, config, zap.NewNop(), handled.handle)
	eventually(t, func() bool { return r.Rejoins() > 0 }, "it does not wait for ever")
	assert.False(t, r.Status().Member)
	free()
	eventually(t, func() bool { return handled.count() == 3 }, "records handled")
}

// TestUnreachableBrokers: unreachable brokers do not count as a missing generation.
func TestUnreachableBrokers(t *testing.T) {
	config := quick("g", "t")
	config.SessionTimeout, config.RebalanceTimeout = 200*time.Millisecond, 100*time.Millisecond
	var handled collector
	r := run(t, kafka.Cluster{Brokers: []string{"127.0.0.1:1"}}, config, zap.NewNop(), handled.handle)
	require.Never(t, func() bool { return r.Rejoins() > 0 || r.Status().Member }, time.Second, 50*time.Millisecond)
}

// TestHandlerTimeout: the context of a handler ends after HandlerTimeout; its records are delivered again.
func TestHandlerTimeout(t *testing.T) {
	_, cluster := faulty(t)
	produce(t, cluster, numbered("t", 0, 3)...)
	config := quick("g", "t")
	config.HandlerTimeout = 50 * time.Millisecond
	var calls atomic.Int64
	var handled collector
	r := run(t, cluster, config, zap.NewNop(), func(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
		if calls.Add(1) == 1 {
			<-ctx.Done()
			return kafka.Finished{}, context.Cause(ctx)
		}
		return handled.handle(ctx, records)
	})
	eventually(t, func() bool { return handled.count() == 3 }, "records handled")
	assert.Equal(t, 1, r.Status().Generation)
	assert.Empty(t, r.Status().Stalled)
}

// TestHandlerThatNeverReturns: it is reported as stalled, and then ends Run with an error.
func TestHandlerThatNeverReturns(t *testing.T) {
	_, cluster := faulty(t)
	before := goleak.IgnoreCurrent()
	produce(t, cluster, numbered("t", 0, 1)...)
	produce(t, cluster, numbered("t", 1, 1)...)
	config := quick("g", "t")
	config.HandlerTimeout, config.DrainTimeout = 50*time.Millisecond, 300*time.Millisecond
	stalled := make(chan struct{})
	var others atomic.Int64
	consumer := kafka.NewConsumer(cluster, config, zap.NewNop())
	result := make(chan error, 1)
	go func() {
		result <- consumer.Run(context.Background(), func(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
			if records[0].Partition == 1 {
				<-stalled
			}
			others.Add(1)
			return kafka.Finished{}, errors.New("again")
		})
	}()
	eventually(t, func() bool { return slices.Equal(consumer.Status().Stalled, []int{1}) }, "it is reported as stalled")
	select {
	case err := <-result:
		require.ErrorContains(t, err, "partition 1 of group g")
		require.ErrorContains(t, err, "exceeded handler_timeout")
	case <-time.After(10 * time.Second):
		require.Fail(t, "Run goes on")
	}
	eventually(t, func() bool { return !consumer.Status().Member || others.Load() > 0 }, "others worked")
	close(stalled)
	goleak.VerifyNone(t, before) // the other workers stop too
}
