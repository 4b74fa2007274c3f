package stage_test

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry/telemetrytest"
)

const (
	role        = "translator"
	input       = "in"
	deadLetters = "dead"
	store       = "acme"
)

// bench is one stage with nothing around it. It is its own metrics.
type bench struct {
	stage    *stage.Stage
	topics   map[string][]kafka.Record
	stores   []string // of what was counted
	outcomes []string // role, outcome and reason of what was counted, in order
	endToEnd []time.Duration
	exemplar string // the last traceparent of endToEnd
	waiting  []int  // every count of waiting partitions
	log      *bytes.Buffer
	produce  func(context.Context, ...kafka.Record) error // nil appends to topics
}

// inBothModes runs a test with a stage that handles records at once, and with one that does so in transactions.
func inBothModes(t *testing.T, test func(t *testing.T, newBench func(stage.Handler) *bench)) {
	t.Helper()
	for name, transactional := range map[string]bool{"handler": false, "transactor": true} {
		t.Run(name, func(t *testing.T) {
			test(t, func(h stage.Handler) *bench {
				b := newBench(h, transactional)
				t.Cleanup(func() { require.NoError(t, telemetrytest.CheckKeys(b.log.String())) })
				return b
			})
		})
	}
}

func newBench(h stage.Handler, transactional bool) *bench {
	b := &bench{topics: map[string][]kafka.Record{}, log: &bytes.Buffer{}}
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	b.stage = &stage.Stage{
		Role: role, Group: "group", Topics: []string{input, "redrive"}, Redrive: "redrive", DeadLetters: deadLetters, State: "state", Sink: true,
		Downstream: []string{"out"}, Stores: []string{store},
		Run: stage.Runtime{
			Produce: b.write, Metrics: b, Log: zap.New(zapcore.NewCore(encoder, zapcore.AddSync(b.log), zap.DebugLevel)),
			Now: func() time.Time { return time.Date(2026, 3, 1, 10, 0, 5, 0, time.UTC) },
		},
	}
	if b.stage.Handler = h; transactional {
		b.stage.Handler, b.stage.Transactor = nil, transactor(h)
	}
	return b
}

// Record is part of stage.Metrics.
func (b *bench) Record(role, store, outcome, reason string) {
	b.stores = append(b.stores, store)
	line := role + " " + outcome
	if reason != "" {
		line += " " + reason
	}
	b.outcomes = append(b.outcomes, line)
}

// EndToEnd is part of stage.Metrics.
func (b *bench) EndToEnd(_, _ string, took time.Duration, traceparent string) {
	b.endToEnd, b.exemplar = append(b.endToEnd, took), traceparent
}

// Waiting is part of stage.Metrics.
func (b *bench) Waiting(_, _ string, partitions int) { b.waiting = append(b.waiting, partitions) }

// transactor is a stage.Transactor without state.
type transactor stage.Handler

func (h transactor) Handle(ctx context.Context, records []kafka.Record) ([]stage.Result, error) {
	return h(ctx, records)
}

func (transactor) TakeOver(context.Context, int) error { return nil }

func (transactor) Release(int) {}

func (h transactor) Punctuate(context.Context, int) (stage.Punctuated, error) {
	return stage.Punctuated{Transaction: h}, nil
}

func (h transactor) Begin(int) stage.Transaction { return h }

func (transactor) Outputs() ([]kafka.Record, error) { return nil, nil }

func (transactor) PunctuateSoon() bool { return false }

func (transactor) Ended(bool) {}

func (b *bench) write(ctx context.Context, records ...kafka.Record) error {
	if b.produce != nil {
		return b.produce(ctx, records...)
	}
	return b.store(records)
}

func (b *bench) store(records []kafka.Record) error {
	for _, r := range records {
		b.topics[r.Topic] = append(b.topics[r.Topic], r)
	}
	return nil
}

// handle gives the stage a batch once, as a consumer does, and returns the records to handle again.
func (b *bench) handle(ctx context.Context, batch []kafka.Record) ([]kafka.Record, error) {
	if b.stage.Transactor == nil {
		finished, err := b.stage.Handle(ctx, batch)
		return unfinished(batch, finished), err
	}
	out, err := b.stage.Transform(ctx, batch)
	if len(out.Outputs) > 0 {
		if err := b.write(ctx, out.Outputs...); err != nil {
			out.OnEnd(err)
			return batch, err
		}
	}
	if out.Finished > 0 {
		out.OnEnd(nil)
	}
	return batch[out.Finished:], err
}

func unfinished(batch []kafka.Record, f kafka.Finished) []kafka.Record {
	var left []kafka.Record
	for i, r := range batch {
		if i >= f.First && !slices.Contains(f.Others, i) {
			left = append(left, r)
		}
	}
	return left
}

// once gives the stage a batch once, and returns how many records are done.
func (b *bench) once(t *testing.T, records []kafka.Record) (int, error) {
	t.Helper()
	left, err := b.handle(t.Context(), records)
	return len(records) - len(left), err
}

// all gives the stage all records until each has an outcome, as a consumer would.
func (b *bench) all(t *testing.T, records []kafka.Record) {
	t.Helper()
	for len(records) > 0 {
		left, err := b.handle(t.Context(), records)
		require.NoError(t, err)
		require.Less(t, len(left), len(records), "nothing done, and no error: a consumer would repeat it forever")
		records = left
	}
}

// raws are records of one partition, each with a body of its own.
func raws(n int) []kafka.Record {
	records := make([]kafka.Record, n)
	for i := range records {
		records[i] = kafka.Record{
			Topic: input, Partition: 7, Offset: int64(100 + i), Key: []byte("acme/246936001"),
			Value: []byte(`{"number":` + strconv.Itoa(i) + `}`), Time: time.Date(2026, 3, 1, 9, 59, 59, 0, time.UTC),
			Headers: []kafka.Header{
				envelope.Header(envelope.HeaderStore, store), envelope.Header(envelope.HeaderReceivedAt, "2026-03-01T10:00:00Z"),
			},
		}
	}
	return records
}

// bodies are those of the records.
func bodies(records []kafka.Record) []string {
	var found []string
	for _, r := range records {
		found = append(found, string(r.Value))
	}
	return found
}

// echo makes one output of each record.
func echo(_ context.Context, records []kafka.Record) ([]stage.Result, error) {
	results := make([]stage.Result, len(records))
	for i, r := range records {
		results[i] = stage.Result{Outcome: stage.Done(), Outputs: []kafka.Record{{Topic: "out", Key: r.Key, Value: r.Value}}}
	}
	return results, nil
}
