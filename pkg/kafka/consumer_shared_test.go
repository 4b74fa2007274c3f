package kafka_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// fakeWith starts a broker with a topic t.
func fakeWith(t *testing.T, partitions int32, options ...kfake.Opt) (*kfake.Cluster, kafka.Cluster) {
	t.Helper()
	fake, err := kfake.NewCluster(append(options, kfake.NumBrokers(1), kfake.SeedTopics(partitions, "t"))...)
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	return fake, kafka.Cluster{Brokers: fake.ListenAddrs()}
}

// TestSharedFetches: consumers at the same offset share a fetch, and repeat their commits.
func TestSharedFetches(t *testing.T) {
	const consumers = 30
	fake, cluster := fakeWith(t, 3)
	var fetches, commits atomic.Int64
	fake.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		fetches.Add(1)
		return nil, nil, false
	})
	fake.ControlKey(int16(kmsg.OffsetCommit), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		commits.Add(1)
		return nil, nil, false
	})
	var all [consumers]collector
	var handlers []kafka.Handler
	for i := range all {
		handlers = append(handlers, all[i].handle)
	}
	membership := quick("g", "t")
	membership.FetchWait, membership.RecommitInterval = time.Second, 200*time.Millisecond
	share(t, cluster, membership, nil, handlers...)
	const rounds = 10
	for round := range rounds {
		for partition := range 3 {
			produce(t, cluster, kafka.Record{Topic: "t", Partition: partition, Value: []byte("x")})
		}
		for i := range all {
			eventually(t, func() bool { return all[i].count() == 3*(round+1) }, "all have the records")
		}
	}
	assert.Less(t, fetches.Load(), int64(consumers*rounds), "a fetch is for all consumers")
	before := commits.Load()
	eventually(t, func() bool { return commits.Load() >= before+2*consumers }, "offsets of groups without members are committed again")
}

// TestSharedUnderTraffic: consumers that start while records keep coming get them too, although another one is always the first to
// fetch them.
func TestSharedUnderTraffic(t *testing.T) {
	_, cluster := fakeWith(t, 1)
	producer := newProducer(t, cluster)
	var all [6]collector
	var handlers []kafka.Handler
	for i := range all {
		handlers = append(handlers, all[i].handle)
	}
	membership := quick("g", "t")
	membership.FetchWait = 10 * time.Second
	share(t, cluster, membership, nil, handlers...)
	require.Eventually(t, func() bool {
		assert.NoError(t, producer.Produce(t.Context(), kafka.Record{Topic: "t", Value: []byte("x")}))
		for i := range all {
			if all[i].count() < 20 {
				return false
			}
		}
		return true
	}, patience, 20*time.Millisecond)
}

// TestSharedFailingFetch: a consumer whose records can't be fetched does not hold up one at another offset.
func TestSharedFailingFetch(t *testing.T) {
	for name, c := range map[string]struct {
		offset int64
		fail   bool
	}{
		"the broker fails at its offset":   {offset: 50, fail: true},
		"its offset is beyond the end":     {offset: 1000},
		"its offset is at a stable offset": {offset: 50},
	} {
		t.Run(name, func(t *testing.T) {
			fake, cluster := fakeWith(t, 1)
			produce(t, cluster, numbered("t", 0, 100)...)
			commitFor(t, cluster, "g.0", "t", 0, 100, "")
			commitFor(t, cluster, "g.1", "t", 0, c.offset, "")
			if c.fail {
				failFetchesAt(fake, c.offset)
			}
			var healthy, other collector
			share(t, cluster, quick("g", "t"), nil, healthy.handle, other.handle)
			for i := range 10 {
				produce(t, cluster, kafka.Record{Topic: "t", Value: []byte("x")})
				eventually(t, func() bool { return healthy.count() == i+1 }, "the other goes on")
			}
			if c.fail || c.offset > 100 {
				assert.Zero(t, other.count())
				return
			}
			eventually(t, func() bool { return other.count() == 60 }, "both have all")
		})
	}
}

// failFetchesAt makes each fetch from an offset fail, as with a disk error.
func failFetchesAt(fake *kfake.Cluster, offset int64) {
	fake.ControlKey(int16(kmsg.Fetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		asked, ok := request.(*kmsg.FetchRequest)
		if !ok || len(asked.Topics) != 1 || len(asked.Topics[0].Partitions) != 1 || asked.Topics[0].Partitions[0].FetchOffset != offset {
			return nil, nil, false
		}
		answer := kmsg.NewPtrFetchResponse()
		answer.Version = asked.Version
		topic := kmsg.NewFetchResponseTopic()
		topic.Topic, topic.TopicID = asked.Topics[0].Topic, asked.Topics[0].TopicID
		p := kmsg.NewFetchResponseTopicPartition()
		p.ErrorCode = kerr.KafkaStorageError.Code
		topic.Partitions = append(topic.Partitions, p)
		answer.Topics = append(answer.Topics, topic)
		return answer, nil, true
	})
}

// TestSharedHungCommits: groups whose coordinator does not answer keep neither the last commit of another group nor the stop waiting.
func TestSharedHungCommits(t *testing.T) {
	fake, cluster := fakeWith(t, 1)
	var hung atomic.Bool
	release := make(chan struct{})
	fake.ControlKey(int16(kmsg.OffsetCommit), func(request kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		if commit, ok := request.(*kmsg.OffsetCommitRequest); ok && hung.Load() && commit.Group != "g.0" {
			fake.SleepControl(func() { <-release })
		}
		return nil, nil, false
	})
	var healthy, others collector
	handlers := []kafka.Handler{healthy.handle}
	for range 20 {
		handlers = append(handlers, others.handle)
	}
	s := share(t, cluster, quick("g", "t"), nil, handlers...)
	produce(t, cluster, kafka.Record{Topic: "t", Value: []byte("x")})
	eventually(t, func() bool { return healthy.count() == 1 && others.count() == 20 }, "handled")
	hung.Store(true)
	produce(t, cluster, kafka.Record{Topic: "t", Value: []byte("x")})
	eventually(t, func() bool { return healthy.count() == 2 && others.count() == 40 }, "handled")
	began := time.Now()
	s.stop()
	assert.Less(t, time.Since(began), 12*time.Second)
	offset, _ := committedOf(t, cluster, "g.0", "t", 0)
	assert.EqualValues(t, 2, offset)
	close(release)
}

// TestSharedFormerMember: a process that was frozen until others removed it from the group does not commit to the consumers' groups.
func TestSharedFormerMember(t *testing.T) {
	fake, cluster := fakeWith(t, 1, kfake.GroupMinSessionTimeout(100*time.Millisecond))
	var removed atomic.Bool
	release := make(chan struct{})
	fake.ControlKey(int16(kmsg.Heartbeat), func(request kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		if !removed.Load() {
			return nil, nil, false
		}
		answer, ok := request.ResponseKind().(*kmsg.HeartbeatResponse)
		answer.ErrorCode = kerr.UnknownMemberID.Code
		return answer, nil, ok
	})
	fake.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		if removed.Load() {
			fake.SleepControl(func() { <-release })
		}
		return nil, nil, false
	})
	membership := quick("g", "t")
	membership.SessionTimeout = 300 * time.Millisecond
	membership.HeartbeatInterval = 100 * time.Millisecond
	began, proceed := make(chan struct{}, 10), make(chan struct{})
	s := share(t, cluster, membership, nil, func(context.Context, []kafka.Record) (kafka.Finished, error) {
		began <- struct{}{}
		<-proceed
		return kafka.Finished{First: 1}, nil
	})
	produce(t, cluster, kafka.Record{Topic: "t", Value: []byte("x")})
	<-began
	proceed <- struct{}{}
	eventually(t, func() bool {
		offset, _ := committedOf(t, cluster, "g.0", "t", 0)
		return offset == 1
	}, "a member commits")
	produce(t, cluster, kafka.Record{Topic: "t", Value: []byte("x")})
	<-began
	removed.Store(true)
	time.AfterFunc(membership.SessionTimeout, func() { close(proceed) }) // the last check does not count any more
	eventually(t, func() bool { return !s.Status().Member }, "its generation has ended")
	offset, _ := committedOf(t, cluster, "g.0", "t", 0)
	assert.EqualValues(t, 1, offset)
	close(release)
}
