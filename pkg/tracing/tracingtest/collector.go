// Package tracingtest has a collector of OTLP/HTTP that keeps the spans it receives.
package tracingtest

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is a span that was received.
type Span struct {
	Name, Kind                string
	TraceID, SpanID, ParentID string   // hex digits
	Links                     []string // trace id and span id, as in a traceparent: trace-span
	Attributes                map[string]any
	Process                   map[string]any // attributes of the process
	Error                     bool
	Start, End                time.Time
}

// Context returns trace id and span id, as Links has them.
func (s Span) Context() string { return s.TraceID + "-" + s.SpanID }

// Collector is an HTTP server at the base URL URL. Close it.
type Collector struct {
	*httptest.Server

	mu      sync.Mutex
	spans   []Span
	bodies  []byte
	headers []http.Header
	answer  http.HandlerFunc
}

// New starts a collector.
func New() *Collector {
	c := &Collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(c.serve))
	return c
}

// Answer makes the collector answer by itself, and keep nothing; nil ends that.
func (c *Collector) Answer(answer http.HandlerFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = answer
}

func (c *Collector) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	c.mu.Lock()
	c.headers = append(c.headers, r.Header.Clone())
	answer := c.answer
	c.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	var data tracepb.TracesData // encoded as the request of a collector's service is
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" ||
		proto.Unmarshal(body, &data) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bodies = append(c.bodies, body...)
	for _, resource := range data.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				c.spans = append(c.spans, decode(span, resource.GetResource().GetAttributes()))
			}
		}
	}
}

func decode(span *tracepb.Span, process []*commonpb.KeyValue) Span {
	s := Span{
		Name: span.GetName(), Kind: strings.ToLower(strings.TrimPrefix(span.GetKind().String(), "SPAN_KIND_")),
		TraceID: hex.EncodeToString(span.GetTraceId()), SpanID: hex.EncodeToString(span.GetSpanId()), ParentID: hex.EncodeToString(span.GetParentSpanId()),
		Attributes: attributes(span.GetAttributes()), Process: attributes(process), Error: span.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR,
		Start: time.Unix(0, int64(span.GetStartTimeUnixNano())), End: time.Unix(0, int64(span.GetEndTimeUnixNano())),
	}
	for _, link := range span.GetLinks() {
		s.Links = append(s.Links, hex.EncodeToString(link.GetTraceId())+"-"+hex.EncodeToString(link.GetSpanId()))
	}
	return s
}

func attributes(pairs []*commonpb.KeyValue) map[string]any {
	all := map[string]any{}
	for _, pair := range pairs {
		switch value := pair.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			all[pair.GetKey()] = value.StringValue
		case *commonpb.AnyValue_IntValue:
			all[pair.GetKey()] = int(value.IntValue)
		}
	}
	return all
}

// Spans returns the spans with a name, in the order of their start; all for "".
func (c *Collector) Spans(name string) (found []Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if name == "" || s.Name == name {
			found = append(found, s)
		}
	}
	slices.SortStableFunc(found, func(a, b Span) int { return a.Start.Compare(b.Start) })
	return found
}

// Received returns everything that was received, undecoded.
func (c *Collector) Received() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.bodies)
}

// Headers returns the headers of each request.
func (c *Collector) Headers() []http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.headers)
}
