package tracing

import (
	"context"

	"go.opentelemetry.io/otel/trace"
)

// length is that of a traceparent of version 00: 00-{trace id}-{span id}-{flags}
// (https://www.w3.org/TR/trace-context/#traceparent-header-field-values).
const length = 55

// Sampled reports whether a traceparent has the flag of a trace that is recorded.
func Sampled(traceparent []byte) bool {
	return len(traceparent) == length && isOdd(traceparent[length-1])
}

func isOdd(digit byte) bool {
	switch digit {
	case '1', '3', '5', '7', '9', 'b', 'd', 'f':
		return true
	}
	return false
}

// With returns a context in which calls belong to the trace of a traceparent, if that is sampled.
func With(ctx context.Context, traceparent string) context.Context {
	if span := contextOf(traceparent); span.IsValid() {
		return trace.ContextWithRemoteSpanContext(ctx, span)
	}
	return ctx
}

// contextOf returns the span that a sampled traceparent names; an invalid one for another text.
func contextOf(traceparent string) (none trace.SpanContext) {
	if len(traceparent) != length || !isOdd(traceparent[length-1]) {
		return none
	}
	traceID, err := trace.TraceIDFromHex(traceparent[3:35])
	if err != nil {
		return none
	}
	spanID, err := trace.SpanIDFromHex(traceparent[36:52])
	if err != nil {
		return none
	}
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: spanID, TraceFlags: trace.FlagsSampled, Remote: true})
}
