package subscriber

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
)

// A memory is kept as rows of its own for what changes apart: a webhook rewrites bytes, not kilobytes.
//
//	customer/{store}/{customer}                     KnownCustomer, JSON
//	subscription/{store}/{customer}/{subscription}  KnownSubscription, JSON
//	told/{store}/{customer}/{month}                 eight bytes for each fact told
const (
	customerRows     = "customer/"
	subscriptionRows = "subscription/"
	toldRows         = "told/"
)

// Rows is where memories are kept. What it can't read it finds not to be there, and says so to whoever keeps it: nothing
// may come of a decision then.
type Rows interface {
	// Get returns a value, nil for none. It must not be changed.
	Get(key []byte) []byte
	// Set keeps a value, which must not be changed afterwards; nil removes it.
	Set(key, value []byte)
	// Scan yields what has a prefix, in the order of keys.
	Scan(prefix []byte) iter.Seq2[[]byte, []byte]
}

// Recall reads what is known of a customer.
func Recall(rows Rows, store, customer string) (*Memory, error) {
	m := &Memory{Subscriptions: make(map[string]KnownSubscription), told: make(told)}
	of := store + "/" + customer
	if row := rows.Get([]byte(customerRows + of)); row != nil {
		if err := json.Unmarshal(row, &m.Customer); err != nil {
			return nil, fmt.Errorf("decode row of customer %s: %w", of, err)
		}
	}
	for key, value := range rows.Scan([]byte(subscriptionRows + of + "/")) {
		var s KnownSubscription
		if err := json.Unmarshal(value, &s); err != nil {
			return nil, fmt.Errorf("decode row %s: %w", key, err)
		}
		m.Subscriptions[s.ID] = s
	}
	for key, value := range rows.Scan([]byte(toldRows + of + "/")) {
		ids := make([]uint64, len(value)/8)
		for i := range ids {
			ids[i] = binary.BigEndian.Uint64(value[8*i:])
		}
		m.told[string(key[bytes.LastIndexByte(key, '/')+1:])] = ids
	}
	return m, nil
}

// Keep writes what changed since before.
func (m *Memory) Keep(rows Rows, store, customer string, before *Memory) error {
	of := store + "/" + customer
	if err := m.Customer.keep(rows, customerRows+of, before.Customer); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(m.Subscriptions)) {
		s := m.Subscriptions[id]
		if was, known := before.Subscriptions[id]; known && reflect.DeepEqual(s, was) {
			continue
		}
		if err := keep(rows, subscriptionRows+of+"/"+id, s); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(before.Subscriptions)) {
		if _, still := m.Subscriptions[id]; !still {
			rows.Set([]byte(subscriptionRows+of+"/"+id), nil)
		}
	}
	m.told.keep(rows, toldRows+of+"/", before.told)
	return nil
}

func (k KnownCustomer) keep(rows Rows, key string, before KnownCustomer) error {
	switch {
	case reflect.DeepEqual(k, before):
		return nil
	case reflect.DeepEqual(k, KnownCustomer{}): // nothing is known of them any more
		rows.Set([]byte(key), nil)
		return nil
	}
	return keep(rows, key, k)
}

func (t told) keep(rows Rows, prefix string, before told) {
	for month, ids := range t {
		if len(ids) == len(before[month]) {
			continue
		}
		row := make([]byte, 0, 8*len(ids))
		for _, id := range ids {
			row = binary.BigEndian.AppendUint64(row, id)
		}
		rows.Set([]byte(prefix+month), row)
	}
	for month := range before {
		if _, still := t[month]; !still {
			rows.Set([]byte(prefix+month), nil)
		}
	}
}

func keep(rows Rows, key string, value any) error {
	row, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode row %s: %w", key, err)
	}
	rows.Set([]byte(key), row)
	return nil
}
