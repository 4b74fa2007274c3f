// Package customerstatetest stores the transformer's rows in memory, for tests.
package customerstatetest

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Memory holds the rows of all partitions and implements customerstate.Partitions. The zero value is empty. Transactions of several
// partitions may run at once; Rows, Of and Customers are for tests while none runs.
type Memory struct {
	mutex sync.RWMutex // guards Rows in transactions
	Rows  map[string][]byte
	// OnSet, if set, is called before a row is set in a transaction.
	OnSet func(key string, value []byte)
}

// TakeOver does nothing: the rows are in memory.
func (*Memory) TakeOver(context.Context, int) error { return nil }

// Release does nothing.
func (*Memory) Release(int) {}

// Begin opens an overlay.
func (m *Memory) Begin(partition int) customerstate.Overlay {
	return &overlay{memory: m, partition: partition, changed: map[string][]byte{}}
}

// Of returns the keys with a prefix, in order.
func (m *Memory) Of(prefix string) (keys []string) {
	for key := range m.Rows {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Customers returns all rows except the format row.
func (m *Memory) Customers() map[string][]byte {
	rows := maps.Clone(m.Rows)
	delete(rows, "format")
	return rows
}

type overlay struct {
	memory    *Memory
	partition int
	changed   map[string][]byte
}

// Get returns a row.
func (o *overlay) Get(key []byte) []byte {
	if value, ok := o.changed[string(key)]; ok {
		return value
	}
	o.memory.mutex.RLock()
	defer o.memory.mutex.RUnlock()
	return o.memory.Rows[string(key)]
}

// Set sets a row.
func (o *overlay) Set(key, value []byte) {
	if o.memory.OnSet != nil {
		o.memory.OnSet(string(key), value)
	}
	o.changed[string(key)] = value
}

// ScanFrom yields rows in order.
func (o *overlay) ScanFrom(prefix, from []byte) iter.Seq2[[]byte, []byte] {
	o.memory.mutex.RLock()
	defer o.memory.mutex.RUnlock()
	all := map[string][]byte{}
	maps.Copy(all, o.memory.Rows)
	maps.Copy(all, o.changed)
	return func(yield func(key, value []byte) bool) {
		for _, key := range slices.Sorted(maps.Keys(all)) {
			if value := all[key]; value != nil && key >= string(from) && strings.HasPrefix(key, string(prefix)) && !yield([]byte(key), value) {
				return
			}
		}
	}
}

// Rows returns the changelog records of the changes.
func (o *overlay) Rows() ([]kafka.Record, error) {
	o.memory.mutex.RLock()
	defer o.memory.mutex.RUnlock()
	var records []kafka.Record
	for _, key := range slices.Sorted(maps.Keys(o.changed)) {
		if !bytes.Equal(o.changed[key], o.memory.Rows[key]) {
			records = append(records, kafka.Record{Topic: "recharge.state", Partition: o.partition, Key: []byte(key), Value: o.changed[key]})
		}
	}
	return records, nil
}

// Drop discards the changes.
func (o *overlay) Drop() {}

// Apply applies the changes.
func (o *overlay) Apply() {
	o.memory.mutex.Lock()
	defer o.memory.mutex.Unlock()
	if o.memory.Rows == nil {
		o.memory.Rows = map[string][]byte{}
	}
	for key, value := range o.changed {
		if value == nil {
			delete(o.memory.Rows, key)
			continue
		}
		o.memory.Rows[key] = value
	}
}

// Store returns a Store on rows in memory. It requests no lookups.
func Store(m *Memory) *customerstate.Store {
	return customerstate.New(customerstate.Config{Partitions: m, Lookups: NoLookups{}, Metrics: NoLookups{}, Log: zap.NewNop()})
}

// NoLookups is a lookup queue that drops all requests, and metrics that count nothing.
type NoLookups struct{}

// Add drops the requests.
func (NoLookups) Add(int, ...recharge.LookupRequest) {}

// Remove does nothing.
func (NoLookups) Remove(int) {}

// Lookup counts nothing.
func (NoLookups) Lookup(_, _, _ string) {}
