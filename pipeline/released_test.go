package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// customerAnswer is what the API says of the customer whose two subscriptions wait.
const customerAnswer = `{"customer_id":"7","asked_for":"identity","customer":{"id":7,"email":"ada@shop.example",` +
	`"subscriptions_active_count":0,"created_at":"2026-03-01T09:00:00+00:00","updated_at":"2026-03-01T09:00:00+00:00"}}`

func subscriptionOf7(id int) string {
	return fmt.Sprintf(`{"subscription":{"id":%d,"customer_id":7,"address_id":1,"status":"active",`+
		`"created_at":"2026-03-01T10:00:00+00:00","updated_at":"2026-03-01T10:00:00+00:00"}}`, id)
}

func rawAt(second int, topic, body, origin string) kafka.Record {
	at := time.Date(2026, 3, 1, 10, 0, second, 0, time.UTC)
	return kafka.Record{
		Topic: "recharge.webhooks", Key: []byte("acme/7"), Value: []byte(body), Time: at, Headers: []kafka.Header{
			{Key: pipeline.HeaderStore, Value: []byte("acme")},
			{Key: pipeline.HeaderTopic, Value: []byte(topic)},
			{Key: pipeline.HeaderOrigin, Value: []byte(origin)},
			{Key: pipeline.HeaderReceivedAt, Value: []byte(at.Format(time.RFC3339Nano))},
		},
	}
}

// readers fail as they are told, by the number of the read.
type readers struct {
	pipeline.RawReader
	errs map[int]error
	n    int
}

func (f *readers) Read(ctx context.Context, partition int, offsets ...int64) iter.Seq2[kafka.Record, error] {
	return func(yield func(kafka.Record, error) bool) {
		for record, err := range f.RawReader.Read(ctx, partition, offsets...) {
			if f.n++; f.errs[f.n] != nil {
				record, err = kafka.Record{}, f.errs[f.n]
			}
			if !yield(record, err) || err != nil && !errors.Is(err, kafka.ErrNoRecord) {
				return
			}
		}
	}
}

// releasing is a transformer for which two webhooks wait; the rest is yet to be handled, in one batch.
func releasing(t *testing.T, errs map[int]error, then ...kafka.Record) *world {
	w := newWorld(t, storeConfig{})
	o := w.options(storeConfig{})
	o.Raw = &readers{RawReader: w.topics, errs: errs}
	stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, o, w.run)
	require.NoError(t, err)
	waiting := []kafka.Record{
		rawAt(0, "subscription/created", subscriptionOf7(1), pipeline.OriginWebhook),
		rawAt(1, "subscription/created", subscriptionOf7(2), pipeline.OriginWebhook),
	}
	w.lay(append(waiting, then...)...)
	all := w.topics.since("recharge.webhooks", 0)
	left, err := handle(t.Context(), stages[0], w.run.Producer, all[:2])
	require.NoError(t, err)
	require.Empty(t, left)
	for left = all[2:]; len(left) > 0; {
		left, err = handle(t.Context(), stages[0], w.run.Producer, left)
		if err != nil {
			require.ErrorContains(t, err, "broker away")
		}
	}
	return w
}

// toldOf7 are the facts and what the table says last.
func toldOf7(w *world) (created int, row string) {
	for _, r := range w.topics.since("recharge.events", 0) {
		if strings.Contains(string(r.Value), `"created"`) {
			created++
		}
	}
	rows := w.topics.since("recharge.customers", 0)
	if len(rows) == 0 {
		return created, ""
	}
	return created, string(rows[len(rows)-1].Value)
}

// Of a record that has to come again nothing is kept with what was committed before it.
func TestReleaseThatFailsHalfway(t *testing.T) {
	for _, errs := range []map[int]error{nil, {2: errors.New("broker away")}} {
		w := releasing(t, errs, rawAt(2, "store/updated", `{}`, pipeline.OriginWebhook), rawAt(3, "", customerAnswer, pipeline.OriginLookup))
		created, row := toldOf7(w)
		assert.Equal(t, 2, created)
		assert.Contains(t, row, `"subscription_active":true`, "the last row is the newest")
	}
}

// What retention deleted while it waited is a dead letter, and the customer goes on.
func TestReleaseOfARecordThatIsGone(t *testing.T) {
	w := releasing(t, map[int]error{1: kafka.ErrNoRecord}, rawAt(2, "", customerAnswer, pipeline.OriginLookup))
	created, _ := toldOf7(w)
	assert.Equal(t, 1, created)
	letters := w.topics.since("recharge.deadletter.transformer", 0)
	require.Len(t, letters, 1)
	assert.Equal(t, "parked_record_gone", letters[0].Header("deadletter_reason"))
	assert.Contains(t, w.fates.lines, "transformer rejected parked_record_gone")
}

// An import goes behind what waits for the answer, complete or not.
func TestImportOfACustomerWhoWaits(t *testing.T) {
	for _, imported := range []string{customerAnswer, `{"customer_id":"7","asked_for":"identity","customer":{"id":7}}`} {
		w := releasing(t, nil, rawAt(2, "", imported, pipeline.OriginImport), rawAt(3, "", customerAnswer, pipeline.OriginLookup))
		created, row := toldOf7(w)
		assert.Equal(t, 2, created)
		assert.Contains(t, row, `"subscription_active":true`)
		assert.Equal(t, "transformer waiting customer_asked", w.fates.lines[2])
		assert.Empty(t, w.topics.since("recharge.deadletter.transformer", 0))
	}
}

// What could never be released is a dead letter at once: no answer would find a record under another key, and none is found
// again that is not in the raw topic.
func TestNeverParkedForGood(t *testing.T) {
	for name, change := range map[string]func(*kafka.Record){
		"another key":   func(r *kafka.Record) { r.Key = []byte("acme/8") },
		"another topic": func(r *kafka.Record) { r.Topic = "recharge.redrive.transformer" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, storeConfig{})
			stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, w.options(storeConfig{}), w.run)
			require.NoError(t, err)
			record := rawAt(0, "subscription/created", subscriptionOf7(1), pipeline.OriginWebhook)
			change(&record)
			left, err := handle(t.Context(), stages[0], w.run.Producer, []kafka.Record{record})
			require.NoError(t, err)
			require.Empty(t, left)
			assert.Equal(t, []string{"transformer rejected malformed"}, w.fates.lines)
			require.Len(t, w.topics.since("recharge.deadletter.transformer", 0), 1)
		})
	}
}

func chargeOf7(id int) string { return chargeOf("7", id) }

func chargeOf(customer string, id int) string {
	return fmt.Sprintf(`{"charge":{"id":%d,"customer":{"id":%s},"address_id":1,"status":"queued",`+
		`"created_at":"2026-03-01T10:00:00+00:00","updated_at":"2026-03-01T10:00:00+00:00"}}`, id, customer)
}

// manyWait is a world in which so many webhooks of customer 7 wait for an answer, each with so many bytes more.
func manyWait(t *testing.T, many, pad int) *world { return manyOfEachWait(t, []string{"7"}, many, pad) }

// manyOfEachWait is that for several customers.
func manyOfEachWait(t *testing.T, customers []string, many, pad int) *world {
	w := transforming(t)
	w.hasAPI = false
	for _, customer := range customers {
		for id := 1; id <= many; id++ {
			w.lay(rawOf(customer, rawAt(0, "charge/created", chargeOf(customer, id)+strings.Repeat(" ", pad), pipeline.OriginWebhook)))
		}
	}
	require.NoError(t, w.work(w.stages[0]))
	require.Equal(t, many*len(customers), w.fates.count("transformer waiting customer_asked"))
	w.asks.pending = nil
	return w
}

func rawOf(customer string, r kafka.Record) kafka.Record {
	r.Key = []byte("acme/" + customer)
	return r
}

// answerOf lays an answer about a customer that tells nothing.
func answerOf(customer string) kafka.Record {
	return rawOf(customer, rawAt(1, "", `{"customer_id":"`+customer+`","asked_for":"identity","unreadable":"a page of HTML"}`, pipeline.OriginLookup))
}

// next gives the transformer what it has not read in one batch, of which nothing is left, and releases no more.
func (w *world) next() kafka.Transformed {
	at := w.stages[0].Group + " recharge.webhooks"
	batch := w.topics.since("recharge.webhooks", w.read[at])
	out, err := w.stages[0].Transform(w.t.Context(), batch)
	require.NoError(w.t, err)
	require.Equal(w.t, len(batch), out.Done)
	require.NoError(w.t, w.topics.Produce(w.t.Context(), out.Outputs...))
	out.Ended(nil)
	w.read[at] += len(batch)
	return out
}

// released are the raw offsets of customer 7's events, in order.
func (w *world) released() (offsets []string) {
	for _, e := range w.topics.since("recharge.events", 0) {
		if string(e.Key) == "acme/7" && e.Header(pipeline.HeaderType) == "rechargeflow.subscription_charge" {
			offsets = append(offsets, e.Header(pipeline.HeaderRawOffset))
		}
	}
	return offsets
}

// What is too much for one transaction is released in several. What comes of the customer meanwhile waits behind it, without
// another question; others go on.
func TestAReleaseInParts(t *testing.T) {
	const many = 1100
	w := manyWait(t, many, 0)
	w.lay(rawAt(1, "", customerAnswer, pipeline.OriginLookup))
	require.True(t, w.next().Again)
	assert.Len(t, w.released(), 500)

	other := rawAt(2, "subscription/created", createdOf("8", "81").body, pipeline.OriginWebhook)
	other.Key = []byte("acme/8")
	w.lay(rawAt(2, "charge/created", chargeOf7(many+1), pipeline.OriginWebhook), other)
	require.False(t, w.next().Again)
	assert.Equal(t, []string{"transformer waiting customer_asked", "transformer done"}, w.fates.all()[len(w.fates.all())-2:])
	assert.Empty(t, w.asks.pending, "it is answered")
	assert.Len(t, w.released(), 500)

	out, err := w.stages[0].Sweep(t.Context(), 0)
	require.NoError(t, err)
	out.Ended(errors.New("broker away"))
	assert.Len(t, w.released(), 500)
	stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, w.options(storeConfig{}), w.run) // the next owner
	require.NoError(t, err)
	w.stages = stages
	require.NoError(t, w.stages[0].Transactor.TakeOver(t.Context(), 0))
	assert.Empty(t, w.asks.pending)
	again, err := sweepOnce(t.Context(), w.stages[0], w.topics)
	require.NoError(t, err)
	require.True(t, again)
	assert.Len(t, w.released(), 1000)
	again, err = sweepOnce(t.Context(), w.stages[0], w.topics)
	require.NoError(t, err)
	require.False(t, again)

	var want []string
	for offset := range many {
		want = append(want, fmt.Sprint(offset))
	}
	assert.Equal(t, append(want, fmt.Sprint(many+1)), w.released())
	assert.Empty(t, w.waitingRows())
	assert.NotContains(t, w.state.rows, "release/acme/7")
	assert.Zero(t, w.fates.count("transformer rejected customer_unknown"))
	again, err = sweepOnce(t.Context(), w.stages[0], w.topics)
	require.NoError(t, err)
	assert.False(t, again)
}

// So are large records, and what stays unknown is rejected for the same reason in each part.
func TestAReleaseOfLargeRecordsInParts(t *testing.T) {
	w := manyWait(t, 20, 700<<10)
	w.lay(rawAt(1, "", `{"customer_id":"7","asked_for":"identity","unreadable":"a page of HTML"}`, pipeline.OriginLookup))
	require.True(t, w.next().Again)
	parts := []int{w.fates.count("transformer rejected customer_unreadable")}
	for again := true; again; {
		var err error
		again, err = sweepOnce(t.Context(), w.stages[0], w.topics)
		require.NoError(t, err)
		parts = append(parts, w.fates.count("transformer rejected customer_unreadable"))
	}
	assert.Equal(t, []int{6, 12, 18, 20}, parts)
	assert.Empty(t, w.state.rows)
}

// The answers of a batch release no more together than one does.
func TestAReleaseByManyAnswers(t *testing.T) {
	for name, c := range map[string]struct{ customers, many, pad, most int }{
		"large records": {10, 3, 700 << 10, 6}, // 4.1 MiB
		"many records":  {8, 150, 0, 500},
	} {
		t.Run(name, func(t *testing.T) {
			var customers []string
			for id := range c.customers {
				customers = append(customers, fmt.Sprint(100+id))
			}
			w := manyOfEachWait(t, customers, c.many, c.pad)
			for _, customer := range customers {
				w.lay(answerOf(customer))
			}
			released := func() int { return w.fates.count("transformer rejected customer_unreadable") }
			at := w.stages[0].Group + " recharge.webhooks"
			for before := 0; before < c.customers*c.many; before = released() {
				batch := w.topics.since("recharge.webhooks", w.read[at])
				out, err := kafka.Transformed{Again: true}, error(nil)
				if len(batch) > 0 {
					out, err = w.stages[0].Transform(t.Context(), batch)
				} else {
					out, err = w.stages[0].Sweep(t.Context(), 0)
				}
				require.NoError(t, err)
				require.NoError(t, w.topics.Produce(t.Context(), out.Outputs...))
				out.Ended(nil)
				w.read[at] += out.Done
				require.Greater(t, released(), before)
				require.LessOrEqual(t, released()-before, c.most)
			}
			assert.Empty(t, w.state.rows)
		})
	}
}

// corrupt can't read some offsets.
type corrupt struct {
	pipeline.RawReader
	from, to int64
}

var errCorrupt = errors.New("the checksum is wrong")

func (c *corrupt) Read(ctx context.Context, partition int, offsets ...int64) iter.Seq2[kafka.Record, error] {
	return func(yield func(kafka.Record, error) bool) {
		for i, offset := range offsets {
			if offset >= c.from && offset < c.to {
				yield(kafka.Record{}, errCorrupt)
				return
			}
			for record, err := range c.RawReader.Read(ctx, partition, offsets[i]) {
				if !yield(record, err) {
					return
				}
			}
		}
	}
}

// Where one customer's release can't go on, others' do, and so does the sweep. It is said as long as it is so.
func TestAReleaseThatIsStuck(t *testing.T) {
	const many = 600
	for name, stick := range map[string]func(w *world, raw *corrupt) (mend func()){
		"what waits can't be read": func(_ *world, raw *corrupt) func() {
			raw.from, raw.to = 550, many
			return func() { raw.to = 0 }
		},
		"what is known can't be read": func(w *world, _ *corrupt) func() {
			w.state.rows["subscription/acme/7/1"] = []byte("{")
			return func() { delete(w.state.rows, "subscription/acme/7/1") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := manyOfEachWait(t, []string{"7", "8", "9"}, many, 0)
			raw := &corrupt{RawReader: w.topics}
			o := w.options(storeConfig{})
			o.Raw = raw
			stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, o, w.run)
			require.NoError(t, err)
			w.stages = stages
			released := func() int { return w.fates.count("transformer rejected customer_unreadable") }
			for i, customer := range []string{"7", "8", "9"} {
				w.lay(answerOf(customer))
				require.True(t, w.next().Again)
				require.Equal(t, 500*(i+1), released())
			}
			w.state.rows["ask/nobody"] = []byte("{}") // which a sweep takes out
			mend := stick(w, raw)

			w.later(time.Hour)
			for sweeps := range 3 {
				_, err = sweepOnce(t.Context(), w.stages[0], w.topics)
				require.NoError(t, err)
				require.ErrorContains(t, w.stages[0].Trouble(), "acme/7")
				assert.Equal(t, 1500+100*min(sweeps+1, 2), released())
			}
			assert.NotContains(t, w.state.rows, "ask/nobody")
			assert.Contains(t, w.state.rows, "release/acme/7")

			mend()
			_, err = sweepOnce(t.Context(), w.stages[0], w.topics)
			require.NoError(t, err)
			require.NoError(t, w.stages[0].Trouble())
			assert.Equal(t, 3*many, released())
			assert.Empty(t, w.state.rows)
		})
	}
}

// Where nobody's could be read, the others are not tried.
func TestAReleaseWhileTheBrokersAreAway(t *testing.T) {
	w := manyOfEachWait(t, []string{"7", "8"}, 600, 0)
	o := w.options(storeConfig{})
	raw := &readers{RawReader: w.topics, errs: map[int]error{1001: context.DeadlineExceeded}}
	o.Raw = raw
	stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, o, w.run)
	require.NoError(t, err)
	w.stages = stages
	for _, customer := range []string{"7", "8"} {
		w.lay(answerOf(customer))
		require.True(t, w.next().Again)
	}
	_, err = sweepOnce(t.Context(), w.stages[0], w.topics)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Error(t, w.stages[0].Trouble())
	assert.Equal(t, 1001, raw.n)
}

// A part that can't be read now is said, and read later.
func TestAReleaseInPartsThatFails(t *testing.T) {
	w := manyWait(t, 600, 0)
	o := w.options(storeConfig{})
	o.Raw = &readers{RawReader: w.topics, errs: map[int]error{550: errors.New("broker away")}}
	stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, o, w.run)
	require.NoError(t, err)
	w.stages = stages
	w.lay(rawAt(1, "", customerAnswer, pipeline.OriginLookup))
	require.True(t, w.next().Again)
	_, err = sweepOnce(t.Context(), w.stages[0], w.topics)
	require.NoError(t, err)
	require.ErrorContains(t, w.stages[0].Trouble(), "broker away")
	assert.Len(t, w.released(), 500)
	_, err = sweepOnce(t.Context(), w.stages[0], w.topics)
	require.NoError(t, err)
	require.NoError(t, w.stages[0].Trouble())
	assert.Len(t, w.released(), 600)
}
