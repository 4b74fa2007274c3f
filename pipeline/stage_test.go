package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// handlerFunc is a pipeline.Handler.
type handlerFunc func(context.Context, []kafka.Record) ([]pipeline.Result, error)

func (f handlerFunc) Handle(ctx context.Context, records []kafka.Record) ([]pipeline.Result, error) {
	return f(ctx, records)
}

// producerFunc is a pipeline.Producer.
type producerFunc func(context.Context, ...kafka.Record) error

func (f producerFunc) Produce(ctx context.Context, records ...kafka.Record) error {
	return f(ctx, records...)
}

// bench is one stage with nothing around it.
type bench struct {
	stage   *pipeline.Stage
	topics  *memoryTopics
	fates   *fates
	log     *logText
	produce producerFunc // nil appends to topics
}

func newBench(t *testing.T, role pipeline.Role, h pipeline.Handler) *bench {
	t.Helper()
	b := &bench{topics: &memoryTopics{records: map[string][]kafka.Record{}}, fates: &fates{}, log: &logText{}}
	now := func() time.Time { return time.Date(2026, 3, 1, 10, 0, 5, 0, time.UTC) }
	run := pipeline.Runtime{Metrics: b.fates, Log: b.log.logger(), Now: now, Producer: producerFunc(b.write)}
	acme := pipeline.Store{Settings: settingsOf(store), Tracker: trackerFunc(nil), Texts: &pipeline.Texts{}}
	stages, err := pipeline.Stages([]pipeline.Role{role}, pipeline.Options{Stores: []pipeline.Store{acme}, State: &memoryState{}, Raw: b.topics, Asker: &asks{}}, run)
	require.NoError(t, err)
	require.Len(t, stages, 1)
	b.stage = stages[0]
	b.stage.Handler = h
	if b.stage.Transactor != nil {
		b.stage.Transactor = handling{h}
	}
	return b
}

// handling is a transactor that remembers nothing.
type handling struct{ pipeline.Handler }

func (handling) TakeOver(context.Context, int) error { return nil }

func (handling) Release(int) {}

func (h handling) Sweep(context.Context, int) (pipeline.Swept, error) {
	return pipeline.Swept{Changes: h}, nil
}

func (handling) Again() bool { return false }

func (h handling) Begin(int) pipeline.Work { return h }

func (handling) Outputs() ([]kafka.Record, error) { return nil, nil }

func (handling) Ended(bool) {}

func (b *bench) write(ctx context.Context, records ...kafka.Record) error {
	if b.produce != nil {
		return b.produce(ctx, records...)
	}
	return b.topics.Produce(ctx, records...)
}

// handle gives the stage a batch once, and returns how many records are done.
func (b *bench) handle(t *testing.T, records []kafka.Record) (int, error) {
	t.Helper()
	left, err := handle(t.Context(), b.stage, producerFunc(b.write), records)
	return len(records) - len(left), err
}

// work hands the stage all records until they are settled, as a consumer would,
// and gives up after so many errors.
func (b *bench) work(t *testing.T, records []kafka.Record, patience int) {
	t.Helper()
	for len(records) > 0 {
		left, err := handle(t.Context(), b.stage, producerFunc(b.write), records)
		done := len(records) - len(left)
		records = left
		if err == nil {
			require.Positive(t, done, "nothing done, and no error: a consumer would ask forever")
			continue
		}
		patience--
		require.GreaterOrEqual(t, patience, 0, "%v", err)
	}
}

// raws are records of one partition, each with a body of its own.
func raws(n int) []kafka.Record {
	records := make([]kafka.Record, n)
	for i := range records {
		records[i] = kafka.Record{
			Topic: "recharge.webhooks", Partition: 7, Offset: int64(100 + i), Key: []byte("acme/246936001"),
			Value: []byte(`{"number":` + strconv.Itoa(i) + `}`), Time: time.Date(2026, 3, 1, 9, 59, 59, 0, time.UTC),
			Headers: []kafka.Header{
				{Key: pipeline.HeaderStore, Value: []byte(store)}, {Key: pipeline.HeaderReceivedAt, Value: []byte("2026-03-01T10:00:00Z")},
			},
		}
	}
	return records
}

// numbers are those of the records' bodies.
func numbers(records []kafka.Record) []string {
	var found []string
	for _, r := range records {
		found = append(found, string(r.Value))
	}
	return found
}

// echo makes one output of each record.
func echo(_ context.Context, records []kafka.Record) ([]pipeline.Result, error) {
	results := make([]pipeline.Result, len(records))
	for i, r := range records {
		results[i] = pipeline.Result{Fate: pipeline.Done(), Outputs: []kafka.Record{{Topic: "out", Key: r.Key, Value: r.Value}}}
	}
	return results, nil
}

// What is counted has been written: a counter never runs ahead of Kafka.
func TestStageWritesBeforeItCounts(t *testing.T) {
	b := newBench(t, pipeline.RoleTransformer, handlerFunc(echo))
	b.produce = func(ctx context.Context, records ...kafka.Record) error {
		assert.Empty(t, b.fates.lines)
		assert.Empty(t, b.log.String())
		return b.topics.Produce(ctx, records...)
	}
	done, err := b.handle(t, raws(3))
	require.NoError(t, err)
	assert.Equal(t, 3, done)
	assert.Equal(t, []string{"transformer done", "transformer done", "transformer done"}, b.fates.lines)
	assert.Equal(t, numbers(raws(3)), numbers(b.topics.since("out", 0)))
}

// A write that Kafka did not confirm settles nothing, and comes again the same.
func TestStageProduceFails(t *testing.T) {
	w := newWorld(t, storeConfig{SMS: true})
	var tried [][]kafka.Record
	down := errors.New("not enough replicas")
	w.run.Producer = producerFunc(func(ctx context.Context, records ...kafka.Record) error {
		tried = append(tried, records)
		if len(tried) < 3 {
			return down
		}
		return w.topics.Produce(ctx, records...)
	})
	stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, w.options(storeConfig{SMS: true}), w.run)
	require.NoError(t, err)
	webhooks := []kafka.Record{
		w.raw("subscription/created", subscriptionBody("784594001", joBean)),
		w.raw("subscription/created", `{"subscription":{}}`),
		w.raw("subscription/cancelled", subscriptionBody("784594001", joBean)),
	}
	for range 2 {
		done, err := w.handle(stages[0], webhooks)
		require.ErrorIs(t, err, down)
		assert.Zero(t, done)
		assert.Empty(t, w.fates.lines)
	}
	done, err := w.handle(stages[0], webhooks)
	require.NoError(t, err)
	assert.Equal(t, 3, done)
	assert.Equal(t, []string{"transformer done", "transformer rejected malformed", "transformer done"}, w.fates.lines)
	require.NotEmpty(t, tried[0])
	assert.Equal(t, tried[0], tried[1])
	assert.Equal(t, tried[0], tried[2])
}

// What a handler settled before it failed is settled; the rest comes again.
func TestStageHandlerFailsInTheMiddle(t *testing.T) {
	down := errors.New("destination down")
	failing := true
	b := newBench(t, pipeline.RoleTransformer, handlerFunc(func(ctx context.Context, records []kafka.Record) ([]pipeline.Result, error) {
		if failing {
			results, _ := echo(ctx, records[:2])
			return results, down
		}
		return echo(ctx, records)
	}))
	records := raws(5)
	done, err := b.handle(t, records)
	require.ErrorIs(t, err, down)
	assert.Equal(t, 2, done)
	assert.Equal(t, numbers(records[:2]), numbers(b.topics.since("out", 0)))
	assert.Len(t, b.fates.lines, 2)

	failing = false
	done, err = b.handle(t, records[done:])
	require.NoError(t, err)
	assert.Equal(t, 3, done)
	assert.Equal(t, numbers(records), numbers(b.topics.since("out", 0)))
	assert.Len(t, b.fates.lines, 5)
}

// A handler may fail with everything settled: nothing breaks by that.
func TestStageHandlerFailsAtTheEnd(t *testing.T) {
	late := errors.New("too late to matter")
	b := newBench(t, pipeline.RoleTransformer, handlerFunc(func(ctx context.Context, records []kafka.Record) ([]pipeline.Result, error) {
		results, _ := echo(ctx, records)
		return results, late
	}))
	done, err := b.handle(t, raws(2))
	require.ErrorIs(t, err, late)
	assert.Equal(t, 2, done)
}

// A record on which the handler panics becomes a dead letter; its neighbours in
// the batch go their way.
func TestStagePanic(t *testing.T) {
	for _, bad := range [][]int{{0}, {2}, {4}, {1, 2}, {0, 4}, {0, 1, 2, 3, 4}} {
		t.Run(fmt.Sprint(bad), func(t *testing.T) {
			records := raws(5)
			panics := map[string]bool{}
			for _, i := range bad {
				panics[string(records[i].Value)] = true
			}
			b := newBench(t, pipeline.RoleTransformer, handlerFunc(func(ctx context.Context, records []kafka.Record) ([]pipeline.Result, error) {
				for _, r := range records {
					if panics[string(r.Value)] {
						panic("assignment to entry in nil map")
					}
				}
				return echo(ctx, records)
			}))
			b.work(t, records, 0)

			var fates, outputs []string
			var dead []kafka.Record
			for _, r := range records {
				if panics[string(r.Value)] {
					fates, dead = append(fates, "transformer rejected panic"), append(dead, r)
					continue
				}
				fates, outputs = append(fates, "transformer done"), append(outputs, string(r.Value))
			}
			assert.Equal(t, fates, b.fates.lines)
			assert.Equal(t, outputs, numbers(b.topics.since("out", 0)))
			letters := b.topics.since("recharge.deadletter.transformer", 0)
			assert.Equal(t, numbers(dead), numbers(letters))
			for i, letter := range letters {
				assert.Equal(t, "panic", letter.Header(deadletter.HeaderReason))
				assert.Equal(t, strconv.FormatInt(dead[i].Offset, 10), letter.Header(deadletter.HeaderOffset))
			}
			assert.Contains(t, b.log.String(), "stage_test.go", "the stack says where")
		})
	}
}

// While a dead letter can't be written its record stays where it is: it is
// neither skipped nor counted.
func TestStageDeadLetterUnavailable(t *testing.T) {
	b := newBench(t, pipeline.RoleTransformer, handlerFunc(func(ctx context.Context, records []kafka.Record) ([]pipeline.Result, error) {
		results, err := echo(ctx, records)
		results[0] = pipeline.Result{Fate: pipeline.Reject(pipeline.ReasonMalformed, errors.New("no object"))}
		return results, err
	}))
	down := errors.New("no leader")
	b.produce = func(context.Context, ...kafka.Record) error { return down }
	for range 5 {
		done, err := b.handle(t, raws(2))
		require.ErrorIs(t, err, down)
		require.Zero(t, done)
	}
	assert.Empty(t, b.fates.lines)
	b.produce = nil
	b.work(t, raws(2), 0)
	assert.Equal(t, []string{"transformer rejected malformed", "transformer done"}, b.fates.lines)
	assert.Equal(t, numbers(raws(1)), numbers(b.topics.since("recharge.deadletter.transformer", 0)))
}

func TestStageTooManyResults(t *testing.T) {
	b := newBench(t, pipeline.RoleTransformer, handlerFunc(func(ctx context.Context, records []kafka.Record) ([]pipeline.Result, error) {
		return echo(ctx, append(records, records...))
	}))
	done, err := b.handle(t, raws(2))
	require.EqualError(t, err, "handler of transformer settled 4 of 2 records")
	assert.Zero(t, done)
	assert.Empty(t, b.fates.lines)
	assert.Empty(t, b.topics.since("out", 0))
}

// A dead letter is the record as it was, in its partition; what it says of an
// earlier death is replaced.
func TestDeadLetter(t *testing.T) {
	b := newBench(t, pipeline.RoleSMS, handlerFunc(func(context.Context, []kafka.Record) ([]pipeline.Result, error) {
		return []pipeline.Result{{Fate: pipeline.Reject(pipeline.ReasonRefused, errors.New("says no"))}}, nil
	}))
	var written []kafka.Record
	b.produce = func(_ context.Context, records ...kafka.Record) error {
		written = append(written, records...)
		return nil
	}
	record := raws(1)[0]
	record.Headers = append(record.Headers,
		kafka.Header{Key: "twice", Value: []byte("1")}, kafka.Header{Key: "twice", Value: []byte("2")},
		kafka.Header{Key: deadletter.HeaderReason, Value: []byte("malformed")})
	_, err := b.handle(t, []kafka.Record{record})
	require.NoError(t, err)
	require.Len(t, written, 1)
	header := func(key, value string) kafka.Header { return kafka.Header{Key: key, Value: []byte(value)} }
	assert.Equal(t, kafka.Record{
		Topic: "recharge.deadletter.sms", Partition: 7, Key: record.Key, Value: record.Value,
		Headers: []kafka.Header{
			header(pipeline.HeaderStore, store), header(pipeline.HeaderReceivedAt, "2026-03-01T10:00:00Z"),
			header("twice", "1"), header("twice", "2"),
			header(deadletter.HeaderReason, "refused"), header(deadletter.HeaderError, "says no"),
			header(deadletter.HeaderRole, "sms"), header(deadletter.HeaderTopic, "recharge.webhooks"),
			header(deadletter.HeaderPartition, "7"), header(deadletter.HeaderOffset, "100"),
			header(deadletter.HeaderTime, "2026-03-01T09:59:59Z"), header(deadletter.HeaderAttempts, "1"),
			header(deadletter.HeaderFirstAt, "2026-03-01T10:00:05Z"), header(deadletter.HeaderAt, "2026-03-01T10:00:05Z"),
		},
	}, written[0])
}

// An output that no broker would take makes its record a dead letter, and that
// one only: it would hold its partition up for ever.
func TestStageOutputTooLarge(t *testing.T) {
	b := newBench(t, pipeline.RoleTransformer, handlerFunc(func(ctx context.Context, records []kafka.Record) ([]pipeline.Result, error) {
		results, err := echo(ctx, records)
		results[1].Outputs = append(results[1].Outputs, kafka.Record{Topic: "out", Value: make([]byte, kafka.MaxRecordBytes)})
		return results, err
	}))
	b.produce = func(ctx context.Context, records ...kafka.Record) error {
		for _, r := range records {
			require.LessOrEqual(t, r.Size(), kafka.MaxRecordBytes)
		}
		return b.topics.Produce(ctx, records...)
	}
	records := raws(3)
	done, err := b.handle(t, records)
	require.NoError(t, err)
	assert.Equal(t, 3, done)
	assert.Equal(t, []string{"transformer done", "transformer rejected too_large", "transformer done"}, b.fates.lines)
	assert.Equal(t, []string{string(records[0].Value), string(records[2].Value)}, numbers(b.topics.since("out", 0)))
	assert.Equal(t, []string{string(records[1].Value)}, numbers(b.topics.since("recharge.deadletter.transformer", 0)))
}

// However long an error is, the dead letter that tells it can be written.
func TestDeadLetterOfALongError(t *testing.T) {
	b := newBench(t, pipeline.RoleTransformer, handlerFunc(func(context.Context, []kafka.Record) ([]pipeline.Result, error) {
		return []pipeline.Result{{Fate: pipeline.Reject(pipeline.ReasonRefused, errors.New(strings.Repeat("ä", 1<<20)))}}, nil
	}))
	record := raws(1)[0]
	record.Value = make([]byte, kafka.MaxRecordBytes-16<<10-1<<10)
	b.work(t, []kafka.Record{record}, 0)
	letter := b.topics.since("recharge.deadletter.transformer", 0)[0]
	assert.LessOrEqual(t, letter.Size(), kafka.MaxRecordBytes)
	assert.True(t, utf8.ValidString(letter.Header(deadletter.HeaderError)))
}

// A stage says what it waits for, by partition, until that goes on.
func TestStageTrouble(t *testing.T) {
	failing := map[int]error{}
	b := newBench(t, pipeline.RoleTransformer, handlerFunc(func(ctx context.Context, records []kafka.Record) ([]pipeline.Result, error) {
		if err := failing[records[0].Partition]; err != nil {
			return nil, err
		}
		return echo(ctx, records)
	}))
	handle := func(partition int) {
		records := raws(1)
		records[0].Partition = partition
		_, err := b.handle(t, records)
		require.ErrorIs(t, err, failing[partition])
	}
	handle(1)
	require.NoError(t, b.stage.Trouble())
	failing[1], failing[2] = errors.New("api down"), errors.New("api down")
	handle(1)
	require.EqualError(t, b.stage.Trouble(), "1 partitions wait, one of them (recharge.webhooks/1) for: api down")
	handle(2)
	handle(2)
	handle(3)
	require.ErrorContains(t, b.stage.Trouble(), "2 partitions wait")
	failing[1], failing[2] = nil, nil
	handle(1)
	handle(2)
	require.NoError(t, b.stage.Trouble())
	assert.Equal(t, []int{0, 1, 2, 2, 2, 1, 0}, b.fates.waiting)

	failing[1] = errors.New("api down")
	handle(1)
	b.stage.Assigned(kafka.Status{})
	require.NoError(t, b.stage.Trouble(), "the partition is another process's now")
	assert.Equal(t, []int{1, 0}, b.fates.waiting[7:])
}

// Outputs go to the partition of what they come from, whatever their key: there
// the customer's order is kept. They name it.
func TestOutputsStayInThePartition(t *testing.T) {
	w := newWorld(t, storeConfig{SMS: true})
	var written []kafka.Record
	w.run.Producer = producerFunc(func(_ context.Context, records ...kafka.Record) error {
		written = append(written, records...)
		return nil
	})
	stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, w.options(storeConfig{SMS: true}), w.run)
	require.NoError(t, err)
	good, bad := w.raw("subscription/created", subscriptionBody("784594001", joBean)), w.raw("subscription/created", "{}")
	good.Partition, good.Offset, bad.Partition, bad.Offset = 5, 41, 5, 42
	_, err = w.handle(stages[0], []kafka.Record{good, bad})
	require.NoError(t, err)
	require.NotEmpty(t, written)
	for _, r := range written {
		assert.Equal(t, 5, r.Partition)
		if !slices.Contains([]string{"recharge.events", "recharge.sms-triggers", "recharge.customers"}, r.Topic) {
			continue
		}
		assert.Equal(t, "acme/246936001", string(r.Key))
		assert.Equal(t, "recharge.webhooks", r.Header(pipeline.HeaderRawTopic))
		assert.Equal(t, "5", r.Header(pipeline.HeaderRawPartition))
		assert.Equal(t, "41", r.Header(pipeline.HeaderRawOffset))
		assert.Equal(t, good.Header(pipeline.HeaderTraceparent), r.Header(pipeline.HeaderTraceparent))
		assert.Equal(t, good.Header(pipeline.HeaderReceivedAt), r.Header(pipeline.HeaderReceivedAt))
	}
	assert.True(t, slices.ContainsFunc(written, func(r kafka.Record) bool { return r.Topic == "recharge.deadletter.transformer" }))
}

// The time of a webhook's whole path is measured where it ends, and only if it
// had its effect there.
func TestEndToEnd(t *testing.T) {
	for _, test := range []struct {
		role pipeline.Role
		want []time.Duration
	}{
		{pipeline.RoleTransformer, nil},
		{pipeline.RoleSMS, []time.Duration{5 * time.Second}},
	} {
		t.Run(string(test.role), func(t *testing.T) {
			b := newBench(t, test.role, handlerFunc(func(_ context.Context, records []kafka.Record) ([]pipeline.Result, error) {
				return []pipeline.Result{{Fate: pipeline.Done()}, {Fate: pipeline.Skip(pipeline.ReasonStale)}, {Fate: pipeline.Done()}}, nil
			}))
			records := raws(3)
			records[2].Headers = records[2].Headers[:1] // it lost its received_at
			b.work(t, records, 0)
			assert.Equal(t, test.want, b.fates.endToEnd)
		})
	}
}

func TestStagesTable(t *testing.T) {
	run := pipeline.Runtime{Topics: pipeline.Topics{Prefix: "test."}}
	options := pipeline.Options{State: &memoryState{}, Raw: &memoryTopics{}, Asker: &asks{}, Stores: []pipeline.Store{
		{Settings: settingsOf("acme"), Tracker: trackerFunc(nil), Texts: &pipeline.Texts{}},
		{Settings: settingsOf("silent")},
		{Settings: settingsOf("beta"), Tracker: trackerFunc(nil), Texts: &pipeline.Texts{}},
	}}
	stages, err := pipeline.Stages(pipeline.Roles(), options, run)
	require.NoError(t, err)
	var got []string
	for _, s := range stages {
		got = append(got, fmt.Sprintf("%s %v %s sink:%t whole:%t", s.Role, s.Topics, s.Group, s.Sink, s.Whole))
	}
	assert.Equal(t, []string{
		"transformer [test.recharge.webhooks test.recharge.redrive.transformer] test.rechargeflow.transformer sink:false whole:false",
		"tracking [test.recharge.events test.recharge.redrive.tracking] test.rechargeflow.tracking.acme sink:true whole:false",
		"tracking [test.recharge.events test.recharge.redrive.tracking] test.rechargeflow.tracking.beta sink:true whole:false",
		"sms [test.recharge.sms-triggers test.recharge.redrive.sms] test.rechargeflow.sms.acme sink:true whole:true",
		"sms [test.recharge.sms-triggers test.recharge.redrive.sms] test.rechargeflow.sms.beta sink:true whole:true",
	}, got)
	_, err = pipeline.Stages([]pipeline.Role{"links"}, options, run)
	require.EqualError(t, err, `role "links" is unknown`)
	_, err = pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, pipeline.Options{}, run)
	require.ErrorContains(t, err, "build transformer")
}

func settingsOf(name string) subscriber.Settings {
	return subscriber.Settings{Store: name, CustomerID: subscriber.ByEmail, CustomerIDName: "registered", ActiveProperty: true, SMS: true}
}
