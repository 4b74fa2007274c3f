package stage

import (
	"errors"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// Kind is the kind of an outcome, a label of rechargeflow_records_total.
type Kind string

// The kinds of outcomes. A record without one is handled again.
const (
	KindAccepted   Kind = "accepted"   // gateway: stored, answered 200
	KindRefused    Kind = "refused"    // gateway: nothing stored
	KindDone       Kind = "done"       // it had its effect
	KindSkipped    Kind = "skipped"    // it needs no effect, for a reason
	KindParked     Kind = "parked"     // parked until its customer is known; counted again when it is replayed
	KindRejected   Kind = "rejected"   // it can never have an effect: dead letter
	kindPassedOver Kind = "passedover" // another group's record: not counted
)

// Outcome is the result of handling one record. Every record has exactly one.
type Outcome struct {
	Kind   Kind
	Reason reason.Reason
	Err    error
}

// Done returns the outcome of a record that was processed.
func Done() Outcome { return Outcome{Kind: KindDone} }

// DoneBut returns the outcome of a record that was processed, without an effect that others have, for a reason; "" for none.
func DoneBut(why reason.Reason) Outcome { return Outcome{Kind: KindDone, Reason: why} }

// Skip returns the outcome of a record without an effect.
func Skip(why reason.Reason) Outcome { return Outcome{Kind: KindSkipped, Reason: why} }

// Park returns the outcome of a parked record.
func Park(why reason.Reason) Outcome { return Outcome{Kind: KindParked, Reason: why} }

// Reject returns the outcome of a record that can never be processed; it becomes a dead letter.
func Reject(why reason.Reason, err error) Outcome {
	return Outcome{Kind: KindRejected, Reason: why, Err: err}
}

// PassOver returns the outcome of a record of another group.
func PassOver() Outcome { return Outcome{Kind: kindPassedOver} }

var errPanicked = errors.New("handler panicked, see the log for the stack")

// Panicked returns the outcome of a record whose handler panicked.
func Panicked() Outcome { return Reject(reason.Panic, errPanicked) }

// Result is a record's outcome, with the records to write before it is finished.
type Result struct {
	Outcome Outcome
	Outputs []kafka.Record
	// Replayed holds the parked records that were processed after this one.
	Replayed []Replayed
}

// Rejected returns the result of a record that can never be processed.
func Rejected(why reason.Reason, err error) Result { return Result{Outcome: Reject(why, err)} }

// open reports whether the record must be handled again.
func (r Result) open() bool { return r.Outcome.Kind == "" }

// Replayed is a parked record and its result.
type Replayed struct {
	Record kafka.Record
	Result Result
}
