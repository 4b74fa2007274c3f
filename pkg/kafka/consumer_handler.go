package kafka

import "context"

// Handler processes records of one partition, in the order of their offsets and at least one, and returns which of them are
// finished: their offsets may be committed, and they are not delivered again. After an error the other records are delivered
// again, after a backoff that grows from 100 ms to 30 s while nothing is finished, or after the time of a RetryAfterError.
// Finishing none without an error counts as an error.
//
// Handlers of different partitions run concurrently, the batches of one partition one after the other. ctx ends when the
// partition is revoked: return soon with what is finished. A panic is not recovered. Keys, values and headers share the memory
// of a fetch response: copy what is kept for long.
type Handler func(ctx context.Context, records []Record) (Finished, error)

// Finished is the part of a batch that a handler has finished.
type Finished struct {
	// First is how many records are finished, counted from the first.
	First int
	// Others are the indexes of finished records beyond those.
	Others []int
}

// Count returns the number of finished records.
func (f Finished) Count() int { return f.First + len(f.Others) }

// marks returns for each record of a batch whether it is finished. ok is false if f does not fit the batch.
func (f Finished) marks(records int) (marks []bool, ok bool) {
	if f.First < 0 || f.First > records {
		return nil, false
	}
	marks = make([]bool, records)
	for i := range f.First {
		marks[i] = true
	}
	for _, i := range f.Others {
		if i < f.First || i >= records {
			return nil, false
		}
		marks[i] = true
	}
	return marks, true
}
