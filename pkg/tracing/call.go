package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
)

// call is a call for a store to a destination.
type call struct {
	httpclient.Call

	destination, store string
}

// Call makes the span of a call that has ended. It belongs to the batch of ctx, or else to the trace of ctx.
func (t *Tracer) Call(ctx context.Context, destination, store string, c httpclient.Call) {
	if t == nil {
		return
	}
	made := call{c, destination, store}
	if b := batchOf(ctx); b != nil {
		b.add(made)
		return
	}
	t.end(ctx, made)
}

func (b *Batch) add(made call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, made)
}

// endCalls makes the spans of the calls, which belong to the span of the first record.
func (b *Batch) endCalls(parent context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.calls {
		b.tracer.end(parent, c)
	}
}

// end makes the span of a call in the trace of ctx, if that is sampled.
func (t *Tracer) end(ctx context.Context, c call) {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return
	}
	_, span := t.tracer.Start(ctx, c.destination+" call", trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(c.Began), trace.WithAttributes(
		attribute.String("http.request.method", c.Method), attribute.String("server.address", c.Host),
		attribute.String("rechargeflow.store", c.store), attribute.String("rechargeflow.outcome", c.Outcome)))
	if c.Status != 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", c.Status))
	}
	if c.Outcome != httpclient.OutcomeOK {
		span.SetAttributes(attribute.String("error.type", c.Outcome))
		span.SetStatus(codes.Error, "")
	}
	span.End(trace.WithTimestamp(c.Began.Add(c.Took)))
}
