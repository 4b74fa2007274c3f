package customerstate

import (
	"bytes"
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Load returns the state of a customer.
func (tx *Tx) Load(ref Ref) (*subscriber.State, error) {
	st := &subscriber.State{Subscriptions: make(map[string]subscriber.SubscriptionState), Emitted: make(subscriber.Emitted)}
	if ref.CustomerID == "" {
		return st, nil
	}
	key := ref.key(customerRows, "")
	if row := tx.rows.Get(key); row != nil {
		if err := decodeBy(tx.partition.codec.customers, row, &st.Customer); err != nil {
			return nil, fmt.Errorf("decode row %s: %w", key, err)
		}
	}
	var s subscriber.SubscriptionState
	for key, row := range tx.scan(ref.key(subscriptionRows, "/")) {
		if err := decodeBy(tx.partition.codec.subscriptions, row, &s); err != nil {
			return nil, fmt.Errorf("decode row %s: %w", key, err)
		}
		st.Subscriptions[s.ID] = s
	}
	for key, row := range tx.scan(ref.key(emittedRows, "/")) {
		ids, err := decodeEmitted(row)
		if err != nil {
			return nil, fmt.Errorf("decode row %s: %w", key, err)
		}
		st.Emitted[string(key[bytes.LastIndexByte(key, '/')+1:])] = ids
	}
	return st, nil
}

// Save writes the rows that differ between two states of a customer.
func (tx *Tx) Save(ref Ref, before, after *subscriber.State) error {
	if ref.CustomerID == "" {
		return nil
	}
	if err := tx.saveCustomer(ref, &before.Customer, &after.Customer); err != nil {
		return err
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

func (tx *Tx) saveCustomer(ref Ref, before, after *subscriber.CustomerState) error {
	switch {
	case after.Equal(before):
		return nil
	case after.Equal(&subscriber.CustomerState{}): // the deletion is expired
		tx.set(ref.key(customerRows, ""), nil)
		return nil
	}
	if err := tx.setState(ref.key(customerRows, ""), after); err != nil {
		return fmt.Errorf("encode customer: %w", err)
	}
	return nil
}

func (tx *Tx) saveEmitted(ref Ref, before, after subscriber.Emitted) {
	for month, ids := range after {
		if len(ids) != len(before[month]) {
			tx.set(ref.key(emittedRows, "/"+month), encodeEmitted(ids))
		}
	}
	for month := range before {
		if _, still := after[month]; !still {
			tx.set(ref.key(emittedRows, "/"+month), nil)
		}
	}
}
