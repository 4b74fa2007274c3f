package settings

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

const (
	// attempts limits how often a change is tried while other processes change the topic too, or brokers fail.
	attempts = 8
	// pause is the longest wait before the second attempt. Each further wait is longer by it.
	pause = 100 * time.Millisecond
)

// ErrBusy means that Change gave up, because other processes changed the topic all the time or brokers failed. Unless the topic could not
// be read after the last attempt, nothing was written.
var ErrBusy = errors.New("change settings: gave up, look at the current settings and try again")

// Change reads all rows, calls decide with them, and writes the records that it returns in one transaction. No other Change of the same
// writer, in any process, writes between reading and writing: it would be fenced, and decide would be called again with the new rows. So
// decide can compare a version with the one that it expects. Its error ends Change and is returned as it is; no records mean that
// nothing is to be done.
//
// writer is the name of the transactional id, the same in all processes. Records must name topic and partition. The same record must not
// be written twice: a version or a time in the value makes it different.
func (t Topic[R]) Change(ctx context.Context, cluster kafka.Cluster, writer string, decide func(*Rows[R]) ([]kafka.Record, error)) error {
	exclusive := kafka.NewExclusive(cluster, writer, t.Name)
	defer exclusive.Close()
	var written []kafka.Record // whose outcome is unknown
	var failed error
	for attempt := range attempts + 1 { // the last one only finds out the outcome of the one before
		if err := wait(ctx, attempt); err != nil {
			return errors.Join(err, failed)
		}
		if err := exclusive.TakeOver(ctx); err != nil {
			return fmt.Errorf("change settings: %w", err)
		}
		rows, done, err := t.readAfter(ctx, cluster, written)
		switch {
		case err != nil:
			failed = err
			continue
		case done:
			return nil
		case attempt == attempts:
			continue
		}
		if written, err = decide(rows); err != nil || len(written) == 0 {
			return err
		}
		if failed = exclusive.Commit(ctx, written...); failed == nil {
			return nil
		}
	}
	return errors.Join(ErrBusy, failed)
}

// readAfter reads all rows. done reports whether a transaction whose outcome was unknown was committed.
func (t Topic[R]) readAfter(ctx context.Context, cluster kafka.Cluster, written []kafka.Record) (rows *Rows[R], done bool, err error) {
	rows = &Rows[R]{}
	err = t.scan(ctx, cluster, func(r kafka.Record) {
		if len(written) > 0 && bytes.Equal(r.Key, written[0].Key) && bytes.Equal(r.Value, written[0].Value) {
			done = true
		}
		_ = t.apply(rows, r) // Rows.Unreadable has the error
	})
	return rows, done, err
}

// wait waits before another attempt, for a random time, so that two processes do not fence each other again and again.
func wait(ctx context.Context, attempt int) error {
	if attempt == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(rand.N(time.Duration(attempt) * pause))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
