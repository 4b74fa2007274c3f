package customerstate

import (
	"encoding/json"
	"iter"
	"slices"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Tx is one transaction on the rows of a partition. The changes of a single record can be rolled back: a record that is
// rejected or delivered again leaves no changes.
type Tx struct {
	store     *Store
	partition *partition
	rows      Overlay
	changes   []change
	lookups   []recharge.LookupRequest // for the queue, once committed
	replayed  amount
	parked    *bool // whether any record of the partition may be parked; nil if that is not known
	again     bool  // parked records are left to be replayed
	step      *step
}

// change is the value of a row before it was set.
type change struct{ key, before []byte }

// Savepoint is a point in a transaction to roll back to.
type Savepoint struct {
	changes, lookups int
	replayed         amount
}

// Savepoint returns a savepoint at the current point.
func (tx *Tx) Savepoint() Savepoint {
	return Savepoint{len(tx.changes), len(tx.lookups), tx.replayed}
}

// Rollback undoes all changes after a savepoint.
func (tx *Tx) Rollback(to Savepoint) {
	for _, c := range slices.Backward(tx.changes[to.changes:]) {
		tx.rows.Set(c.key, c.before)
	}
	tx.changes, tx.lookups, tx.replayed = tx.changes[:to.changes], tx.lookups[:to.lookups], to.replayed
}

// Largest returns the size in bytes of the largest row set since a savepoint.
func (tx *Tx) Largest(since Savepoint) int {
	largest := 0
	for _, c := range tx.changes[since.changes:] {
		largest = max(largest, len(c.key)+len(tx.rows.Get(c.key)))
	}
	return largest
}

// Outputs returns the changelog records of the changed rows. All of them must be written in the transaction. After an error the
// transaction must be aborted.
func (tx *Tx) Outputs() ([]kafka.Record, error) {
	if tx.partition.format < version && slices.ContainsFunc(tx.changes, func(c change) bool { return tx.rows.Get(c.key) != nil }) {
		tx.set([]byte(formatRow), []byte{version})
	}
	return tx.rows.Rows()
}

// PunctuateSoon reports whether parked records are left to replay.
func (tx *Tx) PunctuateSoon() bool { return tx.again }

// Ended applies the changes and queues the lookup requests if the transaction was committed; otherwise it drops both.
func (tx *Tx) Ended(committed bool) {
	if !committed {
		tx.rows.Drop()
		return
	}
	if tx.partition.format < version && tx.rows.Get([]byte(formatRow)) != nil {
		tx.partition.format = version
	}
	tx.rows.Apply()
	if len(tx.lookups) > 0 {
		tx.store.Lookups.Add(tx.partition.number, tx.lookups...)
	}
	if tx.step == nil {
		return
	}
	tx.step.done()
	if tx.step.removed > 0 {
		tx.store.Log.Info("expired rows removed", zap.Int("partition", tx.partition.number), zap.Int("rows", tx.step.removed))
	}
}

// set sets a row; nil removes it.
func (tx *Tx) set(key, value []byte) {
	tx.changes = append(tx.changes, change{key, tx.rows.Get(key)})
	tx.rows.Set(key, value)
}

// setJSON sets a row of a type that is written seldom.
func (tx *Tx) setJSON(key []byte, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	tx.set(key, append([]byte{version}, body...))
	return nil
}

// setState sets a row of a type that is written often.
func (tx *Tx) setState(key []byte, value appender) error {
	row, err := tx.partition.codec.encode(value)
	if err != nil {
		return err
	}
	tx.set(key, row)
	return nil
}

func (tx *Tx) scan(prefix []byte) iter.Seq2[[]byte, []byte] { return tx.rows.ScanFrom(prefix, nil) }

// any reports whether a row with this key prefix exists.
func (tx *Tx) any(prefix []byte) bool {
	for range tx.scan(prefix) {
		return true
	}
	return false
}
