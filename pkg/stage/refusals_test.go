package stage_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
)

// destination accepts records, but for those that it refuses.
type destination struct {
	refusals *stage.Refusals
	now      time.Time
	pause    time.Duration  // before each refusal
	refuses  map[int64]bool // by offset
	down     int            // calls for which it refuses all
	calls    int
	accepted []int64
	finished map[string][]int64 // accepted or rejected, by customer, in this order
}

func newDestination(refuses ...int64) *destination {
	d := &destination{pause: time.Minute, refuses: map[int64]bool{}, finished: map[string][]int64{}}
	d.refusals = stage.NewRefusals(func() time.Time { return d.now })
	for _, offset := range refuses {
		d.refuses[offset] = true
	}
	return d
}

func (d *destination) handle(_ context.Context, r kafka.Record) (stage.Outcome, error) {
	d.calls++
	if d.down > 0 || d.refuses[r.Offset] {
		d.down--
		d.now = d.now.Add(d.pause)
		if d.refusals.Alone(r) {
			d.finished[string(r.Key)] = append(d.finished[string(r.Key)], r.Offset)
			return stage.Reject(reason.Refused, errors.New("forbidden")), nil
		}
		return stage.Outcome{}, &stage.RefusedForAll{Err: errors.New("forbidden")}
	}
	d.refusals.Accept()
	d.accepted = append(d.accepted, r.Offset)
	d.finished[string(r.Key)] = append(d.finished[string(r.Key)], r.Offset)
	return stage.Done(), nil
}

func (d *destination) send(records []kafka.Record) ([]stage.Result, error) {
	return d.refusals.Handle(context.Background(), records, d.handle)
}

// numbered returns records of n customers.
func numbered(n int) []kafka.Record {
	records := raws(n)
	for i := range records {
		records[i].Key = []byte(fmt.Sprint("acme/", i))
	}
	return records
}

func kinds(results []stage.Result) (text string) {
	for _, r := range results {
		if r.Outcome.Kind == "" {
			text += "-"
			continue
		}
		text += string(r.Outcome.Kind[:1])
	}
	return text
}

func TestRefusedAlone(t *testing.T) {
	tests := []struct {
		refuses []int64 // of 100 to 104
		want    string
		waits   bool
		calls   int
	}{
		{nil, "ddddd", false, 5},
		{[]int64{100}, "rdddd", false, 6},
		{[]int64{100, 102}, "rdrdd", false, 7},
		{[]int64{100, 101, 102}, "rrrdd", false, 8},
		{[]int64{104}, "dddd-", true, 5}, // none was accepted after it
		{[]int64{102, 104}, "ddrd-", true, 7},
		{[]int64{100, 101, 102, 103}, "-----", true, 4},
		{[]int64{100, 101, 102, 103, 104}, "-----", true, 4},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.refuses), func(t *testing.T) {
			d := newDestination(test.refuses...)
			results, err := d.send(numbered(5))
			assert.Equal(t, test.want, kinds(results))
			assert.Equal(t, test.waits, err != nil)
			assert.Equal(t, test.calls, d.calls)
		})
	}
}

// Two refusals within half a minute prove nothing, even if others are accepted between them.
func TestRefusedTwiceWithinAMoment(t *testing.T) {
	d := newDestination(100)
	d.pause = 0
	for range 3 {
		results, err := d.send(numbered(3))
		require.Error(t, err)
		assert.Equal(t, "-dd", kinds(results))
		d.now = d.now.Add(14 * time.Second)
	}
	results, err := d.send(numbered(3)[:1])
	require.NoError(t, err)
	assert.Equal(t, "r", kinds(results))
}

// While all are refused, each attempt tries one record that waits and a few new ones, until all were tried. Then it tries one.
func TestAllRefused(t *testing.T) {
	d := newDestination()
	d.down = 1000
	records := numbered(10)
	for _, calls := range []int{4, 4, 4, 1, 1} {
		d.calls = 0
		results, err := d.send(records)
		require.Error(t, err)
		assert.Equal(t, "----------", kinds(results))
		assert.Equal(t, calls, d.calls)
		assert.True(t, d.refusals.Several())
	}
	d.down = 0
	results, err := d.send(records)
	require.NoError(t, err)
	assert.Equal(t, "dddddddddd", kinds(results), "none was refused alone")
	assert.False(t, d.refusals.Several())
}

// Another error stops the batch at its record.
func TestOtherErrorBehindARefusal(t *testing.T) {
	d := newDestination(100)
	busy := errors.New("busy")
	results, err := d.refusals.Handle(t.Context(), numbered(4), func(ctx context.Context, r kafka.Record) (stage.Outcome, error) {
		if r.Offset == 102 {
			return stage.Outcome{}, busy
		}
		return d.handle(ctx, r)
	})
	require.ErrorIs(t, err, busy)
	assert.Equal(t, "-d--", kinds(results))
}

// Whichever records are refused, and whatever batches they come in: each is accepted or rejected once, and a customer's records are
// handled in their order. While new records are accepted, none waits for ever.
func TestRefusedRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "records")
		d := newDestination()
		d.down = rapid.IntRange(0, 10).Draw(t, "down")
		all := numbered(n + 100)
		for i := range n {
			if rapid.Bool().Draw(t, "refused") {
				d.refuses[all[i].Offset] = true
			}
			all[i].Key = []byte(fmt.Sprint("acme/customer-", rapid.IntRange(0, n).Draw(t, "customer")))
		}
		left, fresh := append([]kafka.Record{}, all[:n]...), all[n:]
		rejected := 0
		for len(left) > 0 {
			require.NotEmpty(t, fresh, "records wait for ever")
			size := rapid.IntRange(1, len(left)).Draw(t, "batch")
			if len(fresh)%2 == 0 { // as a consumer does while nothing is finished: more records, and a new one that is accepted
				left, size = append(left, fresh[0]), len(left)+1
			}
			fresh = fresh[1:]
			results, _ := d.send(left[:size])
			var open []kafka.Record
			for i, r := range left[:size] {
				if results[i].Outcome.Kind == "" {
					open = append(open, r)
					continue
				}
				if results[i].Outcome.Kind == stage.KindRejected {
					rejected++
				}
			}
			left = append(open, left[size:]...)
		}
		total := 0
		for customer, offsets := range d.finished {
			assert.IsIncreasing(t, offsets, customer)
			total += len(offsets)
		}
		assert.Equal(t, total, rejected+len(d.accepted))
		assert.GreaterOrEqual(t, rejected, len(d.refuses))
	})
}

// Records that were refused while all were are tried in turn, so that one that is refused alone does not hide the others.
func TestWaitingRecordsAreTriedInTurn(t *testing.T) {
	d := newDestination(100)
	d.down = 3
	records := numbered(3)
	_, err := d.send(records)
	require.Error(t, err)
	results, err := d.send(records)
	require.Error(t, err)
	assert.Equal(t, "---", kinds(results), "the first one was tried")
	results, err = d.send(records)
	require.NoError(t, err)
	assert.Equal(t, "rdd", kinds(results))
}

// Only what is accepted is a reason to try a record again at once.
func TestSkippedBehindARefusal(t *testing.T) {
	d := newDestination(100)
	results, err := d.refusals.Handle(t.Context(), numbered(3), func(ctx context.Context, r kafka.Record) (stage.Outcome, error) {
		if r.Offset != 100 {
			d.calls++
			return stage.Skip(reason.Stale), nil
		}
		return d.handle(ctx, r)
	})
	require.Error(t, err)
	assert.Equal(t, "-ss", kinds(results))
	assert.Equal(t, 3, d.calls)
}

// A record that was rejected and comes again needs another proof.
func TestRejectedRecordComesAgain(t *testing.T) {
	d := newDestination(100)
	records := numbered(2)
	results, err := d.send(records)
	require.NoError(t, err)
	assert.Equal(t, "rd", kinds(results))
	results, err = d.send(records[:1])
	require.Error(t, err)
	assert.Equal(t, "-", kinds(results))
}

func TestSeveralRefused(t *testing.T) {
	f, records := stage.NewRefusals(time.Now), numbered(2)
	assert.False(t, f.Alone(records[0]))
	assert.False(t, f.Several())
	assert.False(t, f.Alone(records[1]))
	assert.True(t, f.Several())
	f.Accept()
	assert.False(t, f.Several(), "they may be refused alone")
}

// A record behind a waiting one of its customer is not tried, so it does not keep those of others from being tried.
func TestLaterRecordOfACustomerIsNotTriedFirst(t *testing.T) {
	records := numbered(3)
	records[1].Key = records[0].Key
	d := newDestination(100, 101, 102)
	for _, r := range records[1:] {
		_, err := d.send([]kafka.Record{r})
		require.Error(t, err)
	}
	delete(d.refuses, 102)
	results, err := d.send(records)
	require.NoError(t, err)
	assert.Equal(t, "rrd", kinds(results))
}
