package kafka

import (
	"context"
	"time"
)

// Transform is a Handler that returns outputs. Outputs and the offset behind the finished records are committed in one
// transaction. If it is aborted the same records are delivered again, so a Transform must have no other effect than its result.
// An error means the same as for a Handler.
type Transform func(ctx context.Context, records []Record) (TransformResult, error)

// TransformResult is the result of a Transform or a Punctuate.
type TransformResult struct {
	// Finished is how many records are finished, counted from the first. Punctuate does not use it.
	Finished int
	// Outputs are written in this order in each partition.
	Outputs []Record
	// OnEnd, if set, is called with nil when the transaction is committed, or with an error when it is aborted, before the next
	// records are delivered. If the partition is lost before the outcome is known it is not called, but Release is.
	OnEnd func(error)
	// PunctuateSoon calls Punctuate soon, before PunctuateEvery has passed, because it has more to do. Records are handled
	// meanwhile.
	PunctuateSoon bool
}

func (t TransformResult) end(err error) {
	if t.OnEnd != nil {
		t.OnEnd(err)
	}
}

// Transactions configures a consumer's transactions.
type Transactions struct {
	Transform Transform
	// Outputs names the topics that Transform and Punctuate write. A transaction of an earlier owner that a broker has not ended there
	// is ended before TakeOver is called.
	Outputs []string
	// TakeOver, if set, is called when the consumer takes over a partition number, to restore its state. The previous owner is
	// fenced by then, and its open transaction is committed or aborted. Records are delivered after it has returned nil; after
	// an error everything is retried. It is called again when another owner is possible meanwhile, even between a Transform
	// and its OnEnd, and after a Transform or Punctuate has returned ErrTakeOver.
	TakeOver func(ctx context.Context, partition int) error
	// Release, if set, is called when the partition number is revoked or lost: once, after everything else, even if TakeOver
	// has failed.
	Release func(partition int)
	// Punctuate, if set, is called for each partition number every PunctuateEvery, for outputs that are due by time. Without
	// PunctuateEvery it is never called.
	Punctuate      func(ctx context.Context, partition int) (TransformResult, error)
	PunctuateEvery time.Duration
	// Compression compresses batches of outputs above a kilobyte.
	Compression Compression
}
