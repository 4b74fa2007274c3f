package stage

import (
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/tracing"
)

// kindFailed is what the span of a record that is handled again has as its outcome.
const kindFailed Kind = "failed"

// addSpan adds the span of a record.
func (s *Stage) addSpan(spans *tracing.Batch, r kafka.Record, outcome Outcome) {
	if spans == nil || outcome.Kind == kindPassedOver {
		return
	}
	if traceparent := sampled(r); traceparent != "" {
		spans.Add(tracing.Record{
			Traceparent: traceparent, Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Store: s.storeOf(r),
			Outcome: string(outcome.Kind), Reason: string(outcome.Reason), Error: outcome.Kind == kindFailed || outcome.Kind == KindRejected,
		})
	}
}

// endSpans makes the spans of a batch. One that is handled again has another for its first sampled record without an outcome.
func (s *Stage) endSpans(b batch) {
	if b.spans == nil {
		return
	}
	if b.waits {
		if i := b.firstFailed(); i >= 0 {
			s.addSpan(b.spans, b.originals[i], Outcome{Kind: kindFailed})
		}
	}
	b.spans.End(s.Role, s.verb(), s.Run.Now())
}

// firstFailed returns the index of the first sampled record without an outcome, -1 if there is none.
func (b batch) firstFailed() int {
	for i, r := range b.originals {
		if (i >= len(b.results) || b.results[i].open()) && sampled(r) != "" {
			return i
		}
	}
	return -1
}

func (s *Stage) verb() string {
	if s.Sink {
		return "deliver"
	}
	return "process"
}

// endFailed makes the span of a batch that is handled again as a whole.
func (s *Stage) endFailed(b batch) {
	b.waits, b.results = true, nil
	s.endSpans(b)
}

// exemplar returns the traceparent of a record for the exemplar of a duration. With tracing it is one that has spans.
func (s *Stage) exemplar(r kafka.Record) string {
	if s.Run.Tracer != nil {
		return sampled(r)
	}
	return r.Header(envelope.HeaderTraceparent)
}

// sampled returns the traceparent of a record of a sampled trace, "" for another.
func sampled(r kafka.Record) string {
	for _, h := range r.Headers {
		if h.Key != envelope.HeaderTraceparent {
			continue
		}
		if tracing.Sampled(h.Value) {
			return string(h.Value)
		}
		return ""
	}
	return ""
}
