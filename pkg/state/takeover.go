package state

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// retentionSetting is how long a compacted topic keeps tombstones: whoever comes later may miss one
// (https://kafka.apache.org/documentation/#topicconfigs_delete.retention.ms).
const retentionSetting = "delete.retention.ms"

// batchBytes is how much is written to the copy at once.
const batchBytes = 512 << 10

// TakeOver brings the copy to where the changelog ends now. It is called when the partition is nobody else's and nothing is
// open in it, as kafka.Transactions.TakeOver is. An overlay that is still open is dropped: what became of its transaction
// is in the changelog. A copy that can't be one of this changelog is removed, and restored from the beginning.
func (p *Partition) TakeOver(ctx context.Context) error {
	p.Release()
	if err := p.takeOver(ctx); err != nil {
		return fmt.Errorf("take over state of partition %d: %w", p.number, err)
	}
	return nil
}

func (p *Partition) takeOver(ctx context.Context) error {
	select {
	case p.store.turns <- struct{}{}:
		defer func() { <-p.store.turns }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := p.store.mend(); err != nil {
		return err
	}
	p.store.using.RLock()
	defer p.store.using.RUnlock()
	if p.store.db == nil {
		return errClosed
	}
	era := p.store.era.Load()
	t := takeover{Partition: p, began: p.store.config.Now()}
	if err := t.run(ctx); err != nil {
		if pebble.IsCorruptionError(err) {
			p.store.notice(err)
		}
		return err
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.mark, p.ready, p.era, p.reach = t.mark, true, era, reach{}
	p.log.Info("state taken over", zap.Int64("from", t.from), zap.Int64("to", t.mark.Offset), zap.Int("rows", t.rows),
		zap.Duration("took", p.store.config.Now().Sub(t.began)))
	return nil
}

// takeover is one TakeOver.
type takeover struct {
	*Partition
	began   time.Time
	cluster string
	keeps   time.Duration // tombstones
	span    kafka.Span

	mark mark
	from int64 // where it began to read
	rows int
}

func (t *takeover) run(ctx context.Context) error {
	if err := t.ask(ctx); err != nil {
		return err
	}
	if err := t.choose(ctx); err != nil {
		return err
	}
	t.store.config.Step("copy chosen")
	if err := t.copy(ctx); err != nil {
		return err
	}
	t.store.config.Step("changelog read")
	if t.mark.ahead() {
		if err := t.wipe("it is ahead of the changelog"); err != nil {
			return err
		}
		if err := t.copy(ctx); err != nil {
			return err
		}
	}
	if t.mark.Origin == "" {
		if err := t.mint(ctx); err != nil {
			return err
		}
	}
	t.mark.Cluster, t.mark.At, t.mark.Count = t.cluster, t.began, t.mark.Counted
	batch := t.store.db.NewBatch()
	defer batch.Close() //nolint:errcheck // nothing is left to be written
	if err := t.write(batch, t.mark); err != nil {
		return err
	}
	t.store.config.Step("copy marked")
	return nil
}

// ask learns what there is of the changelog.
func (t *takeover) ask(ctx context.Context) error {
	var err error
	if t.cluster, err = t.store.reader.ClusterID(ctx); err != nil {
		return err
	}
	setting, err := t.store.reader.Setting(ctx, retentionSetting)
	if err != nil {
		return err
	}
	millis, err := strconv.ParseInt(setting, 10, 64)
	if err != nil {
		return fmt.Errorf("%s is no number of milliseconds: %w", retentionSetting, err)
	}
	t.keeps = time.Duration(millis) * time.Millisecond
	return t.reaches(ctx)
}

func (t *takeover) reaches(ctx context.Context) error {
	spans, err := t.store.reader.Spans(ctx, t.number)
	t.span = spans[t.number]
	return err
}

// choose goes on from the local copy, or wipes it.
func (t *takeover) choose(ctx context.Context) error {
	m, found, err := t.readMark()
	why := ""
	switch {
	case pebble.IsCorruptionError(err):
		return err
	case err != nil:
		why = err.Error()
	case !found:
		why = noCopy
	default:
		if why, err = t.distrust(ctx, m); err != nil {
			return err
		}
	}
	if why != "" {
		return t.wipe(why)
	}
	t.mark = m
	return nil
}

const noCopy = "there is none"

// distrust says why a copy can't be gone on from, "" when it can.
func (t *takeover) distrust(ctx context.Context, m mark) (string, error) {
	age := t.began.Sub(m.At)
	switch {
	case m.Cluster != t.cluster:
		return "it is of another cluster", nil
	case m.Offset > t.span.End:
		return "it is ahead of the changelog", nil
	case m.Offset < t.span.First:
		return "what follows it is gone", nil
	case age > t.keeps-t.keeps/10, age < -time.Minute: // a clock that was set back tells nothing
		return "it is too old: tombstones that follow it may be gone", nil
	}
	origin, err := t.store.reader.Record(ctx, t.number, m.OriginOffset)
	switch {
	case errors.Is(err, kafka.ErrNoRecord):
	case err != nil:
		return "", err
	case string(origin.Key) == originKey && string(origin.Value) == m.Origin:
		return "", nil
	}
	return "it is of another topic of that name", nil
}

// wipe removes the copy, to begin with the first record.
func (t *takeover) wipe(why string) error {
	log := t.log.Warn
	if why == noCopy {
		log = t.log.Info
	}
	log("restore state from the beginning of its topic", zap.String("copy", why))
	first, end := t.Partition.span(nil)
	if err := t.store.db.DeleteRange(first, end, pebble.NoSync); err != nil {
		return fmt.Errorf("remove local copy: %w", err)
	}
	t.mark = mark{Cluster: t.cluster, Offset: t.span.First, At: t.began}
	t.store.config.Step("copy removed")
	return nil
}

// copy reads from the mark to the end of the span. What was read when it fails is there for the next time.
func (t *takeover) copy(ctx context.Context) error {
	batch := t.store.db.NewBatch()
	defer func() { _ = batch.Close() }() // nothing is left to be written
	t.from = t.mark.Offset
	for r, err := range t.store.reader.Read(ctx, t.number, kafka.Span{First: t.mark.Offset, End: t.span.End}) {
		if err == nil {
			err = t.take(batch, r)
		}
		if err != nil {
			return err
		}
		t.mark.Offset = r.Offset + 1
		if batch.Len() < batchBytes {
			continue
		}
		if err := t.write(batch, t.mark); err != nil {
			return err
		}
		batch.Reset()
		t.store.config.Step("changelog half read")
	}
	t.mark.Offset = t.span.End
	return t.write(batch, t.mark)
}

func (t *takeover) take(batch *pebble.Batch, r kafka.Record) error {
	t.rows++
	var err error
	switch {
	case isReserved(r.Key):
		return t.mark.learn(r)
	case r.Value == nil:
		err = batch.Delete(t.local(r.Key), nil)
	default:
		err = batch.Set(t.local(r.Key), r.Value, nil)
	}
	if err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}
