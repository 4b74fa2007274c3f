package pipeline

import (
	"context"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Outcome is what became of a record.
type Outcome string

// The outcomes, a label of rechargeflow_records_total. A record that has none
// yet is waiting.
const (
	OutcomeAccepted   Outcome = "accepted"   // gateway: stored, answered 200
	OutcomeRefused    Outcome = "refused"    // gateway: nothing stored
	OutcomeDone       Outcome = "done"       // it had its effect
	OutcomeSkipped    Outcome = "skipped"    // it needs none, for a reason
	OutcomeWaiting    Outcome = "waiting"    // put aside until its customer is known; counted again with what became of it
	OutcomeRejected   Outcome = "rejected"   // it never can have one: dead letter
	outcomePassedOver Outcome = "passedover" // another group's record: not counted
)

// Fate is what becomes of one record. Every record has exactly one.
type Fate struct {
	Outcome Outcome
	Reason  Reason
	Err     error
}

// Done says that the record had its effect.
func Done() Fate { return Fate{Outcome: OutcomeDone} }

// Skip says that the record needs no effect.
func Skip(why Reason) Fate { return Fate{Outcome: OutcomeSkipped, Reason: why} }

// Reject says that the record can never have its effect; it becomes a dead letter.
func Reject(why Reason, err error) Fate {
	return Fate{Outcome: OutcomeRejected, Reason: why, Err: err}
}

// passOver says that the record is another group's.
func passOver() Fate { return Fate{Outcome: outcomePassedOver} }

// Result is a record's fate and what is to be written before it is settled.
type Result struct {
	Fate    Fate
	Outputs []kafka.Record
	// Released are records that were put aside, and what became of them now.
	Released []Settled
}

// Settled is a record and its result.
type Settled struct {
	Record kafka.Record
	Result Result
}

// unsettled says that the record has to come again.
func (r Result) unsettled() bool { return r.Fate.Outcome == "" }

// Handler works on a batch of one partition's records, in order. It returns a
// result for each of the leading records, empty for one that it could not settle; an
// error says why that one and those without a result must be tried again. It may be
// given a record more than once.
type Handler interface {
	Handle(ctx context.Context, records []kafka.Record) ([]Result, error)
}

// Transactor works in transactions.
type Transactor interface {
	// TakeOver is called when a partition is this process's alone, before any of its records comes.
	TakeOver(ctx context.Context, partition int) error
	Begin(partition int) Work
	// Sweep is what time brings about, without a record to be handled. After an error nothing of it counts.
	Sweep(ctx context.Context, partition int) (Swept, error)
	// Release is called when the partition is another process's.
	Release(partition int)
}

// Swept is what came of a sweep.
type Swept struct {
	Changes
	// Released is what became of records that were put aside.
	Released []Settled
	// Stuck says what could not be done, though the rest counts; nil for nothing.
	Stuck error
}

// Work is one transaction's work on a partition. It may be begun and never ended: then nothing of it counts.
type Work interface {
	Handler
	Changes
}

// Changes are what a transaction changes, beside what comes of its records.
type Changes interface {
	// Outputs are written beside those of the results.
	Outputs() ([]kafka.Record, error)
	// Again says that Sweep has more to do, soon.
	Again() bool
	// Ended is told whether all of it was committed.
	Ended(committed bool)
}
