package stage_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
)

// What is counted has been written: a counter never runs ahead of Kafka.
func TestWritesBeforeItCounts(t *testing.T) {
	inBothModes(t, func(t *testing.T, newBench func(stage.Handler) *bench) {
		b := newBench(echo)
		b.produce = func(_ context.Context, records ...kafka.Record) error {
			assert.Empty(t, b.outcomes)
			assert.Empty(t, b.log.String())
			return b.store(records)
		}
		done, err := b.once(t, raws(3))
		require.NoError(t, err)
		assert.Equal(t, 3, done)
		assert.Equal(t, []string{"translator done", "translator done", "translator done"}, b.outcomes)
		assert.Equal(t, bodies(raws(3)), bodies(b.topics["out"]))
		assert.Equal(t, 3, strings.Count(b.log.String(), `"outputs":1`))
	})
}

// Outcomes before the handler's error count; the rest is handled again.
func TestHandlerFailsInTheMiddle(t *testing.T) {
	inBothModes(t, func(t *testing.T, newBench func(stage.Handler) *bench) {
		down := errors.New("destination down")
		failing := true
		b := newBench(func(ctx context.Context, records []kafka.Record) ([]stage.Result, error) {
			if failing {
				results, _ := echo(ctx, records[:2])
				return results, down
			}
			return echo(ctx, records)
		})
		records := raws(5)
		done, err := b.once(t, records)
		require.ErrorIs(t, err, down)
		assert.Equal(t, 2, done)
		assert.Equal(t, bodies(records[:2]), bodies(b.topics["out"]))
		assert.Len(t, b.outcomes, 2)

		failing = false
		done, err = b.once(t, records[done:])
		require.NoError(t, err)
		assert.Equal(t, 3, done)
		assert.Equal(t, bodies(records), bodies(b.topics["out"]))
		assert.Len(t, b.outcomes, 5)
	})
}

// A handler may fail after the last outcome.
func TestHandlerFailsAtTheEnd(t *testing.T) {
	inBothModes(t, func(t *testing.T, newBench func(stage.Handler) *bench) {
		late := errors.New("too late to matter")
		b := newBench(func(ctx context.Context, records []kafka.Record) ([]stage.Result, error) {
			results, _ := echo(ctx, records)
			return results, late
		})
		done, err := b.once(t, raws(2))
		require.ErrorIs(t, err, late)
		assert.Equal(t, 2, done)
	})
}

// A record on which the handler panics becomes a dead letter; the other records of the batch are handled.
func TestPanic(t *testing.T) {
	inBothModes(t, func(t *testing.T, newBench func(stage.Handler) *bench) {
		for _, bad := range [][]int{{0}, {2}, {4}, {1, 2}, {0, 4}, {0, 1, 2, 3, 4}} {
			t.Run(fmt.Sprint(bad), func(t *testing.T) { panicsOn(t, newBench, bad) })
		}
	})
}

func panicsOn(t *testing.T, newBench func(stage.Handler) *bench, bad []int) {
	records := raws(5)
	panics := map[string]bool{}
	for _, i := range bad {
		panics[string(records[i].Value)] = true
	}
	b := newBench(func(ctx context.Context, records []kafka.Record) ([]stage.Result, error) {
		for _, r := range records {
			if panics[string(r.Value)] {
				panic("assignment to entry in nil map")
			}
		}
		return echo(ctx, records)
	})
	b.all(t, records)

	var outcomes, outputs []string
	var dead []kafka.Record
	for _, r := range records {
		if panics[string(r.Value)] {
			outcomes, dead = append(outcomes, "translator rejected panic"), append(dead, r)
			continue
		}
		outcomes, outputs = append(outcomes, "translator done"), append(outputs, string(r.Value))
	}
	assert.Equal(t, outcomes, b.outcomes)
	assert.Equal(t, outputs, bodies(b.topics["out"]))
	letters := b.topics[deadLetters]
	assert.Equal(t, bodies(dead), bodies(letters))
	for i, letter := range letters {
		assert.Equal(t, "panic", letter.Header(deadletter.HeaderReason))
		assert.Equal(t, strconv.FormatInt(dead[i].Offset, 10), letter.Header(deadletter.HeaderOffset))
	}
	assert.Contains(t, b.log.String(), "stage_test.go", "the stack names the line")
}

// While a dead letter can't be written its record stays where it is: neither skipped nor counted.
func TestDeadLetterTopicUnavailable(t *testing.T) {
	inBothModes(t, func(t *testing.T, newBench func(stage.Handler) *bench) {
		b := newBench(func(ctx context.Context, records []kafka.Record) ([]stage.Result, error) {
			results, err := echo(ctx, records)
			results[0] = stage.Result{Outcome: stage.Reject(reason.Malformed, errors.New("no object"))}
			return results, err
		})
		down := errors.New("no leader")
		b.produce = func(context.Context, ...kafka.Record) error { return down }
		for range 5 {
			done, err := b.once(t, raws(2))
			require.ErrorIs(t, err, down)
			require.Zero(t, done)
		}
		assert.Empty(t, b.outcomes)
		b.produce = nil
		b.all(t, raws(2))
		assert.Equal(t, []string{"translator rejected malformed", "translator done"}, b.outcomes)
		assert.Equal(t, bodies(raws(1)), bodies(b.topics[deadLetters]))
	})
}

func TestTooManyResults(t *testing.T) {
	inBothModes(t, func(t *testing.T, newBench func(stage.Handler) *bench) {
		b := newBench(func(ctx context.Context, records []kafka.Record) ([]stage.Result, error) {
			return echo(ctx, append(records, records...))
		})
		done, err := b.once(t, raws(2))
		require.EqualError(t, err, "handler of translator returned 4 results for 2 records")
		assert.Zero(t, done)
		assert.Empty(t, b.outcomes)
		assert.Empty(t, b.topics["out"])
	})
}

// A dead letter is the record as it was, in its partition; headers of an earlier rejection are replaced.
func TestDeadLetter(t *testing.T) {
	inBothModes(t, func(t *testing.T, newBench func(stage.Handler) *bench) {
		b := newBench(func(context.Context, []kafka.Record) ([]stage.Result, error) {
			return []stage.Result{{Outcome: stage.Reject(reason.Refused, errors.New("says no"))}}, nil
		})
		record := raws(1)[0]
		header := envelope.Header
		record.Headers = append(record.Headers, header("twice", "1"), header("twice", "2"), header(deadletter.HeaderReason, "malformed"))
		_, err := b.once(t, []kafka.Record{record})
		require.NoError(t, err)
		assert.Equal(t, []kafka.Record{{
			Topic: deadLetters, Partition: 7, Key: record.Key, Value: record.Value,
			Headers: []kafka.Header{
				header(envelope.HeaderStore, store), header(envelope.HeaderReceivedAt, "2026-03-01T10:00:00Z"),
				header("twice", "1"), header("twice", "2"),
				header(deadletter.HeaderReason, "refused"), header(deadletter.HeaderError, "says no"),
				header(deadletter.HeaderRole, role), header(deadletter.HeaderTopic, input),
				header(deadletter.HeaderPartition, "7"), header(deadletter.HeaderOffset, "100"),
				header(deadletter.HeaderTime, "2026-03-01T09:59:59Z"), header(deadletter.HeaderAttempts, "1"),
				header(deadletter.HeaderFirstAt, "2026-03-01T10:00:05Z"), header(deadletter.HeaderAt, "2026-03-01T10:00:05Z"),
			},
		}}, b.topics[deadLetters])
	})
}

// A dead letter can be written however long its error is.
func TestDeadLetterOfALongError(t *testing.T) {
	b := newBench(func(context.Context, []kafka.Record) ([]stage.Result, error) {
		return []stage.Result{{Outcome: stage.Reject(reason.Refused, errors.New(strings.Repeat("ä", 1<<20)))}}, nil
	}, true)
	record := raws(1)[0]
	record.Value = make([]byte, deadletter.MaxRecordBytes-1<<10)
	b.all(t, []kafka.Record{record})
	letter := b.topics[deadLetters][0]
	assert.LessOrEqual(t, letter.Size(), kafka.MaxRecordBytes)
	assert.True(t, utf8.ValidString(letter.Header(deadletter.HeaderError)))
}

// Trouble returns why partitions wait, until they go on.
func TestTrouble(t *testing.T) {
	inBothModes(t, func(t *testing.T, newBench func(stage.Handler) *bench) {
		failing := map[int]error{}
		b := newBench(func(ctx context.Context, records []kafka.Record) ([]stage.Result, error) {
			if err := failing[records[0].Partition]; err != nil {
				return nil, err
			}
			return echo(ctx, records)
		})
		handle := func(partition int) {
			records := raws(1)
			records[0].Partition = partition
			_, err := b.once(t, records)
			require.ErrorIs(t, err, failing[partition])
		}
		handle(1)
		require.NoError(t, b.stage.Trouble())
		failing[1], failing[2] = errors.New("api down"), errors.New("api down")
		handle(1)
		require.EqualError(t, b.stage.Trouble(), "1 partitions are waiting, for example in/1: api down")
		handle(2)
		handle(2)
		handle(3)
		require.ErrorContains(t, b.stage.Trouble(), "2 partitions are waiting")
		failing[1], failing[2] = nil, nil
		handle(1)
		handle(2)
		require.NoError(t, b.stage.Trouble())
		assert.Equal(t, []int{0, 1, 2, 2, 2, 1, 0}, b.waiting)

		failing[1] = errors.New("api down")
		handle(1)
		b.stage.Assigned(kafka.Status{})
		require.NoError(t, b.stage.Trouble(), "the partition is another process's now")
		assert.Equal(t, []int{1, 0}, b.waiting[7:])
	})
}

// The duration of a webhook's whole path is measured at a sink, for records that had their effect.
func TestEndToEnd(t *testing.T) {
	for sink, want := range map[bool][]time.Duration{false: nil, true: {5 * time.Second}} {
		b := newBench(func(context.Context, []kafka.Record) ([]stage.Result, error) {
			return []stage.Result{{Outcome: stage.Done()}, {Outcome: stage.Skip(reason.Stale)}, {Outcome: stage.Done()}}, nil
		}, false)
		b.stage.Sink = sink
		records := raws(3)
		records[0].Headers = append(records[0].Headers, envelope.Header(envelope.HeaderTraceparent, "00-trace"))
		records[2].Headers = records[2].Headers[:1] // without received_at
		b.all(t, records)
		assert.Equal(t, want, b.endToEnd)
		assert.Equal(t, sink, b.exemplar == "00-trace")
	}
}

// A record chooses neither a label nor the length of a log line.
func TestRecordOfAnUnknownStore(t *testing.T) {
	inBothModes(t, func(t *testing.T, newBench func(stage.Handler) *bench) {
		b := newBench(echo)
		records := raws(3)
		records[0].Headers = nil
		records[1].Headers[0] = envelope.Header(envelope.HeaderStore, "other\xff"+strings.Repeat("x", 1<<16))
		records[2].Key = []byte(strings.Repeat("ä", 1<<16))
		b.all(t, records)
		assert.Equal(t, []string{"unknown", "unknown", store}, b.stores)
		assert.Less(t, b.log.Len(), 4<<10)
		assert.True(t, utf8.Valid(b.log.Bytes()))
	})
}

// A partition that waited and continues is a log line, once.
func TestPartitionContinues(t *testing.T) {
	inBothModes(t, func(t *testing.T, newBench func(stage.Handler) *bench) {
		var down error
		b := newBench(func(ctx context.Context, records []kafka.Record) ([]stage.Result, error) {
			if down != nil {
				return nil, down
			}
			return echo(ctx, records)
		})
		now := time.Date(2026, 3, 1, 10, 0, 5, 0, time.UTC)
		b.stage.Run.Now = func() time.Time { return now }
		line := `"msg":"partition continues","role":"translator","group":"group","topic":"in","partition":7,"waited":30`
		b.all(t, raws(1))
		assert.NotContains(t, b.log.String(), "partition continues")
		down = errors.New("destination down")
		for range 3 {
			_, err := b.once(t, raws(1))
			require.ErrorIs(t, err, down)
			now = now.Add(10 * time.Second)
		}
		assert.NotContains(t, b.log.String(), "partition continues")
		down = nil
		b.all(t, raws(1))
		b.all(t, raws(1))
		assert.Equal(t, 1, strings.Count(b.log.String(), line), b.log.String())
	})
}
