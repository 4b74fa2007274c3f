package tracing

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Ingest is the span of a request to the gateway.
type Ingest struct{ span trace.Span }

// Ingest starts the span of a request, in the trace of its traceparent if it has one. The span's own traceparent replaces it. A
// tracestate is ignored: the request is not verified yet, and a span would repeat what the caller wrote there.
func (t *Tracer) Ingest(r *http.Request) *Ingest {
	if t == nil {
		return nil
	}
	parent := propagation.TraceContext{}.Extract(r.Context(), propagation.MapCarrier{"traceparent": r.Header.Get("Traceparent")})
	ctx, span := t.tracer.Start(parent, "gateway ingest", trace.WithSpanKind(trace.SpanKindServer))
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(r.Header))
	return &Ingest{span}
}

// End ends the span with the status of the answer. of returns the store and the topic, of closed lists, and why the request was refused
// if the status is not 200; it is called if the span is sampled. A 4xx is no error of a server
// (https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status).
func (i *Ingest) End(status int, of func() (store, topic, refused string)) {
	if i == nil || !i.span.IsRecording() {
		return
	}
	store, topic, reason := of()
	i.span.SetAttributes(attribute.String("rechargeflow.store", store), attribute.String("rechargeflow.topic", topic), attribute.Int("http.response.status_code", status))
	if status == http.StatusOK {
		i.span.SetAttributes(attribute.String("rechargeflow.outcome", "accepted"))
	} else {
		i.span.SetAttributes(attribute.String("rechargeflow.outcome", "refused"), attribute.String("rechargeflow.reason", reason))
	}
	if status >= http.StatusInternalServerError {
		i.span.SetStatus(codes.Error, "")
	}
	i.span.End()
}
