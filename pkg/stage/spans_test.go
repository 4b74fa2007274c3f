package stage_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/tracing"
	"github.com/rechargeflow/rechargeflow/pkg/tracing/tracingtest"
)

// trace is the trace of a record of tracedRaws.
func trace(i int) string { return strconv.Itoa(10000+i) + "92f3577b34da6a3ce929d0e0e47" }

// tracedRaws are records of a trace each. Those that unsampled names are not recorded.
func tracedRaws(n int, unsampled ...int) []kafka.Record {
	records := raws(n)
	for i := range records {
		flags := "-01"
		for _, each := range unsampled {
			if each == i {
				flags = "-00"
			}
		}
		records[i].Headers = append(records[i].Headers, envelope.Header(envelope.HeaderTraceparent, "00-"+trace(i)+"-00f067aa0ba902b7"+flags))
	}
	return records
}

// traced gives the stage a tracer, and returns a function that ends it and returns the spans.
func (b *bench) traced(t *testing.T) func() []tracingtest.Span {
	t.Helper()
	collector := tracingtest.New()
	t.Cleanup(collector.Close)
	b.stage.Run.Tracer = tracing.New(tracing.Config{Endpoint: collector.URL, SampleRatio: 1, Uploaded: func(err error) { assert.NoError(t, err) }})
	return func() []tracingtest.Span {
		require.NoError(t, b.stage.Run.Tracer.Close(t.Context()))
		return collector.Spans("")
	}
}

// outcomesOf lists trace, outcome, reason and whether it is an error of each span.
func outcomesOf(spans []tracingtest.Span) (lines []string) {
	for _, s := range spans {
		line := s.TraceID[:5] + " " + s.Name
		for _, key := range []string{"rechargeflow.outcome", "rechargeflow.reason"} {
			if text, _ := s.Attributes[key].(string); text != "" {
				line += " " + text
			}
		}
		if s.Error {
			line += " error"
		}
		lines = append(lines, line)
	}
	return lines
}

// Each record of a sampled trace that has an outcome has a span there. A passed-over record has none.
func TestSpanOfEachOutcome(t *testing.T) {
	inBothModes(t, func(t *testing.T, newBench func(stage.Handler) *bench) {
		b := newBench(func(context.Context, []kafka.Record) ([]stage.Result, error) {
			return []stage.Result{
				{Outcome: stage.Done()},
				{Outcome: stage.Done()},
				{Outcome: stage.PassOver()},
				{Outcome: stage.Skip(reason.Duplicate)},
				{Outcome: stage.Reject(reason.Malformed, errors.New("jo.bean@example.com is no object"))},
			}, nil
		})
		spans := b.traced(t)
		b.all(t, tracedRaws(5, 1))
		found := spans()
		assert.Equal(t, []string{
			"10000 translator deliver done", "10003 translator deliver skipped duplicate", "10004 translator deliver rejected malformed error",
		}, outcomesOf(found))
		assert.Len(t, found[0].Links, 3)
		assert.Equal(t, []string{found[0].Context()}, found[1].Links)
		assert.Equal(t, map[string]any{
			"messaging.system": "kafka", "messaging.destination.name": input, "messaging.destination.partition.id": "7", "messaging.kafka.offset": 103,
			"rechargeflow.store": store, "rechargeflow.outcome": "skipped", "rechargeflow.reason": "duplicate",
		}, found[1].Attributes)
		assert.Empty(t, b.exemplar, "the last one that is done has no spans")
	})
}

// A batch that is handled again has one span, with an error: for its first sampled record without an outcome. Calls belong to it.
func TestSpanOfAFailedBatch(t *testing.T) {
	inBothModes(t, func(t *testing.T, newBench func(stage.Handler) *bench) {
		down := errors.New("jo.bean@example.com: no answer")
		var b *bench
		b = newBench(func(ctx context.Context, records []kafka.Record) ([]stage.Result, error) {
			b.stage.Run.Tracer.Call(ctx, "api", store, httpclient.Call{Outcome: httpclient.OutcomeServerError, Status: http.StatusBadGateway})
			results, _ := echo(ctx, records[:1])
			return results, down
		})
		spans := b.traced(t)
		_, err := b.once(t, tracedRaws(3)[:1]) // all is done
		require.ErrorIs(t, err, down)
		_, err = b.once(t, tracedRaws(3)[1:])
		require.ErrorIs(t, err, down)
		found := spans()
		var records, calls []tracingtest.Span
		for _, s := range found {
			if s.Kind == "client" {
				calls = append(calls, s)
				continue
			}
			records = append(records, s)
		}
		assert.Equal(t, []string{"10000 translator deliver done", "10001 translator deliver done", "10002 translator deliver failed error"}, outcomesOf(records))
		assert.Equal(t, []string{"10000 api call server_error error", "10001 api call server_error error"}, outcomesOf(calls))
		assert.Equal(t, records[0].SpanID, calls[0].ParentID)
	})
}

// The first record of a batch that fails need not be sampled, and an outcome that counts has no second span.
func TestSpanOfAFailedBatchWhoseFirstRecordIsUnsampled(t *testing.T) {
	inBothModes(t, func(t *testing.T, newBench func(stage.Handler) *bench) {
		down := errors.New("no answer")
		b := newBench(func(ctx context.Context, records []kafka.Record) ([]stage.Result, error) {
			results, _ := echo(ctx, records[:1])
			return results, down
		})
		spans := b.traced(t)
		_, err := b.once(t, tracedRaws(5, 0, 1, 2))
		require.ErrorIs(t, err, down)
		found := spans()
		assert.Equal(t, []string{"10003 translator deliver failed error"}, outcomesOf(found))
		assert.Equal(t, 5, found[0].Attributes["messaging.batch.message_count"])
	})
}

// A record behind the one that waits may have an outcome.
func TestSpanOfAFailedBatchWithLaterOutcomes(t *testing.T) {
	b := newBench(func(context.Context, []kafka.Record) ([]stage.Result, error) {
		return []stage.Result{{}, {Outcome: stage.Done()}, {}}, errors.New("no answer")
	}, false)
	spans := b.traced(t)
	_, err := b.once(t, tracedRaws(3, 0))
	require.Error(t, err)
	assert.ElementsMatch(t, []string{"10001 translator deliver done", "10002 translator deliver failed error"}, outcomesOf(spans()))
}

// Outputs that can't be written, and a transaction that is aborted, are an error of the whole batch.
func TestSpanOfUnwrittenOutputs(t *testing.T) {
	inBothModes(t, func(t *testing.T, newBench func(stage.Handler) *bench) {
		b := newBench(echo)
		spans := b.traced(t)
		b.produce = func(context.Context, ...kafka.Record) error { return errors.New("no leader") }
		_, err := b.once(t, tracedRaws(2))
		require.Error(t, err)
		b.produce = nil
		b.all(t, tracedRaws(2))
		assert.ElementsMatch(t, []string{
			"10000 translator deliver failed error", "10000 translator deliver done", "10001 translator deliver done",
		}, outcomesOf(spans()))
	})
}

// Without tracing, and without sampled records, nothing is made, and the exemplar of a duration is a trace with spans if there are any.
func TestNoSpans(t *testing.T) {
	b := newBench(echo, false)
	b.all(t, tracedRaws(1, 0))
	assert.Contains(t, b.exemplar, trace(0), "without tracing its log lines can be found")
	spans := b.traced(t)
	b.all(t, tracedRaws(1, 0))
	assert.Empty(t, b.exemplar)
	assert.Empty(t, spans())
}

// The records that were parked have spans in their own traces when they are replayed.
func TestSpansOfReplayedRecords(t *testing.T) {
	parked := tracedRaws(3)
	b := newBench(func(_ context.Context, records []kafka.Record) ([]stage.Result, error) {
		return []stage.Result{{Outcome: stage.Done(), Replayed: []stage.Replayed{{Record: parked[1], Result: stage.Result{Outcome: stage.Skip(reason.Stale)}}}}}, nil
	}, true)
	spans := b.traced(t)
	b.all(t, tracedRaws(1))
	assert.Equal(t, []string{"10000 translator deliver done", "10001 translator deliver skipped stale"}, outcomesOf(spans()))
}

// discard is a stage.Metrics that counts nothing.
type discard struct{}

func (discard) Record(_, _, _, _ string)                        {}
func (discard) EndToEnd(_, _ string, _ time.Duration, _ string) {}
func (discard) Waiting(_, _ string, _ int)                      {}

// idle is a stage that handles records at once.
func idle(tracer *tracing.Tracer) *stage.Stage {
	return &stage.Stage{
		Role: role, Group: "group", Topics: []string{input}, DeadLetters: deadLetters, Stores: []string{store},
		Handler: func(_ context.Context, records []kafka.Record) ([]stage.Result, error) {
			results := make([]stage.Result, len(records))
			for i := range results {
				results[i].Outcome = stage.Done()
			}
			return results, nil
		},
		Run: stage.Runtime{Metrics: discard{}, Tracer: tracer, Log: zap.NewNop(), Now: time.Now},
	}
}

// Tracing costs records that are not sampled no memory: a batch of any size two allocations, for its context.
func TestUnsampledRecordsAllocateNothing(t *testing.T) {
	tracer := tracing.New(tracing.Config{Endpoint: "http://127.0.0.1:1", Uploaded: func(error) {}})
	defer func() { require.NoError(t, tracer.Close(t.Context())) }()
	off, on := idle(nil), idle(tracer)
	for _, size := range []int{1, 100} {
		var unsampled []int
		for i := range size {
			unsampled = append(unsampled, i)
		}
		records := tracedRaws(size, unsampled...)
		allocations := func(s *stage.Stage) float64 {
			return testing.AllocsPerRun(100, func() { _, _ = s.Handle(t.Context(), records) })
		}
		assert.InDelta(t, 2, allocations(on)-allocations(off), 0.1, "%d records", size)
	}
}

// What tracing costs a batch of 100 records: `go test -bench Tracing -benchmem ./pkg/stage`.
func BenchmarkTracing(b *testing.B) {
	collector := tracingtest.New()
	defer collector.Close()
	collector.Answer(func(http.ResponseWriter, *http.Request) {})
	tracer := tracing.New(tracing.Config{Endpoint: collector.URL, SampleRatio: 1, Uploaded: func(error) {}})
	defer func() { _ = tracer.Close(context.Background()) }()
	var all []int
	for i := range 100 {
		all = append(all, i)
	}
	for _, test := range []struct {
		name    string
		tracer  *tracing.Tracer
		records []kafka.Record
	}{
		{"off", nil, tracedRaws(100)},
		{"none_sampled", tracer, tracedRaws(100, all...)},
		{"1_sampled", tracer, tracedRaws(100, all[1:]...)},
		{"all_sampled", tracer, tracedRaws(100)},
	} {
		b.Run(test.name, func(b *testing.B) {
			s := idle(test.tracer)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = s.Handle(b.Context(), test.records)
			}
		})
	}
}
