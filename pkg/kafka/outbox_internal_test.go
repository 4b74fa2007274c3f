package kafka

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// Sequences go on at 0 behind 2^31-1 (DefaultRecordBatch.incrementSequence of Kafka).
func TestSequencesWrap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sequence := rapid.OneOf(rapid.Int32Range(0, math.MaxInt32), rapid.Int32Range(math.MaxInt32-5, math.MaxInt32)).Draw(t, "sequence")
		count := rapid.IntRange(1, 20_000).Draw(t, "records")
		o := outbox{sequence: sequence, sealed: &sealed{parcels: make([]parcel, count)}}
		o.written()
		want := int64(sequence) + int64(count)
		if want > math.MaxInt32 {
			want -= math.MaxInt32 + 1
		}
		assert.Equal(t, want, int64(o.sequence))
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

// The partition of a key is always the same, and one that there is.
func TestKeysStayTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOf(rapid.Byte()).Draw(t, "key")
		count := rapid.IntRange(1, 50).Draw(t, "partitions")
		numbers := upTo(count, nil)
		first := partitionOf(key, numbers)
		assert.True(t, first >= 0 && int(first) < count)
		assert.Equal(t, first, partitionOf(key, numbers))
		assert.Less(t, partitionOf(nil, numbers), int32(count))
	})
}

// A transaction's rounds have a batch of each partition at most, within the limit, and keep the order of each.
func TestRounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(100, 5000).Draw(t, "most")
		var at []wire.Partition
		var records []Record
		for i := range rapid.IntRange(0, 60).Draw(t, "records") {
			at = append(at, wire.Partition{Topic: "t", ID: rapid.Int32Range(0, 4).Draw(t, "partition")})
			records = append(records, Record{Offset: int64(i), Value: make([]byte, rapid.IntRange(0, 2000).Draw(t, "size"))})
		}
		got := make(map[wire.Partition][]int64)
		for _, round := range rounds(at, records, most) {
			seen := make(map[wire.Partition]bool)
			for _, l := range round {
				assert.False(t, seen[l.Partition], "one batch of each partition")
				seen[l.Partition] = true
				assert.True(t, l.size <= most || len(l.indexes) == 1)
				for _, i := range l.indexes {
					got[l.Partition] = append(got[l.Partition], records[i].Offset)
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
