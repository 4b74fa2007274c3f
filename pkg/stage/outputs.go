package stage

import (
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// writes returns outputs and dead letters in the order of their records.
func (s *Stage) writes(b batch) []kafka.Record {
	var writes []kafka.Record
	for i, result := range b.results {
		writes = append(writes, s.writesOf(b.records[i], result)...)
		writes = append(writes, s.writesOfReplayed(result.Replayed)...) // which were decided on after it
	}
	return writes
}

func (s *Stage) writesOfReplayed(replayed []Replayed) (writes []kafka.Record) {
	for _, r := range replayed {
		writes = append(writes, s.writesOf(r.Record, r.Result)...)
	}
	return writes
}

func (s *Stage) writesOf(r kafka.Record, result Result) []kafka.Record {
	if result.Outcome.Kind != KindRejected {
		return result.Outputs
	}
	return append(slices.Clip(result.Outputs), s.deadLetter(r, result.Outcome))
}

// deadLetter returns r as originally received, with the reason of this rejection.
func (s *Stage) deadLetter(r kafka.Record, outcome Outcome) kafka.Record {
	cause := string(outcome.Reason)
	if outcome.Err != nil {
		cause = outcome.Err.Error()
	}
	return deadletter.Read(r).Rejected(s.Role, string(outcome.Reason), cause, s.Run.Now()).To(s.DeadLetters)
}
