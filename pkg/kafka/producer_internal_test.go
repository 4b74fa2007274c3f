package kafka

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// TestSequencesWrap: sequences wrap to 0 after 2^31-1 (DefaultRecordBatch.incrementSequence of Kafka).
func TestSequencesWrap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sequence := rapid.OneOf(rapid.Int32Range(0, math.MaxInt32), rapid.Int32Range(math.MaxInt32-5, math.MaxInt32)).Draw(t, "sequence")
		count := rapid.IntRange(1, 20_000).Draw(t, "records")
		q := partitionQueue{sequence: sequence, inFlight: &inFlightBatch{records: make([]pendingRecord, count)}}
		q.succeed()
		want := int64(sequence) + int64(count)
		if want > math.MaxInt32 {
			want -= math.MaxInt32 + 1
		}
		assert.Equal(t, want, int64(q.sequence))
	})
}

// TestPartitionOfKey: a key always has the same partition, and one that exists.
func TestPartitionOfKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOf(rapid.Byte()).Draw(t, "key")
		count := rapid.IntRange(1, 50).Draw(t, "partitions")
		numbers := numbersBelow(count, nil)
		first := partitionOf(key, numbers)
		assert.True(t, first >= 0 && int(first) < count)
		assert.Equal(t, first, partitionOf(key, numbers))
		assert.Less(t, partitionOf(nil, numbers), int32(count))
	})
}

// TestRounds: a round has at most one batch of each partition, within the limit, and batches keep the order of records.
func TestRounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		maxBytes := rapid.IntRange(100, 5000).Draw(t, "maxBytes")
		var at []wire.Partition
		var records []Record
		for i := range rapid.IntRange(0, 60).Draw(t, "records") {
			at = append(at, wire.Partition{Topic: "t", ID: rapid.Int32Range(0, 4).Draw(t, "partition")})
			records = append(records, Record{Offset: int64(i), Value: make([]byte, rapid.IntRange(0, 2000).Draw(t, "size"))})
		}
		got := make(map[wire.Partition][]int64)
		for _, round := range rounds(at, records, maxBytes) {
			seen := make(map[wire.Partition]bool)
			for _, b := range round {
				assert.False(t, seen[b.Partition], "one batch of each partition")
				seen[b.Partition] = true
				assert.True(t, b.size <= maxBytes || len(b.indexes) == 1)
				for _, i := range b.indexes {
					got[b.Partition] = append(got[b.Partition], records[i].Offset)
				}
			}
		}
		want := make(map[wire.Partition][]int64)
		for i, r := range records {
			want[at[i]] = append(want[at[i]], r.Offset)
		}
		assert.Equal(t, want, got)
	})
}
