package pipeline

import (
	"fmt"
	"slices"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// maxOutput is below what Kafka takes, so that an output still fits when it becomes
// a dead letter, with what headers are added then.
const maxOutput = kafka.MaxRecordBytes - 16<<10

// rejectOversize keeps an output that no broker would take from holding up its
// partition for ever.
func rejectOversize(results []Result) {
	for i, result := range results {
		for _, o := range result.Outputs {
			if err := fits(o); err != nil {
				results[i] = rejected(ReasonTooLarge, err)
				break
			}
		}
	}
}

func fits(output kafka.Record) error {
	if size := output.Size(); size > maxOutput {
		return fmt.Errorf("an output for %s has %d bytes, at most %d fit", output.Topic, size, maxOutput)
	}
	return nil
}

// writes lists outputs and dead letters in the order of their records.
func (s *Stage) writes(b decided) []kafka.Record {
	var writes []kafka.Record
	for i, result := range b.results {
		writes = append(writes, s.writesOf(b.records[i], result)...)
		writes = append(writes, s.writesOfReleased(result.Released)...) // which were decided on after it
	}
	return writes
}

func (s *Stage) writesOfReleased(released []Settled) (writes []kafka.Record) {
	for _, r := range released {
		writes = append(writes, s.writesOf(r.Record, r.Result)...)
	}
	return writes
}

func (s *Stage) writesOf(r kafka.Record, result Result) []kafka.Record {
	if result.Fate.Outcome != OutcomeRejected {
		return result.Outputs
	}
	return append(slices.Clip(result.Outputs), s.deadLetter(r, result.Fate))
}

// deadLetter is r as it was at first, and why it was rejected now.
func (s *Stage) deadLetter(r kafka.Record, fate Fate) kafka.Record {
	cause := string(fate.Reason)
	if fate.Err != nil {
		cause = fate.Err.Error()
	}
	return deadletter.Read(r).Rejected(string(s.Role), string(fate.Reason), cause, s.run.Now()).To(s.run.Topics.DeadLetters(s.Role))
}

// settleAll settles each record that has a fate.
func (s *Stage) settleAll(b decided) kafka.Finished {
	leading := b.leading()
	finished := kafka.First(leading)
	for i, result := range b.results {
		if result.unsettled() {
			continue
		}
		if i > leading {
			finished = finished.And(i)
		}
		s.settle(b.originals[i], result, b.records[i].Topic != b.originals[i].Topic)
		s.settleReleased(result.Released)
	}
	return finished
}

func (s *Stage) settleReleased(released []Settled) {
	for _, r := range released {
		_, redriven := deadletter.RedriveOf(r.Record)
		s.settle(r.Record, r.Result, redriven)
	}
}

// settle counts a record and writes its line.
func (s *Stage) settle(r kafka.Record, result Result, redriven bool) {
	fate, store := result.Fate, r.Header(HeaderStore)
	if fate.Outcome == outcomePassedOver {
		return
	}
	s.run.Metrics.Record(string(s.Role), store, string(fate.Outcome), string(fate.Reason))
	if at, err := receivedAt(r); err == nil && s.Sink && fate.Outcome == OutcomeDone {
		s.run.Metrics.EndToEnd(string(s.Role), store, s.run.Now().Sub(at))
	}
	fields := append(s.fields(r),
		zap.String("outcome", string(fate.Outcome)), zap.String("reason", string(fate.Reason)), zap.Int("outputs", s.forSinks(result.Outputs)),
		zap.Bool("redriven", redriven))
	if fate.Err != nil {
		fields = append(fields, zap.Error(fate.Err))
	}
	if fate.Outcome == OutcomeRejected || fate.Reason == ReasonTopicUnknown {
		s.run.Log.Warn("record settled", fields...)
		return
	}
	s.run.Log.Info("record settled", fields...)
}

// forSinks is how many outputs have a fate of their own yet to come.
func (s *Stage) forSinks(outputs []kafka.Record) int {
	n := 0
	for _, o := range outputs {
		if o.Topic == s.run.Topics.Events() || o.Topic == s.run.Topics.Triggers() {
			n++
		}
	}
	return n
}

// fields name a record and the webhook behind it.
func (s *Stage) fields(r kafka.Record) []zap.Field {
	fields := []zap.Field{
		zap.String("role", string(s.Role)), zap.String("store", r.Header(HeaderStore)),
		zap.String("topic", r.Topic), zap.Int("partition", r.Partition), zap.Int64("offset", r.Offset),
		zap.String("traceparent", r.Header(HeaderTraceparent)),
	}
	if len(r.Key) > 0 {
		fields = append(fields, zap.ByteString("key", r.Key))
	}
	for _, key := range []string{HeaderTopic, HeaderType, HeaderID, HeaderDeliveryHash} {
		if value := r.Header(key); value != "" {
			fields = append(fields, zap.String(key, value))
		}
	}
	return fields
}
