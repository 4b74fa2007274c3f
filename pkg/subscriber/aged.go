package subscriber

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// keepDeleted is how long it is remembered that a customer was deleted: what Recharge sends of them comes within days.
const keepDeleted = 100 * 24 * time.Hour

// keepRecords is how old a record may be that is decided on. It is more than the 400 days for which raw webhooks are kept, and
// the week that a segment of theirs may take to fill.
const keepRecords = 425 * 24 * time.Hour

// Oldest is when the oldest record was received that may still come in: what is past its age by then no record needs.
func Oldest(now time.Time) time.Time { return now.Add(-keepRecords) }

// aged is what is left of a memory at a time. What is past its age is as if it had been removed, be it so yet or not: what
// comes of a webhook doesn't hang on when somebody looks for such rows. What was told of a customer has its own age, also
// where that they were deleted is forgotten.
func (m *Memory) aged(at time.Time) *Memory {
	if m.Customer.forgotten(at) {
		m = &Memory{Subscriptions: make(map[string]KnownSubscription), told: m.told, asked: m.asked}
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

// PastAge tells whether one of AgedRows is of no use for anything that is received at that time or later.
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

// Remove takes out a row that is past its age, and with a customer's those of their subscriptions. It returns how many rows
// these are.
func Remove(rows Rows, key []byte) (removed int) {
	keys := [][]byte{key}
	if of, ok := DeletedCustomer(key); ok {
		for key := range rows.Scan([]byte(subscriptionRows + of + "/")) {
			keys = append(keys, key)
		}
	}
	for _, key := range keys {
		rows.Set(key, nil)
	}
	return len(keys)
}
