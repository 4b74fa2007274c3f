package tracing

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
)

// Ended spans wait in a queue of this size. When it is full, because the collector is slow or down, more of them are dropped.
const (
	queueSize     = 4096
	uploadAtMost  = 512
	uploadEvery   = 2 * time.Second
	uploadTimeout = 30 * time.Second // with the attempts that follow a failed one
)

// maxLinks is the number of records that the span of a batch links to.
const maxLinks = 128

const service = "rechargeflow"

// Config configures a Tracer.
type Config struct {
	// Endpoint is the base URL of the collector, to which /v1/traces is appended.
	Endpoint string
	// Headers of each request, as name=value. They are secrets.
	Headers []string
	// SampleRatio is the part of the webhooks that is traced, from 0 to 1.
	SampleRatio float64
	// Version and Roles describe the process.
	Version, Roles string
	// Uploaded is called after each upload: with nil, or with why its spans are lost.
	Uploaded func(error)
}

// Tracer makes the spans of a process. All methods can be called on nil, which makes none.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	uploader *uploader
}

// New returns a Tracer, and makes no connection. Close it.
func New(cfg Config) *Tracer {
	u := &uploader{
		url: strings.TrimRight(cfg.Endpoint, "/") + "/v1/traces", headers: cfg.Headers, uploaded: cfg.Uploaded,
		client: httpclient.WithoutRedirects(&http.Client{Timeout: requestTimeout, Transport: transport()}), closing: make(chan struct{}),
	}
	u.running, u.abort = context.WithCancel(context.Background())
	process := resource.NewSchemaless(
		attribute.String("service.name", service), attribute.String("service.version", cfg.Version), attribute.String("rechargeflow.roles", cfg.Roles))
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithResource(process),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cfg.SampleRatio))),
		sdktrace.WithRawSpanLimits(sdktrace.SpanLimits{
			AttributeValueLengthLimit: 256, AttributeCountLimit: 32, LinkCountLimit: maxLinks, AttributePerLinkCountLimit: 0, EventCountLimit: 0,
		}),
		sdktrace.WithBatcher(otlptrace.NewUnstarted(u), sdktrace.WithMaxQueueSize(queueSize), sdktrace.WithMaxExportBatchSize(uploadAtMost),
			sdktrace.WithBatchTimeout(uploadEvery), sdktrace.WithExportTimeout(uploadTimeout)),
	)
	return &Tracer{provider: provider, tracer: provider.Tracer(service), uploader: u}
}

// Close uploads the spans that have ended, until ctx ends. The others are lost. No connection is left.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	close(t.uploader.closing)
	defer t.uploader.client.CloseIdleConnections()
	defer t.uploader.abort()
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("upload spans: %w", err)
	}
	return nil
}
