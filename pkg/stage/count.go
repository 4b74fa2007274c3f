package stage

import (
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/tracing"
)

// finish counts each record that has an outcome, and returns them as finished: their offsets may be committed.
func (s *Stage) finish(b batch) kafka.Finished {
	leading := b.leading()
	finished := kafka.Finished{First: leading}
	for i, result := range b.results {
		if result.open() {
			continue
		}
		if i > leading {
			finished.Others = append(finished.Others, i)
		}
		s.count(b.originals[i], result, b.records[i].Topic != b.originals[i].Topic)
		s.addSpan(b.spans, b.originals[i], result.Outcome)
		s.countReplayed(b.spans, result.Replayed)
	}
	s.endSpans(b)
	return finished
}

func (s *Stage) countReplayed(spans *tracing.Batch, replayed []Replayed) {
	for _, r := range replayed {
		_, redriven := deadletter.RedriveOf(r.Record)
		s.count(r.Record, r.Result, redriven)
		s.addSpan(spans, r.Record, r.Result.Outcome)
	}
}

// count counts a record by its outcome and writes its log line.
func (s *Stage) count(r kafka.Record, result Result, redriven bool) {
	outcome, store := result.Outcome, s.storeOf(r)
	if outcome.Kind == kindPassedOver {
		return
	}
	s.Run.Metrics.Record(s.Role, store, string(outcome.Kind), string(outcome.Reason))
	if at, err := envelope.ReceivedAt(r); err == nil && s.Sink && outcome.Kind == KindDone {
		s.Run.Metrics.EndToEnd(s.Role, store, s.Run.Now().Sub(at), s.exemplar(r))
	}
	level := zap.InfoLevel
	if outcome.Kind == KindRejected || outcome.Reason == reason.TopicUnknown {
		level = zap.WarnLevel
	}
	line := s.Run.Log.Check(level, "record handled")
	if line == nil { // the level is off
		return
	}
	fields := append(s.fields(r),
		zap.String("outcome", string(outcome.Kind)), zap.String("reason", string(outcome.Reason)), zap.Int("outputs", s.downstream(result.Outputs)),
		zap.Bool("redriven", redriven))
	if outcome.Err != nil {
		fields = append(fields, zap.Error(outcome.Err))
	}
	line.Write(fields...)
}

// unknownStore is counted instead of a store that is not configured: a record must not choose a label.
const unknownStore = "unknown"

func (s *Stage) storeOf(r kafka.Record) string {
	if store := r.Header(envelope.HeaderStore); slices.Contains(s.Stores, store) {
		return store
	}
	return unknownStore
}

// downstream counts the outputs that another role consumes.
func (s *Stage) downstream(outputs []kafka.Record) int {
	n := 0
	for _, o := range outputs {
		if slices.Contains(s.Downstream, o.Topic) {
			n++
		}
	}
	return n
}

// fields returns log fields that identify a record and its webhook.
func (s *Stage) fields(r kafka.Record) []zap.Field {
	fields := []zap.Field{
		zap.String("role", s.Role), zap.String("store", s.storeOf(r)),
		zap.String("topic", r.Topic), zap.Int("partition", r.Partition), zap.Int64("offset", r.Offset),
		zap.String("traceparent", short(r.Header(envelope.HeaderTraceparent))),
	}
	if len(r.Key) > 0 {
		fields = append(fields, zap.String("key", short(string(r.Key))))
	}
	for _, key := range []string{envelope.HeaderRechargeTopic, envelope.HeaderCEType, envelope.HeaderCEID, envelope.HeaderDeliveryHash} {
		if value := r.Header(key); value != "" {
			fields = append(fields, zap.String(key, short(value)))
		}
	}
	return fields
}

// maxField is the length in bytes to which a key or a header is cut in the log. Ours are shorter.
const maxField = 200

func short(value string) string { return strings.ToValidUTF8(value[:min(len(value), maxField)], "?") }
