package pipeline_test

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/lookup"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// memoryState is the transformer's state, in a map.
type memoryState struct{ rows map[string][]byte }

// TakeOver finds everything as it was.
func (*memoryState) TakeOver(context.Context, int) error { return nil }

// Release leaves everything as it is.
func (*memoryState) Release(int) {}

// Begin opens an overlay.
func (s *memoryState) Begin(partition int) pipeline.Overlay {
	return &memoryOverlay{state: s, partition: partition, changed: map[string][]byte{}}
}

type memoryOverlay struct {
	state     *memoryState
	partition int
	changed   map[string][]byte
}

func (o *memoryOverlay) Get(key []byte) []byte {
	if value, ok := o.changed[string(key)]; ok {
		return value
	}
	return o.state.rows[string(key)]
}

func (o *memoryOverlay) Set(key, value []byte) { o.changed[string(key)] = value }

func (o *memoryOverlay) Scan(prefix []byte) iter.Seq2[[]byte, []byte] { return o.ScanFrom(prefix, nil) }

func (o *memoryOverlay) ScanFrom(prefix, from []byte) iter.Seq2[[]byte, []byte] {
	all := map[string][]byte{}
	maps.Copy(all, o.state.rows)
	maps.Copy(all, o.changed)
	return func(yield func(key, value []byte) bool) {
		for _, key := range slices.Sorted(maps.Keys(all)) {
			if value := all[key]; value != nil && key >= string(from) && strings.HasPrefix(key, string(prefix)) && !yield([]byte(key), value) {
				return
			}
		}
	}
}

func (o *memoryOverlay) Rows() ([]kafka.Record, error) {
	var records []kafka.Record
	for _, key := range slices.Sorted(maps.Keys(o.changed)) {
		if !bytes.Equal(o.changed[key], o.state.rows[key]) {
			records = append(records, kafka.Record{Topic: "recharge.state", Partition: o.partition, Key: []byte(key), Value: o.changed[key]})
		}
	}
	return records, nil
}

func (o *memoryOverlay) Drop() {}

func (o *memoryOverlay) Apply() {
	if o.state.rows == nil {
		o.state.rows = map[string][]byte{}
	}
	for key, value := range o.changed {
		if value == nil {
			delete(o.state.rows, key)
			continue
		}
		o.state.rows[key] = value
	}
}

// Read is the world's pipeline.RawReader.
func (m *memoryTopics) Read(_ context.Context, _ int, offsets ...int64) iter.Seq2[kafka.Record, error] {
	records := m.since("recharge.webhooks", 0)
	return func(yield func(kafka.Record, error) bool) {
		for _, offset := range offsets {
			record, err := kafka.Record{}, kafka.ErrNoRecord
			if offset >= 0 && offset < int64(len(records)) {
				record, err = records[offset], nil
			}
			if !yield(record, err) {
				return
			}
		}
	}
}

// asks are the questions to the API that have no answer yet; the world is its pipeline.Asker.
type asks struct {
	pending  []pipeline.Wanted
	underWay []pipeline.Wanted // answered, though that is not confirmed yet
	again    []pipeline.Wanted // wanted while it was under way
}

// Want notes questions, each once.
func (a *asks) Want(_ int, wanted ...pipeline.Wanted) {
	for _, one := range wanted {
		same := func(other pipeline.Wanted) bool {
			return other.Store == one.Store && other.Customer == one.Customer && other.Kind == one.Kind && other.ChargeID == one.ChargeID && other.Attempt == one.Attempt
		}
		switch {
		case slices.ContainsFunc(a.pending, same):
		case slices.ContainsFunc(a.underWay, same):
			a.again = append(slices.DeleteFunc(a.again, same), one)
		default:
			a.pending = append(a.pending, one)
		}
	}
}

// confirm ends what is under way.
func (a *asks) confirm() {
	a.pending = append(a.pending, a.again...)
	a.underWay, a.again = nil, nil
}

// Forget drops all: there is one partition.
func (a *asks) Forget(int) { *a = asks{} }

// due is how many questions wait for an answer only.
func (w *world) due() int {
	due := 0
	for _, one := range w.asks.pending {
		if w.hasAPI && !one.Due.After(w.clock()) {
			due++
		}
	}
	return due
}

// answer asks the API what is due, each question once, and lays the answers into the raw topic. It tells whether there were
// any. They are confirmed the next time only, when the transformer has read them.
func (w *world) answer() bool {
	w.asks.confirm()
	pending := w.asks.pending
	w.asks.pending = nil
	answered := false
	for _, one := range pending {
		if !w.hasAPI || one.Due.After(w.clock()) {
			w.asks.pending = append(w.asks.pending, one)
			continue
		}
		question := recharge.Question{CustomerID: one.Customer, For: recharge.Purpose(one.Kind), ChargeID: one.ChargeID, Attempt: one.Attempt}
		answer, err := w.client().Ask(w.t.Context(), question)
		if err != nil {
			w.fates.add("api: " + err.Error())
			w.asks.pending = append(w.asks.pending, one)
			continue
		}
		record, err := pipeline.LookupRecord("recharge.webhooks", lookup.Answer{
			Ask: lookup.Ask{Store: one.Store, Question: question, Traceparent: one.Traceparent}, Lookup: answer, At: w.clock(),
		})
		require.NoError(w.t, err)
		err = w.topics.Produce(w.t.Context(), record)
		if err != nil {
			w.asks.pending = append(w.asks.pending, one)
			continue
		}
		w.asks.underWay = append(w.asks.underWay, one)
		answered = true
	}
	return answered
}
