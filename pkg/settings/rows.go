package settings

import (
	"errors"
	"iter"
	"strings"

	"github.com/tidwall/btree"
)

// Rows is the content of a table at one moment. It never changes, so many goroutines may read it without a lock.
type Rows[R any] struct {
	rows       btree.Map[string, R]
	unreadable btree.Map[string, error]
}

// Get returns the row of a key.
func (r *Rows[R]) Get(key string) (row R, ok bool) { return r.rows.Get(key) }

// Len returns the number of rows.
func (r *Rows[R]) Len() int { return r.rows.Len() }

// Prefix yields the rows whose keys begin with a prefix, in the order of their keys.
func (r *Rows[R]) Prefix(prefix string) iter.Seq2[string, R] {
	return func(yield func(string, R) bool) {
		r.rows.Ascend(prefix, func(key string, row R) bool {
			return strings.HasPrefix(key, prefix) && yield(key, row)
		})
	}
}

// Unreadable returns an error for each key whose last record could not be decoded, joined; nil if there are none. Such a key has
// its previous row, or none.
func (r *Rows[R]) Unreadable() error { return errors.Join(r.unreadable.Values()...) }

// readable reports whether the last record of a key, if there is one, could be decoded.
func (r *Rows[R]) readable(key string) bool {
	_, failed := r.unreadable.Get(key)
	return !failed
}

// snapshot returns a copy, which shares what is not changed later.
func (r *Rows[R]) snapshot() *Rows[R] {
	return &Rows[R]{rows: *r.rows.Copy(), unreadable: *r.unreadable.Copy()}
}
