package settings

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Table is the content of a topic in memory. It is ready when the topic was read to its end; from then on it follows the topic.
// A change is visible as soon as a broker answers the next fetch request, which waits for it.
type Table[R any] struct {
	topic Topic[R]
	log   *zap.Logger
	next  Rows[R] // changed by Run only
	ready chan struct{}
	rows  atomic.Pointer[Rows[R]]
	whole atomic.Pointer[time.Time]

	changed func(*Rows[R]) // nil: nothing is called
}

// NewTable returns a table that is empty and not ready until Run has read the topic.
func NewTable[R any](topic Topic[R], log *zap.Logger) *Table[R] {
	t := &Table[R]{topic: topic, log: log, ready: make(chan struct{})}
	t.rows.Store(&Rows[R]{})
	return t
}

// Run reads the topic until ctx ends, which is no error. It retries while brokers do not answer or the topic does not exist. It fails if the
// topic was deleted and created again. Call it once.
func (t *Table[R]) Run(ctx context.Context, cluster kafka.Cluster) error {
	whole := func(at time.Time) { t.whole.Store(&at) }
	return kafka.Follower{Topic: t.topic.Name, Records: t.apply, AtEnd: t.atEnd, Whole: whole, Log: t.log}.Run(ctx, cluster)
}

// OnChange sets what is called with the rows when the table is ready and after each change, before Rows returns them. Set it before Run.
func (t *Table[R]) OnChange(changed func(*Rows[R])) { t.changed = changed }

// Ready returns a channel that is closed when the topic was read to its end.
func (t *Table[R]) Ready() <-chan struct{} { return t.ready }

// IsReady reports whether the topic was read to its end.
func (t *Table[R]) IsReady() bool {
	select {
	case <-t.ready:
		return true
	default:
		return false
	}
}

// Rows returns the current rows; none before the table is ready. It takes no lock.
func (t *Table[R]) Rows() *Rows[R] { return t.rows.Load() }

// IsCurrent reports whether Rows returns all that the topic had at some time within an age. While no broker can be reached it does not know. The topic is
// read twice a second.
func (t *Table[R]) IsCurrent(age time.Duration) bool {
	at := t.whole.Load()
	return t.IsReady() && at != nil && time.Since(*at) <= age
}

func (t *Table[R]) apply(records []kafka.Record) {
	for _, r := range records {
		if err := t.topic.apply(&t.next, r); err != nil {
			t.log.Error("decode row failed, the previous one stays in force", zap.Error(err))
		}
	}
	if t.IsReady() {
		t.publish()
	}
}

func (t *Table[R]) atEnd() {
	t.publish()
	close(t.ready)
}

func (t *Table[R]) publish() {
	rows := t.next.snapshot()
	if t.changed != nil {
		t.changed(rows)
	}
	t.rows.Store(rows)
}
