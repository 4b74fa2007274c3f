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

// A broker that stood still and goes on believes for a moment that it leads what it led: it says that what was written
// since is not there, and where the partition ended then.
func TestABrokerThatIsBehindIsNotBelieved(t *testing.T) {
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

// endingAt answers ListOffsets as if every partition had the offsets from 0 on and ended there.
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

// A last commit that meets a coordinator on the move is tried again: it has no next time.
func TestTheLastCommitIsTriedAgain(t *testing.T) {
	for _, passing := range []*kerr.Error{kerr.NotCoordinator, kerr.CoordinatorLoadInProgress, kerr.RequestTimedOut} {
		t.Run(passing.Message, func(t *testing.T) {
			fake, cluster := faulty(t)
			produce(t, cluster, numbered("t", 0, 5)...)
			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: passing, Count: 3})
			working, finish := make(chan struct{}), make(chan struct{})
			r := run(t, cluster, quick("g", "t"), zap.NewNop(), func(_ context.Context, records []kafka.Record) (kafka.Finished, error) {
				close(working)
				<-finish
				return kafka.First(len(records)), nil
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

// The answer to one request never comes, on a connection that stands, while heartbeats go on: the partition is not left
// unread for ever.
func TestAnAnswerThatNeverComes(t *testing.T) {
	for key, which := range map[kmsg.Key]int64{kmsg.OffsetFetch: 2, kmsg.Fetch: 1} { // the first offsets are asked for by kafka-go
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

// A group that gives no generation is joined anew.
func TestAGroupWithoutAGeneration(t *testing.T) {
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

// Brokers that can't be reached are no group without a generation.
func TestBrokersThatAreAwayAreWaitedFor(t *testing.T) {
	config := quick("g", "t")
	config.SessionTimeout, config.RebalanceTimeout = 200*time.Millisecond, 100*time.Millisecond
	var handled collector
	r := run(t, kafka.Cluster{Brokers: []string{"127.0.0.1:1"}}, config, zap.NewNop(), handled.handle)
	require.Never(t, func() bool { return r.Rejoins() > 0 || r.Status().Member }, time.Second, 50*time.Millisecond)
}

// A handler that takes too long is told so; it may go on with the same records.
func TestAHandlersTimeEnds(t *testing.T) {
	_, cluster := faulty(t)
	produce(t, cluster, numbered("t", 0, 3)...)
	config := quick("g", "t")
	config.HandlerTimeout = 50 * time.Millisecond
	var calls atomic.Int64
	var handled collector
	r := run(t, cluster, config, zap.NewNop(), func(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
		if calls.Add(1) == 1 {
			<-ctx.Done()
			return kafka.First(0), context.Cause(ctx)
		}
		return handled.handle(ctx, records)
	})
	eventually(t, func() bool { return handled.count() == 3 }, "records handled")
	assert.Equal(t, 1, r.Status().Generation)
	assert.Empty(t, r.Status().Stuck)
}

// A handler that does not come back, nor listen, ends Run with an error; until then it is named.
func TestAHandlerThatDoesNotComeBack(t *testing.T) {
	_, cluster := faulty(t)
	before := goleak.IgnoreCurrent()
	produce(t, cluster, numbered("t", 0, 1)...)
	produce(t, cluster, numbered("t", 1, 1)...)
	config := quick("g", "t")
	config.HandlerTimeout, config.DrainTimeout = 50*time.Millisecond, 300*time.Millisecond
	stuck := make(chan struct{})
	var others atomic.Int64
	consumer := kafka.NewConsumer(cluster, config, zap.NewNop())
	result := make(chan error, 1)
	go func() {
		result <- consumer.Run(context.Background(), func(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
			if records[0].Partition == 1 {
				<-stuck
			}
			others.Add(1)
			return kafka.First(0), errors.New("again")
		})
	}()
	eventually(t, func() bool { return slices.Equal(consumer.Status().Stuck, []int{1}) }, "it is named")
	select {
	case err := <-result:
		require.ErrorContains(t, err, "partition 1 of group g")
		require.ErrorContains(t, err, "does not come back")
	case <-time.After(10 * time.Second):
		require.Fail(t, "Run goes on")
	}
	eventually(t, func() bool { return !consumer.Status().Member || others.Load() > 0 }, "others worked")
	close(stuck)
	goleak.VerifyNone(t, before) // all of it stops, the others' work too
}
