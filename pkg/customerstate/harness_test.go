package customerstate

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// table is the rows of one partition, as Partitions.
type table map[string]string

func (r table) TakeOver(context.Context, int) error { return nil }

func (r table) Release(int) {}

func (r table) Begin(int) Overlay { return &tableOverlay{table: r, changed: map[string][]byte{}} }

func (r table) store() *Store { return r.storeWith(&queue{}) }

func (r table) storeWith(q *queue) *Store {
	return New(Config{Partitions: r, Lookups: q, Metrics: q, Log: zap.NewNop()})
}

func (r table) begin() *Tx { return r.store().Begin(0) }

type tableOverlay struct {
	table   table
	changed map[string][]byte
}

func (o *tableOverlay) Get(key []byte) []byte {
	if value, ok := o.changed[string(key)]; ok {
		return value
	}
	if value, ok := o.table[string(key)]; ok {
		return []byte(value)
	}
	return nil
}

func (o *tableOverlay) Set(key, value []byte) { o.changed[string(key)] = value }

func (o *tableOverlay) ScanFrom(prefix, from []byte) iter.Seq2[[]byte, []byte] {
	all := map[string][]byte{}
	for key, value := range o.table {
		all[key] = []byte(value)
	}
	maps.Copy(all, o.changed)
	return func(yield func(key, value []byte) bool) {
		for _, key := range slices.Sorted(maps.Keys(all)) {
			if all[key] != nil && key >= string(from) && strings.HasPrefix(key, string(prefix)) && !yield([]byte(key), all[key]) {
				return
			}
		}
	}
}

func (o *tableOverlay) Rows() ([]kafka.Record, error) {
	var records []kafka.Record
	for _, key := range slices.Sorted(maps.Keys(o.changed)) {
		if was, ok := o.table[key]; ok != (o.changed[key] != nil) || was != string(o.changed[key]) {
			records = append(records, kafka.Record{Key: []byte(key), Value: o.changed[key]})
		}
	}
	return records, nil
}

func (o *tableOverlay) Apply() {
	for key, value := range o.changed {
		if value == nil {
			delete(o.table, key)
			continue
		}
		o.table[key] = string(value)
	}
}

func (o *tableOverlay) Drop() {}

// queue is Lookups and Metrics.
type queue struct {
	added    []recharge.LookupRequest
	outcomes []string
}

func (q *queue) Add(_ int, requests ...recharge.LookupRequest) {
	q.added = append(q.added, requests...)
}

func (q *queue) Remove(int) { q.added = nil }

func (q *queue) Lookup(store, kind, outcome string) {
	q.outcomes = append(q.outcomes, store+" "+kind+" "+outcome)
}
