package kafka_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// turns counts for each partition the requests in a row without records for it.
type turns struct {
	mutex   sync.Mutex
	offsets map[string]int64
	waited  map[string]int
	longest int
}

// note counts a request for partitions that end at end.
func (t *turns) note(request *kmsg.FetchRequest, end int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for _, topic := range request.Topics {
		for _, asked := range topic.Partitions {
			at := fmt.Sprintf("%s/%d", topic.Topic, asked.Partition)
			if asked.FetchOffset != t.offsets[at] || asked.Partition == emptyPartition || asked.FetchOffset == end {
				t.waited[at] = 0
			}
			t.offsets[at] = asked.FetchOffset
			t.waited[at]++
			t.longest = max(t.longest, t.waited[at])
		}
	}
}

const emptyPartition = 0

// TestNoPartitionStarves: responses have space for one or two partitions, and yet all partitions are served, also those of the
// second topic, however many records the first ones have.
func TestNoPartitionStarves(t *testing.T) {
	const partitions, each = 8, 20
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, "a", "b"))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	cluster := kafka.Cluster{Brokers: fake.ListenAddrs()}
	seen := &turns{offsets: map[string]int64{}, waited: map[string]int{}}
	filler := strings.Repeat("x", 10_000)
	var records []kafka.Record
	for p := emptyPartition + 1; p < partitions; p++ {
		for _, topic := range []string{"a", "b"} {
			records = append(records, kafka.Record{Topic: topic, Partition: p, Value: []byte(filler)})
		}
	}
	for range each { // one batch each
		produce(t, cluster, records...)
	}
	fake.ControlKey(int16(kmsg.Fetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		fetch, ok := request.(*kmsg.FetchRequest)
		if !assert.True(t, ok) {
			return nil, nil, false
		}
		fetch.MaxBytes = 25_000
		seen.note(fetch, each)
		return nil, nil, false
	})
	core, logs := observer.New(zap.WarnLevel)
	var handled collector
	run(t, cluster, quick("g", "a", "b"), zap.New(core), handled.handle)
	eventually(t, func() bool { return handled.count() == 2*(partitions-1)*each }, "records handled")
	seen.mutex.Lock()
	defer seen.mutex.Unlock()
	assert.LessOrEqual(t, seen.longest, 4*partitions, "once for each that was there before, and once for each that came later")
	assert.Empty(t, logs.FilterMessageSnippet("fetch records").All())
}
