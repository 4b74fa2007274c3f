package kafka

import (
	"slices"
	"sort"
	"sync"
)

// offsetTracker tracks which records of a partition are finished: all before next, and some above it. Offsets come in order
// and may have gaps: records removed by compaction, transaction markers, aborted records.
type offsetTracker struct {
	mutex    sync.Mutex
	window   []trackedOffset // from the first unfinished record on
	position int64           // behind the last record
}

type trackedOffset struct {
	offset   int64
	finished bool
}

// reset starts again at a position.
func (t *offsetTracker) reset(position int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.window, t.position = nil, position
}

// add adds an unfinished record.
func (t *offsetTracker) add(offset int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.window = append(t.window, trackedOffset{offset: offset})
	t.position = offset + 1
}

// advance moves the position over a gap.
func (t *offsetTracker) advance(position int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.position = max(t.position, position)
}

// finish marks a record as finished.
func (t *offsetTracker) finish(offset int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	i := sort.Search(len(t.window), func(i int) bool { return t.window[i].offset >= offset })
	if i == len(t.window) || t.window[i].offset != offset {
		return // already before next
	}
	t.window[i].finished = true
	done := 0
	for done < len(t.window) && t.window[done].finished {
		done++
	}
	t.window = t.window[done:]
}

// end returns the offset behind the last record.
func (t *offsetTracker) end() int64 {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.position
}

// next returns the offset to commit.
func (t *offsetTracker) next() int64 {
	next, _ := t.progress()
	return next
}

// progress returns the offset to commit and the finished records above it.
func (t *offsetTracker) progress() (next int64, above []OffsetRange) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if len(t.window) == 0 {
		return t.position, nil
	}
	for i := 0; i < len(t.window); i++ {
		if !t.window[i].finished {
			continue
		}
		first := t.window[i].offset
		for i+1 < len(t.window) && t.window[i+1].finished {
			i++
		}
		above = append(above, OffsetRange{First: first, End: t.window[i].offset + 1})
	}
	return t.window[0].offset, above
}

func contains(ranges []OffsetRange, offset int64) bool {
	return slices.ContainsFunc(ranges, func(r OffsetRange) bool { return r.First <= offset && offset < r.End })
}
