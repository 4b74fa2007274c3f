package state

import (
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Partition is the state of one partition number. Between TakeOver and Release it equals the changelog: each transaction
// changes it through one Overlay.
type Partition struct {
	store  *Store
	number int
	log    *zap.Logger

	mutex sync.Mutex
	mark  mark
	ready bool
	era   int64 // of the store, when it was taken over
	open  *Overlay
	reach reach
}

// reach is a fetched end of the changelog, and when its request began.
type reach struct {
	end int64
	at  time.Time
}

// Begin returns an overlay for a transaction. If the partition was not taken over, or the copy was lost since, the overlay is
// empty and its Rows returns kafka.ErrTakeOver. The same applies if Rows was called on the last overlay without Apply or Drop:
// the outcome of that transaction is unknown.
func (p *Partition) Begin() *Overlay {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.open != nil {
		p.ready = p.ready && !p.open.given
		p.end()
	}
	o := &Overlay{p: p, rows: make(map[string]*row), reach: p.reach}
	p.store.using.RLock()
	p.open = o
	if !p.ready || p.era != p.store.era.Load() {
		o.err = fmt.Errorf("state of partition %d is not restored: %w", p.number, kafka.ErrTakeOver)
	}
	return o
}

// end closes the open overlay. The mutex is held.
func (p *Partition) end() {
	if p.open != nil {
		p.open.close()
		p.open = nil
		p.store.using.RUnlock()
	}
}

// Release drops an open overlay without waiting for the outcome of its transaction. The copy stays on disk; the next TakeOver
// continues from it.
func (p *Partition) Release() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.end()
	p.ready = false
}

// apply writes an overlay's changes. It does nothing for a closed overlay: a TakeOver has read the outcome since.
func (p *Partition) apply(o *Overlay) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.open != o {
		return
	}
	defer p.end()
	changed := len(o.changed()) > 0
	if o.err != nil {
		p.ready = false // what was committed is not what Rows returned
		return
	}
	if !changed {
		return
	}
	m := p.mark
	// The end was fetched before this transaction began, and this process was not fenced when it ended: all records before that
	// end are its own or older, and in the copy.
	if o.reach.end > m.Offset {
		m.Offset, m.At, m.Counted = o.reach.end, o.reach.at, m.Count
	}
	m.Count++
	if p.store.disk.whileFull() != nil {
		p.ready = false // the next TakeOver waits for space and reads the rows from the changelog
		return
	}
	if err := p.writeRows(o, m); err != nil {
		p.ready = false
		p.log.Error("write local state failed, will restore it from the changelog", zap.Error(err))
		return
	}
	p.mark = m
	p.store.config.FaultPoint("rows applied")
}

func (p *Partition) writeRows(o *Overlay, m mark) error {
	batch := p.store.db.NewBatch()
	defer batch.Close() //nolint:errcheck // nothing is left to be written
	for _, key := range o.changed() {
		var err error
		if value := o.rows[key].value; value == nil {
			err = batch.Delete(p.local([]byte(key)), nil)
		} else {
			err = batch.Set(p.local([]byte(key)), value, nil)
		}
		if err != nil {
			return fmt.Errorf("write rows: %w", err)
		}
	}
	return p.write(batch, m)
}
