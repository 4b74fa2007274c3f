package backtest

import (
	"iter"
	"strings"

	"github.com/tidwall/btree"
)

// rows are the rows of one customer: see message.Rows.
type rows struct{ all btree.Map[string, []byte] }

// Get returns the row of a key, nil if there is none.
func (r *rows) Get(key []byte) []byte {
	value, _ := r.all.Get(string(key))
	return value
}

// Set sets a row.
func (r *rows) Set(key, value []byte) { r.all.Set(string(key), value) }

// Delete removes a row.
func (r *rows) Delete(key []byte) { r.all.Delete(string(key)) }

// Scan yields the rows that have a prefix now, in key order.
func (r *rows) Scan(prefix []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		r.all.Copy().Ascend(string(prefix), func(key string, value []byte) bool {
			return strings.HasPrefix(key, string(prefix)) && yield([]byte(key), value)
		})
	}
}
