package kafka

import (
	"slices"
	"sort"
	"sync"
)

// tracker knows which records of a partition are finished. All before next are; above it, those in ranges. Offsets come
// in order and may have gaps: of what compaction removed, of transaction markers, of aborted records.
type tracker struct {
	mutex    sync.Mutex
	window   []tracked // from the first unfinished record on
	position int64     // behind everything handed out
}

type tracked struct {
	offset   int64
	finished bool
}

// offsetRange is the records from an offset to before another.
type offsetRange struct{ from, to int64 }

// restart begins anew at a position.
func (t *tracker) restart(position int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.window, t.position = nil, position
}

// deliver says that a record is handed out.
func (t *tracker) deliver(offset int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.window = append(t.window, tracked{offset: offset})
	t.position = offset + 1
}

// advance says that there is nothing to be handed out before position.
func (t *tracker) advance(position int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.position = max(t.position, position)
}

// finish says that a record that was handed out is finished.
func (t *tracker) finish(offset int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	i := sort.Search(len(t.window), func(i int) bool { return t.window[i].offset >= offset })
	if i == len(t.window) || t.window[i].offset != offset {
		return // it is before next already
	}
	t.window[i].finished = true
	done := 0
	for done < len(t.window) && t.window[done].finished {
		done++
	}
	t.window = t.window[done:]
}

// next is the offset to commit.
func (t *tracker) next() int64 {
	next, _ := t.progress()
	return next
}

// progress returns the offset to commit and what is finished above it.
func (t *tracker) progress() (next int64, above []offsetRange) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if len(t.window) == 0 {
		return t.position, nil
	}
	for i := 0; i < len(t.window); i++ {
		if !t.window[i].finished {
			continue
		}
		from := t.window[i].offset
		for i+1 < len(t.window) && t.window[i+1].finished {
			i++
		}
		above = append(above, offsetRange{from: from, to: t.window[i].offset + 1})
	}
	return t.window[0].offset, above
}

func contains(ranges []offsetRange, offset int64) bool {
	return slices.ContainsFunc(ranges, func(r offsetRange) bool { return r.from <= offset && offset < r.to })
}
