package kafka

import "context"

// Handler gets records of one partition in the order of their offsets, never none, and tells which of them it is finished
// with: their offsets may be committed, and they don't come again. An error means: again, with the rest, after a pause
// that grows from 100 ms to 30 s while nothing is finished, and is as long as a PauseError asks for. Finishing none
// without an error counts as an error.
//
// Different partitions are handled at the same time, the batches of one strictly one after the other. When ctx ends the
// partition is about to be someone else's: return soon, with what is done. A panic is not recovered. Keys, values and
// headers share the memory of what was fetched: who keeps one for long should copy it.
type Handler func(ctx context.Context, records []Record) (Finished, error)

// Finished says which records of a batch a handler is through with: the first ones, and perhaps some beyond.
type Finished struct {
	first  int
	beyond []int
}

// First says that the first n records are finished.
func First(n int) Finished { return Finished{first: n} }

// And adds a record by its index.
func (f Finished) And(index int) Finished {
	f.beyond = append(f.beyond, index)
	return f
}

// Count is how many there are.
func (f Finished) Count() int { return f.first + len(f.beyond) }

// Left returns the records of the batch that are not finished.
func (f Finished) Left(records []Record) []Record {
	marks, _ := f.marks(len(records))
	var left []Record
	for i, r := range records {
		if i >= len(marks) || !marks[i] {
			left = append(left, r)
		}
	}
	return left
}

// marks has a mark for each record of a batch; ok is false when they are not that batch's.
func (f Finished) marks(records int) (marks []bool, ok bool) {
	if f.first < 0 || f.first > records {
		return nil, false
	}
	marks = make([]bool, records)
	for i := range f.first {
		marks[i] = true
	}
	for _, i := range f.beyond {
		if i < f.first || i >= records {
			return nil, false
		}
		marks[i] = true
	}
	return marks, true
}
