package state

import (
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Partition is what is remembered of one partition number. Between TakeOver and Release it is as the changelog: each
// transaction changes it through one Overlay.
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

// reach is how far the changelog reached at a time, by the answer to a question asked then.
type reach struct {
	end int64
	at  time.Time
}

// Begin returns an overlay for a transaction. Where the partition is not taken over, or the copy was lost since, it is of no
// use: it finds nothing, and its Rows fail with kafka.ErrTakeOver. So it is after an overlay that has given Rows and was
// neither applied nor dropped: nobody knows what became of those.
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
		o.err = fmt.Errorf("state of partition %d is not known: %w", p.number, kafka.ErrTakeOver)
	}
	return o
}

// end closes the open overlay, under the mutex.
func (p *Partition) end() {
	if p.open != nil {
		p.open.close()
		p.open = nil
		p.store.using.RUnlock()
	}
}

// Release drops an open overlay, whatever became of its transaction. The copy stays in the folder; it is of use again after
// the next TakeOver.
func (p *Partition) Release() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.end()
	p.ready = false
}

// apply writes an overlay's changes. It does nothing for one that is closed: a TakeOver has read since what became of it.
func (p *Partition) apply(o *Overlay) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.open != o {
		return
	}
	defer p.end()
	changed := len(o.changed()) > 0
	if o.err != nil {
		p.ready = false // what became visible is not what was given
		return
	}
	if !changed {
		return
	}
	m := p.mark
	// The answer came before this transaction began, and nobody had fenced us when it ended: all that was written before
	// the answer's end is ours or older, and in the copy.
	if o.reach.end > m.Offset {
		m.Offset, m.At, m.Counted = o.reach.end, o.reach.at, m.Count
	}
	m.Count++
	if err := p.writeRows(o, m); err != nil {
		p.ready = false
		p.log.Error("write local state, will catch up from its topic", zap.Error(err))
		return
	}
	p.mark = m
	p.store.config.Step("rows applied")
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
