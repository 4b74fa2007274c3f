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

// retentionSetting is the setting for how long a compacted topic keeps tombstones. A local copy older than that may have missed one
// (https://kafka.apache.org/documentation/#topicconfigs_delete.retention.ms).
const retentionSetting = "delete.retention.ms"

// batchBytes is the size of a batch written to the copy.
const batchBytes = 512 << 10

// TakeOver restores the copy up to the end of the changelog. Call it when no other process owns the partition and no
// transaction is open, like kafka.Transactions.TakeOver. An overlay that is still open is dropped: the outcome of its
// transaction is in the changelog. A copy of another changelog is removed, and restored from the beginning.
func (p *Partition) TakeOver(ctx context.Context) error {
	p.Release()
	if err := p.takeOver(ctx); err != nil {
		return fmt.Errorf("take over state of partition %d: %w", p.number, err)
	}
	return nil
}

func (p *Partition) takeOver(ctx context.Context) error {
	if err := p.store.disk.await(ctx); err != nil {
		return err
	}
	select {
	case p.store.turns <- struct{}{}:
		defer func() { <-p.store.turns }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := p.store.replaceCorrupt(); err != nil {
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
	took := p.store.config.Now().Sub(t.began)
	p.store.config.Metrics.StateRestored(t.rows, took)
	t.logRestored(took)
	return nil
}

// takeover is the state of one TakeOver.
type takeover struct {
	*Partition
	began     time.Time
	cluster   string
	retention time.Duration // of tombstones
	span      kafka.OffsetRange

	mark mark
	from int64 // where it began to read
	rows int
}

// slowRestore is how long a restore takes that is logged at level info.
const slowRestore = time.Second

func (t *takeover) logRestored(took time.Duration) {
	log := t.log.Debug
	if took >= slowRestore {
		log = t.log.Info
	}
	log("state restored", zap.Int64("from", t.from), zap.Int64("to", t.mark.Offset), zap.Int("rows", t.rows), zap.Duration("took", took))
}

func (t *takeover) run(ctx context.Context) error {
	if err := t.inspect(ctx); err != nil {
		return err
	}
	if err := t.choose(ctx); err != nil {
		return err
	}
	t.store.config.FaultPoint("copy chosen")
	if err := t.restore(ctx); err != nil {
		return err
	}
	t.store.config.FaultPoint("changelog read")
	if t.mark.ahead() {
		if err := t.wipe("ahead of the changelog"); err != nil {
			return err
		}
		if err := t.restore(ctx); err != nil {
			return err
		}
	}
	if t.mark.Origin == "" {
		if err := t.createOrigin(ctx); err != nil {
			return err
		}
	}
	t.mark.Cluster, t.mark.At, t.mark.Count = t.cluster, t.began, t.mark.Counted
	batch := t.store.db.NewBatch()
	defer batch.Close() //nolint:errcheck // nothing is left to be written
	if err := t.write(batch, t.mark); err != nil {
		return err
	}
	t.store.config.FaultPoint("copy marked")
	return nil
}

// inspect fetches the changelog's cluster, retention and offsets.
func (t *takeover) inspect(ctx context.Context) error {
	var err error
	if t.cluster, err = t.store.reader.ClusterID(ctx); err != nil {
		return err
	}
	setting, err := t.store.reader.Config(ctx, retentionSetting)
	if err != nil {
		return err
	}
	millis, err := strconv.ParseInt(setting, 10, 64)
	if err != nil {
		return fmt.Errorf("parse %s in milliseconds: %w", retentionSetting, err)
	}
	t.retention = time.Duration(millis) * time.Millisecond
	return t.reaches(ctx)
}

func (t *takeover) reaches(ctx context.Context) error {
	spans, err := t.store.reader.OffsetRanges(ctx, t.number)
	t.span = spans[t.number]
	return err
}

// choose continues the local copy, or wipes it.
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
		if why, err = t.invalid(ctx, m); err != nil {
			return err
		}
	}
	if why != "" {
		return t.wipe(why)
	}
	t.mark = m
	return nil
}

const noCopy = "none"

// invalid returns why a copy can't be continued, "" if it can.
func (t *takeover) invalid(ctx context.Context, m mark) (string, error) {
	age := t.began.Sub(m.At)
	switch {
	case m.Cluster != t.cluster:
		return "of another cluster", nil
	case m.Offset > t.span.End:
		return "ahead of the changelog", nil
	case m.Offset < t.span.First:
		return "records after it are deleted", nil
	case age > t.retention-t.retention/10, age < -time.Minute: // the clock was set back
		return "too old: tombstones after it may be deleted", nil
	case m.Origin == "":
		return "without the id of its changelog", nil // an earlier TakeOver failed before the changelog had one
	}
	origin, err := t.store.reader.Record(ctx, t.number, m.OriginOffset)
	switch {
	case errors.Is(err, kafka.ErrNoRecord):
	case err != nil:
		return "", err
	case string(origin.Key) == originKey && string(origin.Value) == m.Origin:
		return "", nil
	}
	return "of another topic with that name", nil
}

// wipe removes the copy, to restore it from the first record.
func (t *takeover) wipe(why string) error {
	log := t.log.Warn
	if why == noCopy {
		log = t.log.Debug
	}
	log("restoring state from the beginning of its topic", zap.String("local_copy", why))
	first, end := t.Partition.span(nil)
	if err := t.store.db.DeleteRange(first, end, pebble.NoSync); err != nil {
		return fmt.Errorf("remove local copy: %w", err)
	}
	t.mark = mark{Cluster: t.cluster, Offset: t.span.First, At: t.began}
	t.store.config.FaultPoint("copy removed")
	return nil
}

// restore reads from the mark to the end of the changelog. After a failure the next attempt continues from there.
func (t *takeover) restore(ctx context.Context) error {
	batch := t.store.db.NewBatch()
	defer func() { _ = batch.Close() }() // nothing is left to be written
	t.from = t.mark.Offset
	for r, err := range t.store.reader.Read(ctx, t.number, kafka.OffsetRange{First: t.mark.Offset, End: t.span.End}) {
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
		if err := t.store.disk.await(ctx); err != nil {
			return err
		}
		if err := t.write(batch, t.mark); err != nil {
			return err
		}
		batch.Reset()
		t.store.config.FaultPoint("changelog half read")
	}
	t.mark.Offset = t.span.End
	return t.write(batch, t.mark)
}

func (t *takeover) take(batch *pebble.Batch, r kafka.Record) error {
	t.rows++
	var err error
	switch {
	case isReserved(r.Key):
		return t.mark.apply(r)
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
