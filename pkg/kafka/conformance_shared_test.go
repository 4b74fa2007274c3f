package kafka_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// sharing is a running Shared with the consumers of some groups.
type sharing struct {
	*running
	consumers []*kafka.Consumer
}

// share starts consumers of groups {membership}.{i}, each with a handler.
func share(t *testing.T, cluster kafka.Cluster, membership kafka.ConsumerConfig, filter func(consumer int, r kafka.Record) bool, handlers ...kafka.Handler) sharing {
	t.Helper()
	shared := kafka.NewShared(cluster, membership, zap.NewNop())
	var s sharing
	for i, handle := range handlers {
		config := quick(groupOf(membership, i))
		if filter != nil {
			config.Filter = func(r kafka.Record) bool { return filter(i, r) }
		}
		config.RecommitInterval = membership.RecommitInterval
		s.consumers = append(s.consumers, shared.Add(config, handle))
	}
	s.running = start(t, s.consumers[0], shared.Run)
	return s
}

func groupOf(membership kafka.ConsumerConfig, consumer int) string {
	return fmt.Sprintf("%s.%d", membership.Group, consumer)
}

// sharedEachOwn: consumers with a shared membership handle the records that their filter selects, once, and commit to their own
// groups, also over records that they don't handle.
func sharedEachOwn(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 2)
	records := append(numbered(topic, 0, 300), numbered(topic, 1, 300)...)
	produce(t, cluster, records...)
	ends := func(i int, r kafka.Record) bool { return strings.HasSuffix(string(r.Value), fmt.Sprint(i)) }
	var first [3]collector
	s := share(t, cluster, quick(topic, topic), ends, first[0].handle, first[1].handle, first[2].handle)
	for i := range first {
		eventually(t, func() bool { return first[i].count() == 60 }, "each has its own")
		for partition := range 2 {
			eventually(t, func() bool {
				offset, _ := committedOf(t, cluster, groupOf(quick(topic), i), topic, partition)
				return offset == 300
			}, "the offset is behind the last record, although another group's")
		}
		assert.Len(t, s.consumers[i].Status().Partitions[topic], 2)
	}
	s.stop()

	produce(t, cluster, kafka.Record{Topic: topic, Value: []byte("301")}, kafka.Record{Topic: topic, Value: []byte("302")})
	var second [3]collector
	share(t, cluster, quick(topic, topic), ends, second[0].handle, second[1].handle, second[2].handle)
	eventually(t, func() bool { return second[1].count() == 1 && second[2].count() == 1 }, "a restart continues")
	assert.Equal(t, []string{"301"}, values(second[1].all()))
	assert.Zero(t, second[0].count())
}

// sharedSlow: a consumer that waits does not hold up the others, and continues at its own offset, in order.
func sharedSlow(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 1)
	var down atomic.Bool
	down.Store(true)
	var slow, quickly collector
	share(t, cluster, quick(topic, topic), nil, quickly.handle, func(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
		if down.Load() {
			return kafka.Finished{}, kafka.RetryAfter(assert.AnError, 50*time.Millisecond)
		}
		return slow.handle(ctx, records)
	})
	filler := strings.Repeat("x", 20_000)
	var want []string
	for i := range 200 { // 4 MB, more than a consumer buffers
		want = append(want, fmt.Sprint(i, filler))
		produce(t, cluster, kafka.Record{Topic: topic, Value: []byte(want[i])})
	}
	eventually(t, func() bool { return quickly.count() == len(want) }, "the other has all")
	assert.Zero(t, slow.count())
	down.Store(false)
	eventually(t, func() bool { return slow.count() == len(want) }, "it has all, too")
	assert.Equal(t, want, values(slow.all()))
	produce(t, cluster, kafka.Record{Topic: topic, Value: []byte("more")})
	eventually(t, func() bool { return slow.count() == len(want)+1 && quickly.count() == len(want)+1 }, "both are at the end")
}

// sharedMembers: partitions move between processes, and each group's records are handled in each of them, none twice when
// members stop cleanly.
func sharedMembers(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 4)
	var a, b [2]collector
	one := share(t, cluster, quick(topic, topic), nil, a[0].handle, a[1].handle)
	eventually(t, func() bool { return len(one.consumers[1].Status().Partitions[topic]) == 4 }, "one has all")
	other := share(t, cluster, quick(topic, topic), nil, b[0].handle, b[1].handle)
	eventually(t, func() bool {
		return len(one.consumers[1].Status().Partitions[topic]) == 2 && len(other.consumers[0].Status().Partitions[topic]) == 2
	}, "both have half")
	for partition := range 4 {
		produce(t, cluster, numbered(topic, partition, 50)...)
	}
	for i := range 2 {
		eventually(t, func() bool { return a[i].count() == 100 && b[i].count() == 100 }, "each process handles its half")
	}
	one.stop()
	for partition := range 4 {
		produce(t, cluster, numbered(topic, partition, 10)...)
	}
	for i := range 2 {
		eventually(t, func() bool { return b[i].count() >= 140 }, "the rest is handled by the other")
		assert.Equal(t, 140, b[i].count())
	}
}
