// Package tracing makes OpenTelemetry spans of webhooks, records and calls, and sends them to a collector by OTLP/HTTP. Only it imports
// OpenTelemetry. A nil [Tracer] makes no spans and allocates nothing.
//
//	tracer.go       Tracer       the process's spans, and the sampler
//	uploader.go     uploader     posts spans to the collector, beside the pipeline
//	answer.go       rejection    what the collector's answer says
//	ingest.go       Ingest       the span of a webhook, which its record's traceparent names
//	batch.go        Batch        the spans of the records that a handler gets at once
//	call.go         Tracer.Call  the span of a call to another system
//	traceparent.go  Sampled      what a traceparent says
//
// Spans have the trace id of the webhook's traceparent, which all records that follow from it carry. The gateway decides whether a
// webhook is sampled; the other roles follow the flag. docs/tracing.md lists names and attributes. They hold no personal data and no
// texts of errors: those are in the log, which has the traceparent.
package tracing
