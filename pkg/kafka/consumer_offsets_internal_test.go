package kafka

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// model is a simple offset tracker that keeps every record.
type model struct {
	position int64
	finished map[int64]bool // of all records
}

func (m *model) unfinished() []int64 {
	var left []int64
	for _, offset := range slices.Sorted(maps.Keys(m.finished)) {
		if !m.finished[offset] {
			left = append(left, offset)
		}
	}
	return left
}

func (m *model) next() int64 {
	if left := m.unfinished(); len(left) > 0 {
		return left[0]
	}
	return m.position
}

// TestOffsetTracker compares the tracker with a model for random sequences of records, gaps and finished records: the offset to
// commit is that of the first unfinished record, and the ranges above it contain exactly the finished records.
func TestOffsetTracker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Int64Range(0, 1<<40).Draw(t, "start")
		tracked, m := &offsetTracker{}, &model{position: start, finished: map[int64]bool{}}
		tracked.reset(start)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				offset := m.position + rapid.SampledFrom([]int64{0, 0, 0, 1, 7}).Draw(t, "gap")
				tracked.add(offset)
				m.finished[offset], m.position = false, offset+1
			},
			"advance": func(t *rapid.T) {
				position := m.position + rapid.Int64Range(-2, 3).Draw(t, "by")
				tracked.advance(position)
				m.position = max(m.position, position)
			},
			"finish": func(t *rapid.T) {
				if len(m.finished) == 0 {
					t.Skip("no records")
				}
				offset := rapid.SampledFrom(slices.Sorted(maps.Keys(m.finished))).Draw(t, "offset") // perhaps twice
				tracked.finish(offset)
				m.finished[offset] = true
			},
			"finish an unknown record": func(t *rapid.T) { tracked.finish(m.position + rapid.Int64Range(0, 5).Draw(t, "ahead")) },
			"": func(t *rapid.T) {
				next, above := tracked.progress()
				assert.Equal(t, m.next(), next)
				assert.Equal(t, next, tracked.next())
				for offset, finished := range m.finished {
					assert.Equal(t, finished, offset < next || contains(above, offset), "offset %d, next %d, above %v", offset, next, above)
				}
				last := next
				for _, r := range above {
					assert.Less(t, last, r.First, "ranges are in order and do not touch")
					assert.Less(t, r.First, r.End)
					last = r.End
				}
				if metadata := encodeFinished(next, above); len(metadata) < maxMetadataBytes-20 {
					assert.Equal(t, above, decodeFinished(metadata, next))
				}
			},
		})
	})
}

// TestFinishedMetadata: metadata is decoded as encoded, and that of others is ignored.
func TestFinishedMetadata(t *testing.T) {
	assert.Equal(t, "finished 3-5,8-12", encodeFinished(100, []OffsetRange{{First: 103, End: 105}, {First: 108, End: 112}}))
	assert.Empty(t, encodeFinished(100, nil))
	assert.Equal(t, []OffsetRange{{First: 103, End: 105}, {First: 108, End: 112}}, decodeFinished("finished 3-5,8-12", 100))
	for _, others := range []string{
		"", "finished", "finished ", "finished 3", "finished 3-", "finished -5", "finished 5-5", "finished 5-3", "finished a-b", "finished 3-5,",
		"finished 3-5;8-12", "finished 3-9223372036854775807", "finished 99999999999999999999-5", "transaction 1/2/3", "3-5", "Finished 3-5",
	} {
		assert.Nil(t, decodeFinished(others, 100), others)
	}
}

func FuzzDecodeFinished(f *testing.F) {
	f.Add("finished 3-5,8-12", int64(100))
	f.Fuzz(func(t *testing.T, metadata string, next int64) {
		if next < 0 {
			return
		}
		for _, r := range decodeFinished(metadata, next) {
			if r.First < next || r.End <= r.First {
				t.Errorf("%q: %v is finished above %d", metadata, r, next)
			}
		}
	})
}

// TestFinishedMetadataOverflow: if not all ranges fit, the last are left out.
func TestFinishedMetadataOverflow(t *testing.T) {
	var above []OffsetRange
	for i := range int64(2000) {
		above = append(above, OffsetRange{First: 2*i + 1, End: 2*i + 2})
	}
	metadata := encodeFinished(0, above)
	assert.LessOrEqual(t, len(metadata), maxMetadataBytes)
	got := decodeFinished(metadata, 0)
	assert.Greater(t, len(got), 350)
	assert.Equal(t, above[:len(got)], got)
}

// TestTrackableRecordsFit: whichever records of its batches a handler finishes, all ranges fit into the metadata.
func TestTrackableRecordsFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Int64Range(0, 1<<50).Draw(t, "first")
		p := &assignedPartition{tracker: &offsetTracker{}}
		p.tracker.reset(first)
		offset := first
		finish := rapid.SampledFrom([]func(i int) bool{
			func(i int) bool { return i%2 == 1 },
			func(i int) bool { return i > 0 },
			func(i int) bool { return i%3 > 0 },
			func(i int) bool { return rapid.Bool().Draw(t, "finish") },
		})
		for range rapid.IntRange(1, 20).Draw(t, "batches") {
			for len(p.pending) < 2000 {
				offset += rapid.SampledFrom([]int64{1, 1, 1, 1, 1000}).Draw(t, "gap")
				p.tracker.add(offset)
				p.pending = append(p.pending, Record{Offset: offset})
			}
			batch := p.trackable(p.batch(rapid.IntRange(1, 1500).Draw(t, "maxRecords")))
			assert.NotEmpty(t, batch)
			marks, finishes := make([]bool, len(batch)), finish.Draw(t, "pattern")
			for i := range marks {
				marks[i] = finishes(i)
			}
			p.finish(marks)
			next, above := p.tracker.progress()
			assert.Equal(t, above, decodeFinished(encodeFinished(next, above), next))
		}
	})
}
