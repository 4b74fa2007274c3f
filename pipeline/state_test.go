package pipeline_test

import (
	"context"
	"iter"
	"slices"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate/customerstatetest"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/lookup"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/state"
)

// Records is the world's customerstate.RawReader.
func (m *memoryTopics) Records(_ context.Context, _ int, offsets ...int64) iter.Seq2[kafka.Record, error] {
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

// customers is the transformer's state: its rows are the world's.
func (w *world) customers() *customerstate.Store {
	return customerstate.New(customerstate.Config{Partitions: w.state, Lookups: w.lookups, Metrics: w.outcomes, Log: w.log.logger()})
}

// onDisk is a state whose rows a local store keeps, without lookups.
func onDisk(store *state.Store) *customerstate.Store {
	return customerstate.New(customerstate.Config{
		Partitions: customerstate.Local{Store: store}, Lookups: customerstatetest.NoLookups{}, Metrics: customerstatetest.NoLookups{}, Log: zap.NewNop(),
	})
}

// requests are the lookup requests without an answer; the world is its own queue.
type requests struct {
	pending []recharge.LookupRequest
	running []recharge.LookupRequest // answered, though that is not confirmed yet
	again   []recharge.LookupRequest // added while running
}

// Add adds requests, each once.
func (q *requests) Add(_ int, added ...recharge.LookupRequest) {
	for _, r := range added {
		switch {
		case slices.ContainsFunc(q.pending, r.Same):
		case slices.ContainsFunc(q.running, r.Same):
			q.again = append(slices.DeleteFunc(q.again, r.Same), r)
		default:
			q.pending = append(q.pending, r)
		}
	}
}

// confirm ends what is running.
func (q *requests) confirm() {
	q.pending = append(q.pending, q.again...)
	q.running, q.again = nil, nil
}

// Remove drops all: there is one partition.
func (q *requests) Remove(int) { *q = requests{} }

// due is how many requests only wait for an answer.
func (w *world) due() int {
	due := 0
	for _, r := range w.lookups.pending {
		if w.hasAPI && !r.Due.After(w.clock()) {
			due++
		}
	}
	return due
}

// answer makes the API calls that are due, each once, and lays the answers into the raw topic. It reports whether there were
// any. They are confirmed the next time only, when the transformer has read them.
func (w *world) answer() bool {
	w.lookups.confirm()
	pending := w.lookups.pending
	w.lookups.pending = nil
	answered := false
	for _, r := range pending {
		if !w.hasAPI || r.Due.After(w.clock()) {
			w.lookups.pending = append(w.lookups.pending, r)
			continue
		}
		l, err := w.client().Lookup(w.t.Context(), r)
		if err != nil {
			w.outcomes.add("api: " + err.Error())
			w.lookups.pending = append(w.lookups.pending, r)
			continue
		}
		l.AnsweredAt = w.clock()
		record, err := lookup.Record("recharge.webhooks", l)
		require.NoError(w.t, err)
		err = w.topics.Produce(w.t.Context(), record)
		if err != nil {
			w.lookups.pending = append(w.lookups.pending, r)
			continue
		}
		w.lookups.running = append(w.lookups.running, r)
		answered = true
	}
	return answered
}

// textMemory is the state of the texts, in memory.
type textMemory struct{ customerstatetest.Memory }

// Begin opens an overlay.
func (m *textMemory) Begin(partition int) pipeline.TextRows {
	return textRows{m.Memory.Begin(partition)}
}

// textRows is an overlay as pipeline.TextRows.
type textRows struct{ customerstate.Overlay }

// Delete removes a row.
func (r textRows) Delete(key []byte) { r.Set(key, nil) }

// Scan yields the rows with a prefix.
func (r textRows) Scan(prefix []byte) iter.Seq2[[]byte, []byte] { return r.ScanFrom(prefix, nil) }
