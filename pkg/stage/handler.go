package stage

import (
	"context"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Handler handles a batch of one partition's records, in order. It returns results for the first records. A result without an
// outcome, and all records without a result, must be handled again; the error says why. A record may be delivered more than
// once.
type Handler func(ctx context.Context, records []kafka.Record) ([]Result, error)

// Transactor handles records in transactions.
type Transactor interface {
	// TakeOver restores the state of a partition, before any of its records is handled.
	TakeOver(ctx context.Context, partition int) error
	// Release drops the state: another process owns the partition.
	Release(partition int)
	// Begin starts a transaction. A transaction that is never ended has no effect.
	Begin(partition int) Transaction
	// Punctuate does the work of a partition that is due by time, without records. If it returns an error, nothing is changed.
	Punctuate(ctx context.Context, partition int) (Punctuated, error)
}

// Transaction is one transaction on a partition: its records and their changes of state.
type Transaction interface {
	// Handle is a Handler.
	Handle(ctx context.Context, records []kafka.Record) ([]Result, error)
	// Outputs returns the changelog records, besides the outputs of the results.
	Outputs() ([]kafka.Record, error)
	// PunctuateSoon reports whether Punctuate has more to do.
	PunctuateSoon() bool
	// Ended applies the changes if the transaction was committed, else drops them.
	Ended(committed bool)
}

// Punctuated is the result of Punctuate.
type Punctuated struct {
	Transaction Transaction
	// Replayed holds the parked records that were processed.
	Replayed []Replayed
	// Stalled is the error of the part that failed; the rest takes effect. Nil if nothing failed.
	Stalled error
}
