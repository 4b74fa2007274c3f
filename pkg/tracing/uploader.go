package tracing

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
)

const (
	requestTimeout = 10 * time.Second
	firstPause     = time.Second // after a failed request; then twice as long, and so on
	maxAnswer      = 64 << 10    // bytes that are read, also so that the connection can be used again
)

// uploader posts spans as OTLP/HTTP describes: https://opentelemetry.io/docs/specs/otlp/#otlphttp. It is an otlptrace.Client.
// OpenTelemetry's own, otlptracehttp, would add gRPC to the binary and report errors to a global handler.
type uploader struct {
	url      string
	headers  []string // name=value
	client   *http.Client
	uploaded func(error)
	closing  chan struct{}   // closed when no failed request is repeated any more
	running  context.Context // ends when requests are aborted
	abort    func()
}

// transport returns a transport of its own, with connections that Tracer.Close can close.
func transport() http.RoundTripper {
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		return standard.Clone()
	}
	return &http.Transport{}
}

// Start is part of otlptrace.Client.
func (*uploader) Start(context.Context) error { return nil }

// Stop is part of otlptrace.Client. It is not called for one that otlptrace did not start; see Tracer.Close.
func (*uploader) Stop(context.Context) error { return nil }

// UploadTraces is part of otlptrace.Client. It reports errors itself, and returns nil: OpenTelemetry would pass them to a global handler.
func (u *uploader) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(u.running, cancel)()
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans}) // encoded as an ExportTraceServiceRequest is
	if err == nil {
		err = u.send(ctx, body)
	}
	u.uploaded(err)
	return nil
}

// send posts a body, and again as long as that may help.
func (u *uploader) send(ctx context.Context, body []byte) error {
	for pause := firstPause; ; pause *= 2 {
		after, err := u.post(ctx, body)
		if err == nil || after < 0 {
			return err
		}
		select {
		case <-time.After(max(pause, after)):
		case <-u.closing:
			return err
		case <-ctx.Done():
			return err
		}
	}
}

// never is the wait after an error that comes again.
const never = -1

// post makes one request. After an error it returns the least time to wait for the next one.
func (u *uploader) post(ctx context.Context, body []byte) (after time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.url, bytes.NewReader(body))
	if err != nil {
		return never, fmt.Errorf("build request: %w", httpclient.WithoutURL(err))
	}
	for _, header := range u.headers {
		name, value, _ := strings.Cut(header, "=")
		request.Header.Set(name, value)
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("User-Agent", service)
	response, err := u.client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("post spans: %w", httpclient.WithoutURL(err))
	}
	defer func() { _ = response.Body.Close() }()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if response.StatusCode/100 == 2 {
		return never, rejection(answer)
	}
	switch status := response.StatusCode; status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return httpclient.RetryAfter(response.Header.Get("Retry-After"), time.Now()), fmt.Errorf("post spans: status %d", status)
	default:
		return never, fmt.Errorf("post spans: status %d", status)
	}
}
