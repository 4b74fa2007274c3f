package pipeline

import "slices"

// undoable is an overlay of which the changes of one record can be taken back: what is committed with the records before
// it has nothing of a record that comes again, or was rejected.
type undoable struct {
	Overlay
	changes []change
}

// change is a row before it was set.
type change struct {
	key    []byte
	before []byte
}

// Set gives a key a value; nil deletes it.
func (u *undoable) Set(key, value []byte) {
	u.changes = append(u.changes, change{key, u.Get(key)})
	u.Overlay.Set(key, value)
}

// savepoint is what a transaction had come to.
type savepoint struct {
	changes, wanted int
	released        amount
}

func (t *transform) save() savepoint {
	return savepoint{len(t.rows.changes), len(t.wanted), t.released}
}

// back takes back what came after a savepoint.
func (t *transform) back(to savepoint) {
	for _, c := range slices.Backward(t.rows.changes[to.changes:]) {
		t.rows.Overlay.Set(c.key, c.before)
	}
	t.rows.changes, t.wanted, t.released = t.rows.changes[:to.changes], t.wanted[:to.wanted], to.released
}

// largest is the size of the largest row set since a savepoint, in bytes.
func (t *transform) largest(since savepoint) int {
	largest := 0
	for _, c := range t.rows.changes[since.changes:] {
		largest = max(largest, len(c.key)+len(t.rows.Get(c.key)))
	}
	return largest
}
