package kafka

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"
	"pgregory.net/rapid"
)

// Each of these defaults of kafka-go has cost somebody records or seconds.
func TestWriterLeavesNoDangerousDefault(t *testing.T) {
	w := newWriter(Cluster{Brokers: []string{"127.0.0.1:1"}}.connect())
	assert.Equal(t, kafka.RequireAll, w.RequiredAcks, "the default acknowledges nothing")
	assert.Equal(t, partitioner{}, w.Balancer, "the default ignores keys")
	assert.Equal(t, 5*time.Millisecond, w.BatchTimeout, "the default keeps a record for a second")
	assert.LessOrEqual(t, w.BatchBytes, int64(1_048_588-10_000), "brokers refuse more")
	assert.LessOrEqual(t, time.Duration(w.MaxAttempts)*(w.WriteTimeout+w.WriteBackoffMax), deliveryTimeout)
	assert.False(t, w.AllowAutoTopicCreation)
	assert.False(t, w.Async)
}

func TestPartitionerKeepsKeysTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOf(rapid.Byte()).Draw(t, "key")
		partitions := make([]int, rapid.IntRange(1, 50).Draw(t, "partitions"))
		for i := range partitions {
			partitions[i] = i
		}
		given := rapid.IntRange(0, 99).Draw(t, "given")
		byKey := kafka.Message{Key: key, WriterData: chosen(ByKey)}
		first := partitioner{}.Balance(byKey, partitions...)
		assert.Contains(t, partitions, first)
		assert.Equal(t, first, partitioner{}.Balance(byKey, partitions...))
		assert.Equal(t, given, partitioner{}.Balance(kafka.Message{Key: key, WriterData: chosen(given)}, partitions...))
	})
}

// What is sent again after a failure is, in each lane, everything from the first failure on.
func TestUnwrittenKeepsOrder(t *testing.T) {
	refused := errors.New("refused")
	rapid.Check(t, func(t *rapid.T) {
		lanes := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 20).Draw(t, "lanes")
		failed := rapid.SliceOfN(rapid.Bool(), len(lanes), len(lanes)).Draw(t, "failed")
		messages := make([]kafka.Message, len(lanes))
		errs := make(kafka.WriteErrors, len(lanes))
		var want []int64
		broken := make(map[int]bool)
		for i, lane := range lanes {
			messages[i] = kafka.Message{Offset: int64(i), Partition: 0, WriterData: chosen(lane)}
			if failed[i] {
				errs[i], broken[lane] = refused, true
			}
			if broken[lane] {
				want = append(want, int64(i))
			}
		}
		again, err := unwritten(messages, errs)
		var got []int64
		for _, m := range again {
			got = append(got, m.Offset)
		}
		assert.Equal(t, want, got)
		assert.Equal(t, slices.Contains(failed, true), err != nil)
	})
}

func TestBackoffGrowsToItsMostAndStartsAnew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := backoff{first: 100 * time.Millisecond, most: 30 * time.Second}
		for n := range rapid.IntRange(1, 100).Draw(t, "waits") {
			ceiling := min(b.most, b.first<<min(n, 20))
			wait := b.next()
			assert.Positive(t, wait)
			assert.LessOrEqual(t, wait, ceiling)
		}
		b.reset()
		assert.LessOrEqual(t, b.next(), b.first)
	})
}

func TestTheCommitterKeepsWhatItCouldNotCommit(t *testing.T) {
	refuse := true
	var c *committer
	var committed []map[string]map[int]int64
	c = newCommitter(func(offsets map[string]map[int]int64) error {
		if refuse {
			c.mark("a", 0, 7) // newer than what is being refused
			return kafka.RebalanceInProgress
		}
		committed = append(committed, offsets)
		return nil
	}, zap.NewNop())
	c.mark("a", 0, 5)
	c.mark("a", 1, 3)
	c.flush()
	refuse = false
	c.flush()
	c.flush()
	assert.Equal(t, []map[string]map[int]int64{{"a": {0: 7, 1: 3}}}, committed)
}
