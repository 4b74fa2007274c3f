package customerstate

import (
	"bytes"
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// maxWhole is the size in bytes up to which the state of a customer is one row. A larger one is split, so that it can grow, and a
// webhook writes a part of it. Once split it stays so.
const maxWhole = 8 << 10

// splitMark begins the customer row of a state that is split.
const splitMark = `{"split":true,"customer":`

func isSplit(row []byte) bool { return len(row) > 0 && bytes.HasPrefix(row[1:], []byte(splitMark)) }

// Load returns the state of a customer. It must not be changed.
func (tx *Tx) Load(ref Ref) (*subscriber.State, error) {
	st := &subscriber.State{}
	var err error
	if row := tx.rows.Get(ref.key(customerRows, "")); row != nil && ref.CustomerID != "" {
		err = tx.load(ref, row, st)
	}
	if st.Subscriptions == nil {
		st.Subscriptions = make(map[string]subscriber.SubscriptionState)
	}
	if st.Emitted == nil {
		st.Emitted = make(subscriber.Emitted)
	}
	return st, err
}

func (tx *Tx) load(ref Ref, row []byte, st *subscriber.State) error {
	if err := tx.partition.codec.decodeState(ref.key(customerRows, ""), row, st); err != nil {
		return err
	}
	if !isSplit(row) {
		return nil
	}
	st.Subscriptions, st.Emitted = make(map[string]subscriber.SubscriptionState), make(subscriber.Emitted)
	var s subscriber.SubscriptionState
	for key, row := range tx.scan(ref.key(subscriptionRows, "/")) {
		if err := decodeBy(tx.partition.codec.subscriptions, row, &s); err != nil {
			return fmt.Errorf("decode row %s: %w", key, err)
		}
		st.Subscriptions[s.ID] = s
	}
	for key, row := range tx.scan(ref.key(emittedRows, "/")) {
		ids, err := decodeEmitted(row)
		if err != nil {
			return fmt.Errorf("decode row %s: %w", key, err)
		}
		st.Emitted[string(key[bytes.LastIndexByte(key, '/')+1:])] = ids
	}
	return nil
}

// Save writes the rows that differ between two states of a customer.
func (tx *Tx) Save(ref Ref, before, after *subscriber.State) error {
	if ref.CustomerID == "" || after.Equal(before) {
		return nil
	}
	if isSplit(tx.rows.Get(ref.key(customerRows, ""))) {
		return tx.saveSplit(ref, before, after)
	}
	return tx.saveWhole(ref, after)
}

// saveWhole writes one row, or splits a state that is too large for one.
func (tx *Tx) saveWhole(ref Ref, st *subscriber.State) error {
	key := ref.key(customerRows, "")
	if st.IsEmpty() { // all is expired
		tx.set(key, nil)
		return nil
	}
	row, err := tx.partition.codec.encode(st)
	if err != nil {
		return fmt.Errorf("encode customer: %w", err)
	}
	if len(row) <= maxWhole {
		tx.set(key, row)
		tx.partition.codec.decoded.keep(key, row, st.AsSaved())
		return nil
	}
	if err := tx.setState(key, splitCustomer{&st.Customer}); err != nil {
		return fmt.Errorf("encode customer: %w", err)
	}
	return tx.saveSplit(ref, &subscriber.State{Customer: st.Customer}, st)
}

// splitCustomer is the customer row of a split state.
type splitCustomer struct{ *subscriber.CustomerState }

// AppendJSON appends the row.
func (c splitCustomer) AppendJSON(b []byte) ([]byte, error) {
	b, err := c.CustomerState.AppendJSON(append(b, splitMark...))
	return append(b, '}'), err
}

func (tx *Tx) saveSplit(ref Ref, before, after *subscriber.State) error {
	if !after.Customer.Equal(&before.Customer) {
		if err := tx.setState(ref.key(customerRows, ""), splitCustomer{&after.Customer}); err != nil {
			return fmt.Errorf("encode customer: %w", err)
		}
	}
	for _, id := range after.SubscriptionIDs() {
		s := after.Subscriptions[id]
		if was, known := before.Subscriptions[id]; known && s.Equal(&was) {
			continue
		}
		if err := tx.setState(ref.key(subscriptionRows, "/"+id), &s); err != nil {
			return fmt.Errorf("encode subscription %s: %w", id, err)
		}
	}
	for _, id := range before.SubscriptionIDs() {
		if _, still := after.Subscriptions[id]; !still {
			tx.set(ref.key(subscriptionRows, "/"+id), nil)
		}
	}
	tx.saveEmitted(ref, before.Emitted, after.Emitted)
	return nil
}

func (tx *Tx) saveEmitted(ref Ref, before, after subscriber.Emitted) {
	for month, ids := range after {
		if len(ids) != len(before[month]) {
			tx.set(ref.key(emittedRows, "/"+month), ids.Append([]byte{version}))
		}
	}
	for month := range before {
		if _, still := after[month]; !still {
			tx.set(ref.key(emittedRows, "/"+month), nil)
		}
	}
}

// merge writes a split state anew: as one row, if that is large enough.
func (tx *Tx) merge(ref Ref, st *subscriber.State) error {
	var keys [][]byte
	for _, kind := range []string{subscriptionRows, emittedRows} {
		for key := range tx.scan(ref.key(kind, "/")) {
			keys = append(keys, key)
		}
	}
	for _, key := range keys {
		tx.set(key, nil)
	}
	return tx.saveWhole(ref, st)
}
