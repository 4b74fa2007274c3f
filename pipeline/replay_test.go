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
	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// customerAnswer is the API's answer about the customer with two parked webhooks.
const customerAnswer = `{"customer_id":"7","kind":"customer","customer":{"id":7,"email":"ada@shop.example",` +
	`"subscriptions_active_count":0,"created_at":"2026-03-01T09:00:00+00:00","updated_at":"2026-03-01T09:00:00+00:00"}}`

func subscriptionOf7(id int) string {
	return fmt.Sprintf(`{"subscription":{"id":%d,"customer_id":7,"address_id":1,"status":"active",`+
		`"created_at":"2026-03-01T10:00:00+00:00","updated_at":"2026-03-01T10:00:00+00:00"}}`, id)
}

func rawAt(second int, topic, body, origin string) kafka.Record {
	at := time.Date(2026, 3, 1, 10, 0, second, 0, time.UTC)
	return kafka.Record{
		Topic: "recharge.webhooks", Key: []byte("acme/7"), Value: []byte(body), Time: at, Headers: []kafka.Header{
			{Key: envelope.HeaderStore, Value: []byte("acme")},
			{Key: envelope.HeaderRechargeTopic, Value: []byte(topic)},
			{Key: envelope.HeaderSource, Value: []byte(origin)},
			{Key: envelope.HeaderReceivedAt, Value: []byte(at.Format(time.RFC3339Nano))},
		},
	}
}

// readers fail with the errors set, by the number of the read.
type readers struct {
	customerstate.RawReader
	errs map[int]error
	n    int
}

func (f *readers) Records(ctx context.Context, partition int, offsets ...int64) iter.Seq2[kafka.Record, error] {
	return func(yield func(kafka.Record, error) bool) {
		for record, err := range f.RawReader.Records(ctx, partition, offsets...) {
			if f.n++; f.errs[f.n] != nil {
				record, err = kafka.Record{}, f.errs[f.n]
			}
			if !yield(record, err) || err != nil && !errors.Is(err, kafka.ErrNoRecord) {
				return
			}
		}
	}
}

// withParked is a transformer with two parked webhooks. The other records are to be processed in one batch.
func withParked(t *testing.T, errs map[int]error, then ...kafka.Record) *world {
	w := newWorld(t, storeConfig{})
	o := w.options(storeConfig{})
	o.Raw = &readers{RawReader: w.topics, errs: errs}
	stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer}, o, w.run)
	require.NoError(t, err)
	waiting := []kafka.Record{
		rawAt(0, "subscription/created", subscriptionOf7(1), envelope.SourceWebhook),
		rawAt(1, "subscription/created", subscriptionOf7(2), envelope.SourceWebhook),
	}
	w.produce(append(waiting, then...)...)
	all := w.topics.since("recharge.webhooks", 0)
	left, err := handle(t.Context(), stages[0], w.run.Produce, all[:2])
	require.NoError(t, err)
	require.Empty(t, left)
	for left = all[2:]; len(left) > 0; {
		left, err = handle(t.Context(), stages[0], w.run.Produce, left)
		if err != nil {
			require.ErrorContains(t, err, "broker away")
		}
	}
	return w
}

// emittedFor7 are the facts and the last row of the table.
func emittedFor7(w *world) (created int, row string) {
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

// Nothing of a record that must be processed again is committed with the records before it.
func TestReplayThatFailsHalfway(t *testing.T) {
	for _, errs := range []map[int]error{nil, {2: errors.New("broker away")}} {
		w := withParked(t, errs, rawAt(2, "store/updated", `{}`, envelope.SourceWebhook), rawAt(3, "", customerAnswer, envelope.SourceLookup))
		created, row := emittedFor7(w)
		assert.Equal(t, 2, created)
		assert.Contains(t, row, `"subscription_active":true`, "the last row is the newest")
	}
}

// A parked record that retention deleted is a dead letter, and the customer's other records are processed.
func TestReplayOfADeletedRecord(t *testing.T) {
	w := withParked(t, map[int]error{1: kafka.ErrNoRecord}, rawAt(2, "", customerAnswer, envelope.SourceLookup))
	created, _ := emittedFor7(w)
	assert.Equal(t, 1, created)
	letters := w.topics.since("recharge.deadletter.transformer", 0)
	require.Len(t, letters, 1)
	assert.Equal(t, "parked_record_gone", letters[0].Header("deadletter_reason"))
	assert.Contains(t, w.outcomes.lines, "transformer rejected parked_record_gone")
}

// An import is processed after the parked records of its customer, complete or not.
func TestImportBehindParkedRecords(t *testing.T) {
	for _, imported := range []string{customerAnswer, `{"customer_id":"7","kind":"customer","customer":{"id":7}}`} {
		w := withParked(t, nil, rawAt(2, "", imported, envelope.SourceImport), rawAt(3, "", customerAnswer, envelope.SourceLookup))
		created, row := emittedFor7(w)
		assert.Equal(t, 2, created)
		assert.Contains(t, row, `"subscription_active":true`)
		assert.Equal(t, "transformer parked lookup_pending", w.outcomes.lines[2])
		assert.Empty(t, w.topics.since("recharge.deadletter.transformer", 0))
	}
}

// A record that could never be replayed is a dead letter at once: one with another key, or one that is not in the raw topic.
func TestUnreplayableRecordsAreNotParked(t *testing.T) {
	for name, change := range map[string]func(*kafka.Record){
		"another key":   func(r *kafka.Record) { r.Key = []byte("acme/8") },
		"another topic": func(r *kafka.Record) { r.Topic = "recharge.redrive.transformer" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, storeConfig{})
			stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer}, w.options(storeConfig{}), w.run)
			require.NoError(t, err)
			record := rawAt(0, "subscription/created", subscriptionOf7(1), envelope.SourceWebhook)
			change(&record)
			left, err := handle(t.Context(), stages[0], w.run.Produce, []kafka.Record{record})
			require.NoError(t, err)
			require.Empty(t, left)
			assert.Equal(t, []string{"transformer rejected malformed"}, w.outcomes.lines)
			require.Len(t, w.topics.since("recharge.deadletter.transformer", 0), 1)
		})
	}
}

func chargeOf7(id int) string { return chargeOf("7", id) }

func chargeOf(customer string, id int) string {
	return fmt.Sprintf(`{"charge":{"id":%d,"customer":{"id":%s},"address_id":1,"status":"queued",`+
		`"created_at":"2026-03-01T10:00:00+00:00","updated_at":"2026-03-01T10:00:00+00:00"}}`, id, customer)
}

// manyParked is a world with many parked webhooks of customer 7, each with that many additional bytes.
func manyParked(t *testing.T, many, pad int) *world {
	return manyParkedOfEach(t, []string{"7"}, many, pad)
}

// manyParkedOfEach is the same for several customers.
func manyParkedOfEach(t *testing.T, customers []string, many, pad int) *world {
	w := transforming(t)
	w.hasAPI = false
	for _, customer := range customers {
		for id := 1; id <= many; id++ {
			w.produce(rawOf(customer, rawAt(0, "charge/created", chargeOf(customer, id)+strings.Repeat(" ", pad), envelope.SourceWebhook)))
		}
	}
	require.NoError(t, w.runStage(w.stages[0]))
	require.Equal(t, many*len(customers), w.outcomes.count("transformer parked lookup_pending"))
	w.lookups.pending = nil
	return w
}

func rawOf(customer string, r kafka.Record) kafka.Record {
	r.Key = []byte("acme/" + customer)
	return r
}

// answerOf is an unreadable answer about a customer.
func answerOf(customer string) kafka.Record {
	return rawOf(customer, rawAt(1, "", `{"customer_id":"`+customer+`","kind":"customer","unreadable":"a page of HTML"}`, envelope.SourceLookup))
}

// next processes all unread records in one batch, and replays no more.
func (w *world) next() kafka.TransformResult {
	at := w.stages[0].Group + " recharge.webhooks"
	batch := w.topics.since("recharge.webhooks", w.read[at])
	out, err := w.stages[0].Transform(w.t.Context(), batch)
	require.NoError(w.t, err)
	require.Equal(w.t, len(batch), out.Finished)
	require.NoError(w.t, w.topics.Produce(w.t.Context(), out.Outputs...))
	out.OnEnd(nil)
	w.read[at] += len(batch)
	return out
}

// replayed are the raw offsets of customer 7's events, in order.
func (w *world) replayed() (offsets []string) {
	for _, e := range w.topics.since("recharge.events", 0) {
		if string(e.Key) == "acme/7" && e.Header(envelope.HeaderCEType) == "rechargeflow.subscription_charge" {
			offsets = append(offsets, e.Header(envelope.HeaderRawOffset))
		}
	}
	return offsets
}

// Parked records that do not fit into one transaction are replayed in several. Later records of the customer are parked behind them,
// without another lookup. Other customers are not affected.
func TestReplayInParts(t *testing.T) {
	const many = 1100
	w := manyParked(t, many, 0)
	w.produce(rawAt(1, "", customerAnswer, envelope.SourceLookup))
	require.True(t, w.next().PunctuateSoon)
	assert.Len(t, w.replayed(), 500)

	other := rawAt(2, "subscription/created", createdOf("8", "81").body, envelope.SourceWebhook)
	other.Key = []byte("acme/8")
	w.produce(rawAt(2, "charge/created", chargeOf7(many+1), envelope.SourceWebhook), other)
	require.False(t, w.next().PunctuateSoon)
	assert.Equal(t, []string{"transformer parked lookup_pending", "transformer done"}, w.outcomes.all()[len(w.outcomes.all())-2:])
	assert.Empty(t, w.lookups.pending, "the lookup was answered")
	assert.Len(t, w.replayed(), 500)

	out, err := w.stages[0].Punctuate(t.Context(), 0)
	require.NoError(t, err)
	out.OnEnd(errors.New("broker away"))
	assert.Len(t, w.replayed(), 500)
	stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer}, w.options(storeConfig{}), w.run) // the next owner
	require.NoError(t, err)
	w.stages = stages
	require.NoError(t, w.stages[0].Transactor.TakeOver(t.Context(), 0))
	assert.Empty(t, w.lookups.pending)
	again, err := punctuateOnce(t.Context(), w.stages[0], w.topics.Produce)
	require.NoError(t, err)
	require.True(t, again)
	assert.Len(t, w.replayed(), 1000)
	again, err = punctuateOnce(t.Context(), w.stages[0], w.topics.Produce)
	require.NoError(t, err)
	require.False(t, again)

	var want []string
	for offset := range many {
		want = append(want, fmt.Sprint(offset))
	}
	last := len(w.topics.since("recharge.webhooks", 0)) // behind it and the other customer's are owner records
	for w.topics.since("recharge.webhooks", last-1)[0].Header(envelope.HeaderRechargeTopic) != "charge/created" {
		last--
	}
	assert.Equal(t, append(want, fmt.Sprint(last-1)), w.replayed())
	assert.Empty(t, w.waitingRows())
	assert.NotContains(t, w.state.Rows, "replay/acme/7")
	assert.Zero(t, w.outcomes.count("transformer rejected customer_unknown"))
	again, err = punctuateOnce(t.Context(), w.stages[0], w.topics.Produce)
	require.NoError(t, err)
	assert.False(t, again)
}

// The same holds for large records. If the customer stays unknown each part is rejected for the same reason.
func TestReplayOfLargeRecordsInParts(t *testing.T) {
	w := manyParked(t, 20, 700<<10)
	w.produce(rawAt(1, "", `{"customer_id":"7","kind":"customer","unreadable":"a page of HTML"}`, envelope.SourceLookup))
	require.True(t, w.next().PunctuateSoon)
	parts := []int{w.outcomes.count("transformer rejected customer_unreadable")}
	for again := true; again; {
		var err error
		again, err = punctuateOnce(t.Context(), w.stages[0], w.topics.Produce)
		require.NoError(t, err)
		parts = append(parts, w.outcomes.count("transformer rejected customer_unreadable"))
	}
	assert.Equal(t, []int{6, 12, 18, 20}, parts)
	assert.Empty(t, w.state.Customers())
}

// All answers of a batch together replay no more than one answer.
func TestReplayByManyAnswers(t *testing.T) {
	for name, c := range map[string]struct{ customers, many, pad, most int }{
		"large records": {10, 3, 700 << 10, 6}, // 4.1 MiB
		"many records":  {8, 150, 0, 500},
	} {
		t.Run(name, func(t *testing.T) {
			var customers []string
			for id := range c.customers {
				customers = append(customers, fmt.Sprint(100+id))
			}
			w := manyParkedOfEach(t, customers, c.many, c.pad)
			for _, customer := range customers {
				w.produce(answerOf(customer))
			}
			replayed := func() int { return w.outcomes.count("transformer rejected customer_unreadable") }
			at := w.stages[0].Group + " recharge.webhooks"
			for before := 0; before < c.customers*c.many; before = replayed() {
				batch := w.topics.since("recharge.webhooks", w.read[at])
				out, err := kafka.TransformResult{PunctuateSoon: true}, error(nil)
				if len(batch) > 0 {
					out, err = w.stages[0].Transform(t.Context(), batch)
				} else {
					out, err = w.stages[0].Punctuate(t.Context(), 0)
				}
				require.NoError(t, err)
				require.NoError(t, w.topics.Produce(t.Context(), out.Outputs...))
				out.OnEnd(nil)
				w.read[at] += out.Finished
				require.Greater(t, replayed(), before)
				require.LessOrEqual(t, replayed()-before, c.most)
			}
			assert.Empty(t, w.state.Customers())
		})
	}
}

// corrupt fails to read some offsets.
type corrupt struct {
	customerstate.RawReader
	from, to int64
}

var errCorrupt = errors.New("the checksum is wrong")

func (c *corrupt) Records(ctx context.Context, partition int, offsets ...int64) iter.Seq2[kafka.Record, error] {
	return func(yield func(kafka.Record, error) bool) {
		for i, offset := range offsets {
			if offset >= c.from && offset < c.to {
				yield(kafka.Record{}, errCorrupt)
				return
			}
			for record, err := range c.RawReader.Records(ctx, partition, offsets[i]) {
				if !yield(record, err) {
					return
				}
			}
		}
	}
}

// A stalled replay of one customer does not block those of others, nor expiry. It is reported as long as it is stalled.
func TestAStalledReplay(t *testing.T) {
	const many = 600
	for name, stick := range map[string]func(w *world, raw *corrupt) (mend func()){
		"a parked record can't be read": func(_ *world, raw *corrupt) func() {
			raw.from, raw.to = 550, many
			return func() { raw.to = 0 }
		},
		"the state can't be read": func(w *world, _ *corrupt) func() {
			w.state.Rows["customer/acme/7"] = []byte("{")
			return func() { delete(w.state.Rows, "customer/acme/7") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := manyParkedOfEach(t, []string{"7", "8", "9"}, many, 0)
			raw := &corrupt{RawReader: w.topics}
			o := w.options(storeConfig{})
			o.Raw = raw
			stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer}, o, w.run)
			require.NoError(t, err)
			w.stages = stages
			replayed := func() int { return w.outcomes.count("transformer rejected customer_unreadable") }
			for i, customer := range []string{"7", "8", "9"} {
				w.produce(answerOf(customer))
				require.True(t, w.next().PunctuateSoon)
				require.Equal(t, 500*(i+1), replayed())
			}
			w.state.Rows["lookup/nobody"] = []byte("{}") // which expiry removes
			mend := stick(w, raw)

			w.later(time.Hour)
			for steps := range 3 {
				_, err = punctuateOnce(t.Context(), w.stages[0], w.topics.Produce)
				require.NoError(t, err)
				require.ErrorContains(t, w.stages[0].Trouble(), "acme/7")
				assert.Equal(t, 1500+100*min(steps+1, 2), replayed())
			}
			assert.NotContains(t, w.state.Rows, "lookup/nobody")
			assert.Contains(t, w.state.Rows, "replay/acme/7")

			mend()
			_, err = punctuateOnce(t.Context(), w.stages[0], w.topics.Produce)
			require.NoError(t, err)
			require.NoError(t, w.stages[0].Trouble())
			assert.Equal(t, 3*many, replayed())
			assert.Empty(t, w.state.Customers())
		})
	}
}

// If no record can be read, the replays of other customers are not tried.
func TestReplayWhileTheBrokersAreAway(t *testing.T) {
	w := manyParkedOfEach(t, []string{"7", "8"}, 600, 0)
	o := w.options(storeConfig{})
	raw := &readers{RawReader: w.topics, errs: map[int]error{1001: context.DeadlineExceeded}}
	o.Raw = raw
	stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer}, o, w.run)
	require.NoError(t, err)
	w.stages = stages
	for _, customer := range []string{"7", "8"} {
		w.produce(answerOf(customer))
		require.True(t, w.next().PunctuateSoon)
	}
	_, err = punctuateOnce(t.Context(), w.stages[0], w.topics.Produce)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Error(t, w.stages[0].Trouble())
	assert.Equal(t, 1001, raw.n)
}

// A part that cannot be read is reported, and replayed later.
func TestReplayInPartsThatFails(t *testing.T) {
	w := manyParked(t, 600, 0)
	o := w.options(storeConfig{})
	o.Raw = &readers{RawReader: w.topics, errs: map[int]error{550: errors.New("broker away")}}
	stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer}, o, w.run)
	require.NoError(t, err)
	w.stages = stages
	w.produce(rawAt(1, "", customerAnswer, envelope.SourceLookup))
	require.True(t, w.next().PunctuateSoon)
	_, err = punctuateOnce(t.Context(), w.stages[0], w.topics.Produce)
	require.NoError(t, err)
	require.ErrorContains(t, w.stages[0].Trouble(), "broker away")
	assert.Len(t, w.replayed(), 500)
	_, err = punctuateOnce(t.Context(), w.stages[0], w.topics.Produce)
	require.NoError(t, err)
	require.NoError(t, w.stages[0].Trouble())
	assert.Len(t, w.replayed(), 600)
}
