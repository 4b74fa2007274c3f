package pipeline

import (
	"bytes"
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/parked"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/sweep"
)

// A customer of whom nothing comes in any more is never recalled, so that nobody would find what is past its age of
// them. The owner of a partition walks its rows in steps, pass after pass. A step is a transaction of its own, of
// tombstones, where it finds something. An age is that by the oldest record that may still come, so that none misses a row.

// Sweep releases more of what waited, else it is the next step through the rows of a partition; without changes where neither
// is due.
func (t *Transformer) Sweep(ctx context.Context, partition int) (Swept, error) {
	work := t.begin(partition)
	released, stuck, err := work.goOn(ctx)
	now := t.now()
	step, due := t.sweeps.Of(partition).Due(now)
	if released != nil || err != nil || !due {
		return Swept{Changes: work, Released: released, Stuck: stuck}, err
	}
	s := &sweepStep{Overlay: work.rows.Overlay, Step: step, oldest: subscriber.Oldest(now), log: t.log.With(zap.Int("partition", partition))}
	s.Walk(s, append([]string{subscriber.QuestionRows}, subscriber.AgedRows()...), s.see)
	return Swept{Changes: s, Stuck: stuck}, nil
}

// sweepStep is one transaction without records.
type sweepStep struct {
	Overlay
	sweep.Step
	oldest  time.Time
	removed int
	log     *zap.Logger
}

// see removes a row that is of no use any more. So is a question that no answer would find.
func (s *sweepStep) see(key, value []byte) (removed int) {
	if !s.past(key, value) {
		return 0
	}
	removed = subscriber.Remove(s, key)
	s.removed += removed
	return removed
}

func (s *sweepStep) past(key, value []byte) bool {
	if bytes.HasPrefix(key, []byte(subscriber.QuestionRows)) {
		_, _, ok := subscriber.ReadQuestion(key, value)
		return !ok
	}
	return subscriber.PastAge(key, value, s.oldest) && !s.waits(key)
}

// waits tells whether a row is that of a customer of whom something was put aside or asked: what becomes of that is decided
// with what is known now.
func (s *sweepStep) waits(key []byte) bool {
	of, ok := subscriber.DeletedCustomer(key)
	if !ok {
		return false
	}
	for range s.Scan([]byte(subscriber.QuestionRows + of + "/")) {
		return true
	}
	return parked.Any(s, of)
}

// Outputs are tombstones.
func (s *sweepStep) Outputs() ([]kafka.Record, error) { return s.Rows() }

// Again says no: steps are far between.
func (*sweepStep) Again() bool { return false }

// Ended goes on, or will take the same step again.
func (s *sweepStep) Ended(committed bool) {
	if !committed {
		s.Drop()
		return
	}
	s.Apply()
	s.Done()
	if s.removed > 0 {
		s.log.Info("rows past their age removed", zap.Int("rows", s.removed))
	}
}
