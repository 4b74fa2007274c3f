package readmodel

import (
	"context"
	"time"
)

// pruneRows limits the rows that one transaction removes.
const pruneRows = 5000

// prune removes what is too old, some rows at a time.
func (w *writer) prune(ctx context.Context) error {
	now := w.config.Now()
	events, texts := keptSince(now, w.config.Retention.Events), keptSince(now, w.config.Retention.Texts)
	for _, step := range []struct {
		before    time.Time
		statement string
	}{
		{events, "DELETE FROM events WHERE id IN (SELECT e.id FROM kinds k, events e WHERE e.kind = k.id AND e.at < ? LIMIT ?)"},
		{events, "DELETE FROM letters WHERE (role, partition, offset) IN (SELECT role, partition, offset FROM letters WHERE at < ? LIMIT ?)"},
		{events, "DELETE FROM replays WHERE (role, partition, offset) IN (SELECT role, partition, offset FROM replays WHERE at < ? LIMIT ?)"},
		{texts, "DELETE FROM texts WHERE key IN (SELECT key FROM texts WHERE changed_at < ? LIMIT ?)"},
		{texts, "DELETE FROM charges WHERE (store, customer, id) IN (SELECT store, customer, id FROM charges WHERE at < ? LIMIT ?)"},
	} {
		if err := w.some(ctx, func() (int64, error) { return w.exec(ctx, step.statement, millis(step.before), pruneRows) }); err != nil {
			return err
		}
	}
	if err := w.some(ctx, func() (int64, error) { return w.pruneBodies(ctx, texts) }); err != nil {
		return err
	}
	if err := w.pruneKinds(ctx, events); err != nil {
		return err
	}
	// Until then the WAL may have what was removed. Readers may prevent it; there is a next time.
	_, err := w.exec(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// some repeats a step, each time in a transaction, until it removes less than it may.
func (w *writer) some(ctx context.Context, step func() (int64, error)) error {
	for {
		if _, err := w.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
			return err
		}
		removed, err := step()
		if err != nil {
			return err
		}
		if _, err := w.exec(ctx, "COMMIT"); err != nil {
			return err
		}
		if removed < pruneRows {
			return nil
		}
	}
}

// pruneBodies removes the bodies of texts that were claimed before a time.
func (w *writer) pruneBodies(ctx context.Context, before time.Time) (removed int64, err error) {
	rows, err := w.conn.QueryContext(ctx, "SELECT text FROM bodies WHERE doc < ? LIMIT ?", millis(before)<<20, pruneRows)
	if err != nil {
		return 0, err
	}
	keys, err := collect(rows, func(scan scanner) (key int64, err error) { return key, scan(&key) })
	if err != nil {
		return 0, err
	}
	for _, key := range keys {
		if err := w.removeBody(ctx, key); err != nil {
			return 0, err
		}
	}
	return int64(len(keys)), nil
}

// pruneKinds removes the counts of hours before a time, and kinds without events.
func (w *writer) pruneKinds(ctx context.Context, before time.Time) error {
	return w.some(ctx, func() (int64, error) {
		if _, err := w.exec(ctx, "DELETE FROM hours WHERE hour < ?", before.UnixMilli()/time.Hour.Milliseconds()); err != nil {
			return 0, err
		}
		if _, err := w.exec(ctx, "UPDATE kinds SET count = (SELECT ifnull(sum(h.count), 0) FROM hours h WHERE h.kind = id)"); err != nil {
			return 0, err
		}
		if _, err := w.exec(ctx, "DELETE FROM kinds WHERE last_at < ?", before.UnixMilli()); err != nil {
			return 0, err
		}
		clear(w.kinds)
		return 0, w.loadNames(ctx)
	})
}
