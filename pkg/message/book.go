package message

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// Rows are the rows of a partition in a transaction, such as a state.Overlay.
type Rows interface {
	Get(key []byte) []byte
	Set(key, value []byte)
	Delete(key []byte)
	// Scan yields the rows with a prefix in key order. Rows set during the scan are not included.
	Scan(prefix []byte) iter.Seq2[[]byte, []byte]
}

// Book is the messages of one partition in one transaction. After an error its changes must be dropped.
type Book struct {
	rows Rows
	now  time.Time

	settings Settings
	changed  []Message
	removed  []Removal
}

// Settings are the settings of the stores.
type Settings interface {
	// Flow returns a flow of a store as it is set now, the zero Flow if there is none.
	Flow(store string, key flow.Key) flow.Flow
	// Paused reports whether the texts of a flow are held, until an operator resumes them.
	Paused(store string, key flow.Key) bool
}

// Open returns the book of a transaction at a time.
func Open(rows Rows, now time.Time, settings Settings) *Book {
	return &Book{rows: rows, now: now, settings: settings}
}

// Changed returns the changed messages, in the order of their changes.
func (b *Book) Changed() []Message { return b.changed }

// Removal is what is to be removed of a message.
type Removal struct {
	*Message

	// Text means that its row is to be removed from recharge.message-texts: it ended long ago, or its customer's personal data was erased.
	Text bool
	// Ended are the links whose rows are to be removed from recharge.links.
	Ended []Link
}

// Removed returns what is to be removed.
func (b *Book) Removed() []Removal { return b.removed }

// OfCustomer returns a customer's messages, oldest row first.
func (b *Book) OfCustomer(store, customer string) (list []*Message, err error) {
	for key, value := range b.rows.Scan(messagePrefix(store, customer)) {
		m, err := decode(key, value)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// message returns a message, nil if there is none.
func (b *Book) message(store, customer, id string) (*Message, error) {
	key := messageKey(store, customer, id)
	value := b.rows.Get(key)
	if value == nil {
		return nil, nil //nolint:nilnil // documented
	}
	return decode(key, value)
}

// save writes a message and its entries in the indexes. before is the stored message, nil for a new one.
func (b *Book) save(before, m *Message) error {
	if before != nil {
		for _, key := range entries(before) {
			b.rows.Delete(key)
		}
	}
	m.Changes++
	m.Moved = before == nil || before.Status != m.Status
	if m.ended() && m.EndedAt.IsZero() {
		m.EndedAt = b.now
	}
	if !m.ended() {
		m.EndedAt = time.Time{}
	}
	if err := b.store(m); err != nil {
		return err
	}
	b.changed = append(b.changed, snapshot(m))
	return nil
}

// store writes the row of a message and its entries in the indexes.
func (b *Book) store(m *Message) error {
	value, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	b.rows.Set(messageKey(m.Store, m.CustomerID, m.ID), append([]byte{rowVersion}, value...))
	for _, key := range entries(m) {
		b.rows.Set(key, []byte{rowVersion})
	}
	return nil
}

func snapshot(m *Message) Message {
	copied := *m
	copied.Triggers, copied.Links = slices.Clone(m.Triggers), slices.Clone(m.Links)
	return copied
}
