package state

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Overlay is the view of the state in one transaction: its own changes over the rows of the copy. It is for one goroutine, and
// ends with Apply or Drop, or with the partition's next TakeOver or Release. A row that can't be read appears to be missing;
// then Rows returns the error, so that the transaction is aborted.
type Overlay struct {
	p     *Partition
	reach reach
	rows  map[string]*row
	keys  []string         // of the rows that were set, in order
	given bool             // Rows were given
	known bool             // diff is known
	idle  *pebble.Iterator // from the last Scan, for the next
	diff  []string         // the keys whose value differs from what is below
	err   error
}

// row is a value in the overlay, and in the copy below; nil for none.
type row struct {
	value, below []byte
	read, set    bool // below is known; value was set
}

// Get returns the value of a key, nil if there is none. It must not be changed.
func (o *Overlay) Get(key []byte) []byte {
	r, ok := o.rows[string(key)]
	if !ok {
		r = o.row(string(key))
		o.read(string(key), r)
		r.value = r.below
	}
	return r.value
}

// Set sets the value of a key, which must not be changed afterwards; nil deletes it. If a key is empty or begins with a zero
// byte, Rows returns an error.
func (o *Overlay) Set(key, value []byte) {
	if isReserved(key) {
		o.fail(fmt.Errorf("key %q is reserved", key))
		return
	}
	r, ok := o.rows[string(key)]
	if !ok {
		r = o.row(string(key))
	}
	if !r.set {
		r.set = true
		at, _ := slices.BinarySearch(o.keys, string(key))
		o.keys = slices.Insert(o.keys, at, string(key))
	}
	r.value = value
	o.known, o.diff = false, nil
}

// Delete removes a key.
func (o *Overlay) Delete(key []byte) { o.Set(key, nil) }

func (o *Overlay) row(key string) *row {
	r := &row{}
	o.rows[key] = r
	return r
}

// read reads the value in the copy.
func (o *Overlay) read(key string, r *row) {
	if r.read || o.err != nil || isReserved([]byte(key)) {
		return
	}
	value, closer, err := o.p.store.db.Get(o.p.local([]byte(key)))
	switch {
	case errors.Is(err, pebble.ErrNotFound):
	case err != nil:
		o.fail(fmt.Errorf("read a row: %w", err))
		return
	default:
		r.below = append([]byte{}, value...)
		o.fail(closer.Close())
	}
	r.read = true
}

// Scan yields the rows whose keys begin with prefix, in key order. Rows set during the scan are not included.
func (o *Overlay) Scan(prefix []byte) iter.Seq2[[]byte, []byte] { return o.ScanFrom(prefix, nil) }

// ScanFrom is Scan for keys from a given one on.
func (o *Overlay) ScanFrom(prefix, from []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		if o.err != nil {
			return
		}
		m := o.merge(string(prefix), string(from))
		below, err := o.below(prefix, from)
		if err != nil {
			o.fail(err)
			return
		}
		defer func() { o.done(below) }()
		for more := below.First(); more; more = below.Next() {
			key := below.Key()[partitionBytes:]
			if isReserved(key) {
				continue
			}
			if m.upTo(string(key), yield); m.stopped {
				return
			}
			if !m.covers(string(key)) && !yield(bytes.Clone(key), append([]byte{}, below.Value()...)) {
				return
			}
		}
		m.rest(yield)
	}
}

// below returns an iterator over the copy's rows with a prefix, from a key on. It is reused, because opening an iterator costs
// more than moving it.
func (o *Overlay) below(prefix, from []byte) (*pebble.Iterator, error) {
	first, end := o.p.span(prefix)
	if at := o.p.local(from); bytes.Compare(at, first) > 0 {
		first = at
	}
	if end != nil && bytes.Compare(first, end) > 0 {
		first = end
	}
	if below := o.idle; below != nil {
		o.idle = nil
		below.SetBounds(first, end)
		return below, nil
	}
	below, err := o.p.store.db.NewIter(&pebble.IterOptions{LowerBound: first, UpperBound: end})
	if err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	return below, nil
}

// done keeps an iterator for the next Scan, unless it failed, or one is kept already because scans were nested.
func (o *Overlay) done(below *pebble.Iterator) {
	err := below.Error()
	if err == nil && o.idle == nil {
		o.idle = below
		return
	}
	o.fail(errors.Join(err, below.Close()))
}

// close closes the iterator.
func (o *Overlay) close() {
	if o.idle != nil {
		o.fail(o.idle.Close())
		o.idle = nil
	}
}

// merge returns the overlay's rows with a prefix and from a key on, to be merged with those of the copy.
func (o *Overlay) merge(prefix, from string) *merged {
	first := sort.SearchStrings(o.keys, max(prefix, from))
	m := &merged{}
	for _, key := range o.keys[first:] {
		if !strings.HasPrefix(key, prefix) {
			break
		}
		m.keys, m.values = append(m.keys, key), append(m.values, o.rows[key].value)
	}
	return m
}

// merged is the overlay's rows during a Scan.
type merged struct {
	keys    []string
	values  [][]byte
	next    int
	stopped bool
}

// upTo yields the overlay's rows before a key.
func (m *merged) upTo(key string, yield func(key, value []byte) bool) {
	for ; m.next < len(m.keys) && m.keys[m.next] < key; m.next++ {
		m.yieldNext(yield)
	}
}

// covers reports whether the overlay has set a key of the copy.
func (m *merged) covers(key string) bool { return m.next < len(m.keys) && m.keys[m.next] == key }

func (m *merged) rest(yield func(key, value []byte) bool) {
	for ; m.next < len(m.keys); m.next++ {
		m.yieldNext(yield)
	}
}

func (m *merged) yieldNext(yield func(key, value []byte) bool) {
	if value := m.values[m.next]; !m.stopped && value != nil {
		m.stopped = !yield([]byte(m.keys[m.next]), value)
	}
}

// Rows returns the records for the changelog, all of which must be written in the transaction: one for each key whose value has
// changed, in key order, and one with the transaction count. It returns none if nothing has changed. The error is the first one
// since Begin: then the transaction must be aborted. It is kafka.ErrTakeOver if only a TakeOver helps.
func (o *Overlay) Rows() ([]kafka.Record, error) {
	diff := o.changed()
	if o.err != nil {
		return nil, o.err
	}
	if len(diff) == 0 {
		return nil, nil
	}
	o.given = true
	records := make([]kafka.Record, 0, len(diff)+1)
	for _, key := range diff {
		records = append(records, o.p.record(key, o.rows[key].value))
	}
	return append(records, o.p.record(countKey, strconv.AppendUint(nil, o.p.mark.Count+1, 10))), nil
}

func (p *Partition) record(key string, value []byte) kafka.Record {
	return kafka.Record{Topic: p.store.config.Topic, Partition: p.number, Key: []byte(key), Value: value}
}

// changed returns the keys whose value differs from the copy.
func (o *Overlay) changed() []string {
	if o.known {
		return o.diff
	}
	for _, key := range o.keys {
		r := o.rows[key]
		o.read(key, r)
		if (r.value == nil) != (r.below == nil) || !bytes.Equal(r.value, r.below) {
			o.diff = append(o.diff, key)
		}
	}
	o.known = true
	return o.diff
}

// Apply writes the changes to the copy. Call it when the transaction is committed. A failed write is logged, and the partition
// requires a TakeOver. After a TakeOver it does nothing, because the outcome was read from the changelog.
func (o *Overlay) Apply() { o.p.apply(o) }

// Drop discards the changes. Call it if the transaction was aborted, or if there was none.
func (o *Overlay) Drop() {
	o.p.mutex.Lock()
	defer o.p.mutex.Unlock()
	if o.p.open == o {
		o.p.end()
	}
}

// fail stores the first error. Corrupt files can only be restored from the changelog.
func (o *Overlay) fail(err error) {
	if err == nil || o.err != nil {
		return
	}
	o.err = fmt.Errorf("state of partition %d: %w", o.p.number, err)
	if pebble.IsCorruptionError(err) {
		o.p.store.notice(err)
		o.err = fmt.Errorf("%w: %w", kafka.ErrTakeOver, o.err)
	}
}
