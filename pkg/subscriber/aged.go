package subscriber

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// keepDeleted is how long it is remembered that a customer was deleted: what Recharge sends of them comes within days.
const keepDeleted = 100 * 24 * time.Hour

// aged is what is left of a memory at a time. What is past its age is as if it had been removed, be it so yet or not: what
// comes of a webhook doesn't hang on when somebody looks for such rows.
func (m *Memory) aged(at time.Time) *Memory {
	if m.Customer.forgotten(at) {
		return &Memory{Subscriptions: make(map[string]KnownSubscription), told: make(told), asked: m.asked}
	}
	for month := range m.told {
		if month < oldestTold(at) {
			left := m.clone()
			left.told.forget(at)
			return left
		}
	}
	return m
}

// forgotten says that the customer was deleted so long ago that not even that is remembered.
func (k *KnownCustomer) forgotten(at time.Time) bool {
	return !k.DeletedAt.IsZero() && !at.Before(k.DeletedAt.Add(keepDeleted))
}

// AgedRows are how the keys of those rows begin that are past their age one day, in the order of keys.
func AgedRows() []string { return []string{customerRows, toldRows} }

// PastAge tells whether one of AgedRows is of no use for anything that comes in at that time or later.
func PastAge(key, value []byte, at time.Time) bool {
	if month, ok := bytes.CutPrefix(key, []byte(toldRows)); ok {
		return string(month[bytes.LastIndexByte(month, '/')+1:]) < oldestTold(at)
	}
	if !bytes.Contains(value, []byte(`"deleted_at"`)) { // most are not to be decoded
		return false
	}
	var k KnownCustomer
	return json.Unmarshal(value, &k) == nil && k.forgotten(at)
}

// DeletedCustomer is store/customer where a row is that of a customer, and not one of several.
func DeletedCustomer(key []byte) (of string, ok bool) {
	return strings.CutPrefix(string(key), customerRows)
}

// Remove takes out a row that is past its age, and with a customer's all that is left of them. It returns how many rows
// these are.
func Remove(rows Rows, key []byte) (removed int) {
	keys := [][]byte{key}
	if of, ok := DeletedCustomer(key); ok {
		for _, kind := range []string{subscriptionRows, toldRows} {
			for key := range rows.Scan([]byte(kind + of + "/")) {
				keys = append(keys, key)
			}
		}
	}
	for _, key := range keys {
		rows.Set(key, nil)
	}
	return len(keys)
}
