package tracing_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/tracing"
	"github.com/rechargeflow/rechargeflow/pkg/tracing/tracingtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience  = 20 * time.Second
	traceID   = "4bf92f3577b34da6a3ce929d0e0e4736"
	parentID  = "00f067aa0ba902b7"
	sampled   = "00-" + traceID + "-" + parentID + "-01"
	unsampled = "00-" + traceID + "-" + parentID + "-00"
)

// bench is a tracer and its collector.
type bench struct {
	t         *testing.T
	tracer    *tracing.Tracer
	collector *tracingtest.Collector

	mu       sync.Mutex
	uploaded []error
}

func newBench(t *testing.T, ratio float64) *bench {
	t.Helper()
	b := &bench{t: t, collector: tracingtest.New()}
	t.Cleanup(b.collector.Close)
	b.tracer = tracing.New(tracing.Config{
		Endpoint: b.collector.URL + "/", Headers: []string{"Authorization=Bearer a=b", "x-team=data"}, SampleRatio: ratio, Version: "v1.2.3", Roles: "sms",
		Uploaded: func(err error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.uploaded = append(b.uploaded, err)
		},
	})
	return b
}

// spans closes the tracer and returns what the collector got.
func (b *bench) spans() []tracingtest.Span {
	b.t.Helper()
	require.NoError(b.t, b.tracer.Close(b.t.Context()))
	return b.collector.Spans("")
}

func (b *bench) uploads() []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]error{}, b.uploaded...)
}

func request(traceparent string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/acme/charge/paid/secret-token", nil)
	if traceparent != "" {
		r.Header.Set("Traceparent", traceparent)
	}
	return r
}

func answer(store, topic, refused string) func() (string, string, string) {
	return func() (string, string, string) { return store, topic, refused }
}

// The span of a request has the trace of its traceparent, and the request then has that of the span.
func TestIngest(t *testing.T) {
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "") // the SDK adds them to the attributes of the process
	b := newBench(t, 1)
	first, second := request(""), request(sampled)
	span := b.tracer.Ingest(first)
	span.End(http.StatusOK, answer("acme", "charge/paid", "unknown_path"))
	span = b.tracer.Ingest(second)
	span.End(http.StatusServiceUnavailable, answer("acme", "charge/paid", "not_stored"))
	b.tracer.Ingest(request("")).End(http.StatusUnauthorized, answer("unknown", "", "bad_signature"))

	spans := b.spans()
	require.Len(t, spans, 3)
	for _, s := range spans {
		assert.Equal(t, "gateway ingest", s.Name)
		assert.Equal(t, "server", s.Kind)
		assert.Equal(t, map[string]any{"service.name": "rechargeflow", "service.version": "v1.2.3", "rechargeflow.roles": "sms"}, s.Process)
		assert.NotContains(t, b.collector.Received(), "secret-token")
	}
	assert.Equal(t, map[string]any{
		"rechargeflow.store": "acme", "rechargeflow.topic": "charge/paid", "rechargeflow.outcome": "accepted",
		"http.response.status_code": 200,
	}, spans[0].Attributes)
	assert.False(t, spans[0].Error)
	assert.Empty(t, spans[0].ParentID)
	assert.Equal(t, "00-"+spans[0].Context()+"-01", first.Header.Get("traceparent"))

	assert.Equal(t, traceID, spans[1].TraceID)
	assert.Equal(t, parentID, spans[1].ParentID)
	assert.Equal(t, "00-"+spans[1].Context()+"-01", second.Header.Get("traceparent"))
	assert.Equal(t, "not_stored", spans[1].Attributes["rechargeflow.reason"])
	assert.True(t, spans[1].Error)
	assert.Equal(t, "refused", spans[2].Attributes["rechargeflow.outcome"])
	assert.False(t, spans[2].Error, "a 4xx is the caller's error")
	for _, header := range b.collector.Headers() {
		assert.Equal(t, "Bearer a=b", header.Get("Authorization"))
		assert.Equal(t, "data", header.Get("X-Team"))
	}
}

// A caller can't write into a span: whoever sends a tracestate is not verified.
func TestIngestIgnoresTracestate(t *testing.T) {
	b := newBench(t, 1)
	r := request(sampled)
	r.Header.Set("Tracestate", "vendor=jo.bean")
	b.tracer.Ingest(r).End(http.StatusOK, answer("acme", "charge/paid", ""))
	require.Len(t, b.spans(), 1)
	assert.Equal(t, traceID, b.collector.Spans("")[0].TraceID)
	assert.NotContains(t, b.collector.Received(), "jo.bean")
}

// The ratio decides on a request that has no traceparent, and the flag on one that has. A request that is not sampled has a
// traceparent too, which says so.
func TestSampling(t *testing.T) {
	b := newBench(t, 0)
	for _, r := range []*http.Request{request(""), request(unsampled)} {
		b.tracer.Ingest(r).End(http.StatusOK, func() (string, string, string) {
			assert.Fail(t, "asked for what nobody records")
			return "", "", ""
		})
		assert.Regexp(t, "^00-[0-9a-f]{32}-[0-9a-f]{16}-00$", r.Header.Get("traceparent"))
		assert.False(t, tracing.Sampled([]byte(r.Header.Get("traceparent"))))
	}
	b.tracer.Ingest(request(sampled)).End(http.StatusOK, answer("acme", "charge/paid", ""))
	require.Len(t, b.spans(), 1)

	half := newBench(t, 0.5)
	for range 400 {
		half.tracer.Ingest(request("")).End(http.StatusOK, answer("acme", "charge/paid", ""))
	}
	assert.InDelta(t, 200, len(half.spans()), 100)
}

func TestSampled(t *testing.T) {
	assert.True(t, tracing.Sampled([]byte(sampled)))
	assert.True(t, tracing.Sampled([]byte(sampled[:54]+"3")))
	for _, other := range []string{"", "1", unsampled, sampled[:54] + "2", sampled + "1", sampled[:54] + "x"} {
		assert.False(t, tracing.Sampled([]byte(other)), other)
	}
}

// traceparents returns sampled ones of n traces.
func traceparents(n int) (all []string) {
	for i := range n {
		all = append(all, "00-"+strconv.Itoa(10000+i)+traceID[5:]+"-"+parentID+"-01")
	}
	return all
}

func context55(traceparent string) string { return traceparent[3:52] }

// Each record has a span in its own trace. The first one links to all and has the calls of the batch; the others link
// to it.
func TestBatch(t *testing.T) {
	b := newBench(t, 0)
	began := time.Now().Add(-time.Minute)
	traces := traceparents(3)
	ctx, batch := b.tracer.Batch(t.Context(), began, 5)
	call := httpclient.Call{Method: "POST", Host: "api.example.com", Outcome: "ok", Status: 200, Began: began.Add(time.Second), Took: time.Second}
	b.tracer.Call(ctx, "bloomreach", "acme", call)
	call.Outcome, call.Status = "timeout", 0
	b.tracer.Call(ctx, "sms", "acme", call)
	for i, trace := range traces {
		batch.Add(tracing.Record{
			Traceparent: trace, Topic: "recharge.events", Partition: 7, Offset: int64(i), Store: "acme",
			Outcome: "done", Reason: "", Error: i == 2,
		})
	}
	batch.End("tracking", "deliver", began.Add(3*time.Second))

	require.NoError(t, b.tracer.Close(t.Context()))
	spans := b.collector.Spans("tracking deliver")
	require.Len(t, spans, 3)
	for i, s := range spans {
		assert.Equal(t, "consumer", s.Kind)
		assert.Equal(t, context55(traces[i])[:32], s.TraceID)
		assert.Equal(t, parentID, s.ParentID)
		assert.Equal(t, 3*time.Second, s.End.Sub(s.Start))
		assert.Equal(t, i == 2, s.Error)
		assert.Equal(t, i, s.Attributes["messaging.kafka.offset"])
	}
	assert.Equal(t, []string{context55(traces[0]), context55(traces[1]), context55(traces[2])}, spans[0].Links)
	assert.Equal(t, []string{spans[0].Context()}, spans[1].Links)
	assert.Equal(t, []string{spans[0].Context()}, spans[2].Links)
	assert.Equal(t, map[string]any{
		"messaging.system": "kafka", "messaging.destination.name": "recharge.events", "messaging.destination.partition.id": "7",
		"messaging.kafka.offset": 0, "messaging.batch.message_count": 5, "rechargeflow.store": "acme", "rechargeflow.outcome": "done",
	}, spans[0].Attributes)

	calls := b.collector.Spans("bloomreach call")
	require.Len(t, calls, 1)
	assert.Equal(t, spans[0].TraceID, calls[0].TraceID)
	assert.Equal(t, spans[0].SpanID, calls[0].ParentID)
	assert.Equal(t, "client", calls[0].Kind)
	assert.Equal(t, time.Second, calls[0].End.Sub(calls[0].Start))
	assert.Equal(t, map[string]any{
		"http.request.method": "POST", "server.address": "api.example.com", "http.response.status_code": 200, "rechargeflow.store": "acme", "rechargeflow.outcome": "ok",
	}, calls[0].Attributes)
	calls = b.collector.Spans("sms call")
	require.Len(t, calls, 1)
	assert.Equal(t, spans[0].SpanID, calls[0].ParentID)
	assert.True(t, calls[0].Error)
	assert.Equal(t, "timeout", calls[0].Attributes["error.type"])
	assert.NotContains(t, calls[0].Attributes, "http.response.status_code")
}

// A batch of any size has at most 128 links, and one without sampled records has no spans.
func TestBatchSizes(t *testing.T) {
	b := newBench(t, 1)
	ctx, empty := b.tracer.Batch(t.Context(), time.Now(), 500)
	b.tracer.Call(ctx, "bloomreach", "acme", httpclient.Call{})
	empty.End("sms", "deliver", time.Now())
	_, large := b.tracer.Batch(t.Context(), time.Now(), 500)
	for _, trace := range traceparents(500) {
		large.Add(tracing.Record{Traceparent: trace})
	}
	large.End("transformer", "process", time.Now())
	spans := b.spans()
	require.Len(t, spans, 500)
	most := 0
	for _, s := range spans {
		most = max(most, len(s.Links))
	}
	assert.Equal(t, 128, most)
}

// A call outside of a batch belongs to the trace that its context names.
func TestCallOfATrace(t *testing.T) {
	b := newBench(t, 1)
	for _, traceparent := range []string{sampled, unsampled, "", "nonsense"} {
		b.tracer.Call(tracing.With(t.Context(), traceparent), "recharge", "acme", httpclient.Call{Outcome: "server_error", Status: 503})
	}
	spans := b.spans()
	require.Len(t, spans, 1)
	assert.Equal(t, traceID, spans[0].TraceID)
	assert.Equal(t, parentID, spans[0].ParentID)
	assert.True(t, spans[0].Error)
}

// What makes no spans costs no memory.
func TestOffAllocatesNothing(t *testing.T) {
	var off *tracing.Tracer
	r, ctx, began := request(""), t.Context(), time.Now()
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		off.Ingest(r).End(http.StatusOK, func() (string, string, string) { return r.Method, "", "" })
		ctx, batch := off.Batch(ctx, began, 1)
		off.Call(ctx, "sms", "acme", httpclient.Call{})
		batch.End("sms", "deliver", began)
	}))
	assert.Empty(t, r.Header)
	require.NoError(t, off.Close(ctx))
	traceparent := []byte(unsampled)
	assert.Zero(t, testing.AllocsPerRun(100, func() { tracing.Sampled(traceparent) }))
}

// Failed uploads are repeated if that may help, and reported.
func TestUploadFails(t *testing.T) {
	b := newBench(t, 1)
	var mu sync.Mutex
	var tries []int
	answers := []int{http.StatusServiceUnavailable, http.StatusBadRequest}
	b.collector.Answer(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		status := answers[min(len(tries), len(answers)-1)]
		tries = append(tries, status)
		w.WriteHeader(status)
	})
	b.tracer.Ingest(request("")).End(http.StatusOK, answer("acme", "charge/paid", ""))
	require.Eventually(t, func() bool { return len(b.uploads()) == 1 }, patience, time.Millisecond)
	require.EqualError(t, b.uploads()[0], "post spans: status 400")
	assert.Equal(t, answers, tries)
	b.collector.Answer(nil)
	b.tracer.Ingest(request("")).End(http.StatusOK, answer("acme", "charge/paid", ""))
	assert.Len(t, b.spans(), 1)
	assert.NoError(t, b.uploads()[1])
}

// An answer of 2xx is a success, unless the collector says that it rejected spans. Neither is repeated.
func TestUploadAccepted(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		answer string
		fails  string
	}{
		"200":             {http.StatusOK, "", ""},
		"202":             {http.StatusAccepted, "", ""},
		"204":             {http.StatusNoContent, "", ""},
		"not protobuf":    {http.StatusOK, "{}", ""},
		"cut off":         {http.StatusOK, "\x0a\x09\x08", ""},
		"only a warning":  {http.StatusOK, "\x0a\x04\x12\x02hi", ""},
		"rejects":         {http.StatusOK, "\x0a\x02\x08\x03", "post spans: collector rejected 3 of them"},
		"rejects and why": {http.StatusAccepted, "\x0a\x0a\x12\x05jo.be\x08\xac\x02", "post spans: collector rejected 300 of them"},
		"300":             {http.StatusMultipleChoices, "", "post spans: status 300"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 1)
			b.collector.Answer(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.answer))
			})
			b.tracer.Ingest(request("")).End(http.StatusOK, answer("acme", "charge/paid", ""))
			b.spans()
			require.Len(t, b.uploads(), 1)
			assert.Len(t, b.collector.Headers(), 1)
			if test.fails == "" {
				assert.NoError(t, b.uploads()[0])
				return
			}
			assert.EqualError(t, b.uploads()[0], test.fails)
		})
	}
}

// A closed tracer has no connection to the collector.
func TestCloseLeavesNoConnection(t *testing.T) {
	closed := make(chan struct{}, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	tracer := tracing.New(tracing.Config{Endpoint: server.URL, SampleRatio: 1, Uploaded: func(err error) { assert.NoError(t, err) }})
	tracer.Ingest(request("")).End(http.StatusOK, answer("acme", "charge/paid", ""))
	require.NoError(t, tracer.Close(t.Context()))
	select {
	case <-closed:
	case <-time.After(patience):
		require.Fail(t, "the connection is open")
	}
}

// A collector that is down delays the end by nothing, and one that hangs by no more than the deadline.
func TestClose(t *testing.T) {
	b := newBench(t, 1)
	b.collector.Close()
	b.tracer.Ingest(request("")).End(http.StatusOK, answer("acme", "charge/paid", ""))
	began := time.Now()
	assert.Empty(t, b.spans())
	assert.Less(t, time.Since(began), 5*time.Second)
	require.Len(t, b.uploads(), 1)
	require.ErrorContains(t, b.uploads()[0], "connection refused")
	assert.NotContains(t, b.uploads()[0].Error(), "Bearer")

	hangs := newBench(t, 1)
	hangs.collector.Answer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	hangs.tracer.Ingest(request("")).End(http.StatusOK, answer("acme", "charge/paid", ""))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, hangs.tracer.Close(ctx), context.DeadlineExceeded)
	require.Eventually(t, func() bool { return len(hangs.uploads()) == 1 }, patience, time.Millisecond)
	require.ErrorIs(t, hangs.uploads()[0], context.Canceled)
}

// A collector that hangs takes neither time nor memory from who makes spans: those that do not fit into the queue are dropped.
func TestSlowCollectorBlocksNobody(t *testing.T) {
	b := newBench(t, 1)
	release := make(chan struct{})
	b.collector.Answer(func(http.ResponseWriter, *http.Request) { <-release })
	const spans = 20_000
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range spans {
			b.tracer.Ingest(request("")).End(http.StatusOK, answer("acme", "charge/paid", ""))
		}
	}()
	select {
	case <-done:
	case <-time.After(patience):
		require.Fail(t, "blocked by the collector")
	}
	b.collector.Answer(nil)
	close(release)
	received := len(b.spans())
	assert.Positive(t, received)
	assert.Less(t, received, spans/2)
}
