package tracing

import (
	"context"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Batch makes the spans of the records that a handler gets at once: one for each record of a sampled trace, in that trace. They are
// made when the handler and what follows it have ended. The first one is the parent of the calls, and links to all records; the
// others link to it.
type Batch struct {
	tracer *Tracer
	began  time.Time
	size   int

	records []added

	mu    sync.Mutex
	calls []call
}

// Record is a record and its outcome.
type Record struct {
	Traceparent string
	Topic       string
	Partition   int
	Offset      int64
	Store       string // of the closed list of stores, as are outcome and reason
	Outcome     string // "failed" for a record that is handled again
	Reason      string
	Error       bool
}

type added struct {
	Record

	parent trace.SpanContext
}

type batchKey struct{} // of the context of a batch

// Batch begins a batch of size records, sampled or not; 0 if a handler gets none. The returned context is for its handler.
func (t *Tracer) Batch(ctx context.Context, began time.Time, size int) (context.Context, *Batch) {
	if t == nil {
		return ctx, nil
	}
	b := &Batch{tracer: t, began: began, size: size}
	return context.WithValue(ctx, batchKey{}, b), b
}

func batchOf(ctx context.Context) *Batch {
	b, _ := ctx.Value(batchKey{}).(*Batch)
	return b
}

// Add adds a record, if its trace is sampled.
func (b *Batch) Add(r Record) {
	if parent := contextOf(r.Traceparent); parent.IsValid() {
		b.records = append(b.records, added{r, parent})
	}
}

// End makes the spans, with the name of the role and what it has done.
func (b *Batch) End(role, did string, at time.Time) {
	if b == nil || len(b.records) == 0 {
		return
	}
	var links []trace.Link
	for _, r := range b.records[:min(len(b.records), maxLinks)] {
		links = append(links, trace.Link{SpanContext: r.parent})
	}
	var parent context.Context
	var first trace.Span
	for i, r := range b.records {
		if i == 1 {
			links = []trace.Link{{SpanContext: first.SpanContext()}}
		}
		ctx, span := b.tracer.tracer.Start(trace.ContextWithRemoteSpanContext(context.Background(), r.parent), role+" "+did,
			trace.WithSpanKind(trace.SpanKindConsumer), trace.WithTimestamp(b.began), trace.WithLinks(links...), trace.WithAttributes(r.attributes()...))
		if i == 0 {
			first, parent = span, ctx
			span.SetAttributes(b.attributes()...)
		}
		if r.Error {
			span.SetStatus(codes.Error, "")
		}
		span.End(trace.WithTimestamp(at))
	}
	b.endCalls(parent)
}

// attributes are those of the first span only.
func (b *Batch) attributes() []attribute.KeyValue {
	if b.size == 0 {
		return nil
	}
	return []attribute.KeyValue{attribute.Int("messaging.batch.message_count", b.size)}
}

// attributes has names of https://opentelemetry.io/docs/specs/semconv/messaging/kafka/.
func (r Record) attributes() []attribute.KeyValue {
	all := []attribute.KeyValue{
		attribute.String("messaging.system", "kafka"), attribute.String("messaging.destination.name", r.Topic),
		attribute.String("messaging.destination.partition.id", strconv.Itoa(r.Partition)), attribute.Int64("messaging.kafka.offset", r.Offset),
		attribute.String("rechargeflow.store", r.Store), attribute.String("rechargeflow.outcome", r.Outcome),
	}
	if r.Reason != "" {
		all = append(all, attribute.String("rechargeflow.reason", r.Reason))
	}
	return all
}
