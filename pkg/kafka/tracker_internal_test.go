package kafka

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// model is a tracker without wits: it remembers every record for ever.
type model struct {
	position int64
	finished map[int64]bool // of what was handed out
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

// TestTrackerAgainstAModel: whatever is delivered, finished and passed over in whatever order, the offset to commit is
// behind all that is finished and before all that is not, and the ranges above have what is finished and nothing else.
func TestTrackerAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Int64Range(0, 1<<40).Draw(t, "start")
		tracked, m := &tracker{}, &model{position: start, finished: map[int64]bool{}}
		tracked.restart(start)
		t.Repeat(map[string]func(*rapid.T){
			"deliver": func(t *rapid.T) {
				offset := m.position + rapid.SampledFrom([]int64{0, 0, 0, 1, 7}).Draw(t, "gap")
				tracked.deliver(offset)
				m.finished[offset], m.position = false, offset+1
			},
			"advance": func(t *rapid.T) {
				position := m.position + rapid.Int64Range(-2, 3).Draw(t, "by")
				tracked.advance(position)
				m.position = max(m.position, position)
			},
			"finish": func(t *rapid.T) {
				if len(m.finished) == 0 {
					t.Skip("nothing was handed out")
				}
				offset := rapid.SampledFrom(slices.Sorted(maps.Keys(m.finished))).Draw(t, "offset") // twice, perhaps
				tracked.finish(offset)
				m.finished[offset] = true
			},
			"finish what never came": func(t *rapid.T) { tracked.finish(m.position + rapid.Int64Range(0, 5).Draw(t, "ahead")) },
			"": func(t *rapid.T) {
				next, above := tracked.progress()
				assert.Equal(t, m.next(), next)
				assert.Equal(t, next, tracked.next())
				for offset, finished := range m.finished {
					assert.Equal(t, finished, offset < next || contains(above, offset), "offset %d, next %d, above %v", offset, next, above)
				}
				last := next
				for _, r := range above {
					assert.Less(t, last, r.from, "ranges are in order and apart")
					assert.Less(t, r.from, r.to)
					last = r.to
				}
				if metadata := metadataOf(next, above); len(metadata) < maxMetadata-20 {
					assert.Equal(t, above, finishedIn(metadata, next))
				}
			},
		})
	})
}

func TestMetadataIsReadAsWritten(t *testing.T) {
	assert.Equal(t, "finished 3-5,8-12", metadataOf(100, []offsetRange{{103, 105}, {108, 112}}))
	assert.Empty(t, metadataOf(100, nil))
	assert.Equal(t, []offsetRange{{103, 105}, {108, 112}}, finishedIn("finished 3-5,8-12", 100))
	for _, others := range []string{
		"", "finished", "finished ", "finished 3", "finished 3-", "finished -5", "finished 5-5", "finished 5-3", "finished a-b", "finished 3-5,",
		"finished 3-5;8-12", "finished 3-9223372036854775807", "finished 99999999999999999999-5", "transaction 1/2/3", "3-5", "Finished 3-5",
	} {
		assert.Nil(t, finishedIn(others, 100), others)
	}
}

func FuzzFinishedIn(f *testing.F) {
	f.Add("finished 3-5,8-12", int64(100))
	f.Fuzz(func(t *testing.T, metadata string, next int64) {
		if next < 0 {
			return
		}
		for _, r := range finishedIn(metadata, next) {
			if r.from < next || r.to <= r.from {
				t.Errorf("%q says that %v is finished above %d", metadata, r, next)
			}
		}
	})
}

// Where they don't fit after all, what is left out is the last, and nothing is said that is not so.
func TestMetadataThatDoNotFit(t *testing.T) {
	var above []offsetRange
	for i := range int64(2000) {
		above = append(above, offsetRange{from: 2*i + 1, to: 2*i + 2})
	}
	metadata := metadataOf(0, above)
	assert.LessOrEqual(t, len(metadata), maxMetadata)
	got := finishedIn(metadata, 0)
	assert.Greater(t, len(got), 350)
	assert.Equal(t, above[:len(got)], got)
}

// TestRangesAlwaysFit: a handler may finish any of what it gets, again and again, and the first ones last. All that it
// finished can be written beside the offset.
func TestRangesAlwaysFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Int64Range(0, 1<<50).Draw(t, "first")
		s := &source{tracker: &tracker{}}
		s.tracker.restart(first)
		offset := first
		finish := rapid.SampledFrom([]func(i int) bool{
			func(i int) bool { return i%2 == 1 },
			func(i int) bool { return i > 0 },
			func(i int) bool { return i%3 > 0 },
			func(i int) bool { return rapid.Bool().Draw(t, "finish") },
		})
		for range rapid.IntRange(1, 20).Draw(t, "batches") {
			for len(s.pending) < 2000 {
				offset += rapid.SampledFrom([]int64{1, 1, 1, 1, 1000}).Draw(t, "gap")
				s.tracker.deliver(offset)
				s.pending = append(s.pending, Record{Offset: offset})
			}
			batch := s.trackable(s.batch(rapid.IntRange(1, 1500).Draw(t, "most")))
			assert.NotEmpty(t, batch)
			marks, finishes := make([]bool, len(batch)), finish.Draw(t, "pattern")
			for i := range marks {
				marks[i] = finishes(i)
			}
			s.settle(marks)
			next, above := s.tracker.progress()
			assert.Equal(t, above, finishedIn(metadataOf(next, above), next))
		}
	})
}
