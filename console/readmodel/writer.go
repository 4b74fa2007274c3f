package readmodel

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// writer changes the read model by records, in one transaction after the other. It is used by one goroutine, and is worth nothing after an
// error.
type writer struct {
	*Model

	conn       *sql.Conn
	statements map[string]*sql.Stmt
	events     subscriber.EventDecoder
	stores     map[string]int64
	kinds      map[kindKey]*kind

	// Of the transaction:
	since    time.Time          // older events and dead letters are left out
	offsets  map[source]offset  // how far topics are read
	hours    map[kindHour]int64 // events by hour
	newRows  news
	announce bool // to subscribers, after the commit
}

// source is a partition of a topic.
type source struct {
	topic     string
	partition int
}

// offset is how far a partition was read.
type offset struct {
	next   int64
	last   int64 // the offset of the last record; -1 for none
	lastAt int64
}

// kindHour is a kind of events in an hour.
type kindHour struct{ kind, hour int64 }

// newWriter returns a writer. Close it.
func (m *Model) newWriter(ctx context.Context) (*writer, error) {
	conn, err := m.files.write.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to database: %w", err)
	}
	w := &writer{
		Model: m, conn: conn, statements: map[string]*sql.Stmt{}, events: subscriber.NewEventDecoder(subscriber.Portal{}),
		stores: map[string]int64{}, kinds: map[kindKey]*kind{},
	}
	if err := w.loadNames(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *writer) close() error {
	var errs []error
	for _, s := range w.statements {
		errs = append(errs, s.Close())
	}
	_, _ = w.conn.ExecContext(context.Background(), "ROLLBACK") // of a transaction that failed, if there is one
	return errors.Join(append(errs, w.conn.Close())...)
}

// statement returns a prepared statement.
func (w *writer) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if s := w.statements[text]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("prepare statement: %w", err)
	}
	w.statements[text] = s
	return s, nil
}

// exec runs a statement and returns the number of rows that it has changed.
func (w *writer) exec(ctx context.Context, text string, arguments ...any) (changed int64, err error) {
	s, err := w.statement(ctx, text)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(ctx, arguments...)
	if err != nil {
		return 0, fmt.Errorf("write: %w", err)
	}
	return result.RowsAffected()
}

// one reads the first row of a query; found is false if there is none.
func (w *writer) one(ctx context.Context, text string, arguments []any, into ...any) (found bool, err error) {
	s, err := w.statement(ctx, text)
	if err != nil {
		return false, err
	}
	err = s.QueryRowContext(ctx, arguments...).Scan(into...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read: %w", err)
	}
	return true, nil
}

// begin begins a transaction.
func (w *writer) begin(ctx context.Context) error {
	w.since = keptSince(w.config.Now(), w.config.Retention.Events)
	w.offsets, w.hours, w.newRows = map[source]offset{}, map[kindHour]int64{}, news{}
	_, err := w.exec(ctx, "BEGIN IMMEDIATE")
	return err
}

// commit commits the rows together with the offsets, and shows the rows to subscribers.
func (w *writer) commit(ctx context.Context) error {
	if err := w.saveKinds(ctx); err != nil {
		return err
	}
	w.config.FaultPoint("read model rows written")
	for at, o := range w.offsets {
		_, err := w.exec(ctx, `INSERT INTO offsets VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next,
			last = iif(excluded.last < 0, last, excluded.last), last_at = iif(excluded.last < 0, last_at, excluded.last_at)`,
			at.topic, at.partition, o.next, o.last, o.lastAt)
		if err != nil {
			return err
		}
	}
	w.config.FaultPoint("read model offsets written")
	if _, err := w.exec(ctx, "COMMIT"); err != nil {
		return err
	}
	w.config.FaultPoint("read model committed")
	return w.publish(ctx)
}

// apply changes the read model by a record. One that can't be read is logged and left out: its role or the schemas' tests report it, too.
func (w *writer) apply(ctx context.Context, r kafka.Record) error {
	err := w.applyTo(ctx, r)
	if bad := (unreadable{}); errors.As(err, &bad) {
		w.log.Error("read record failed, the console does not show it", zap.String("topic", r.Topic), zap.Int("partition", r.Partition),
			zap.Int64("offset", r.Offset), zap.String("cause", bad.what))
		return nil
	}
	return err
}

func (w *writer) applyTo(ctx context.Context, r kafka.Record) error {
	switch t := w.config.Topics; r.Topic {
	case t.Events(), t.Facts():
		return w.event(ctx, r)
	case t.Messages():
		return w.change(ctx, r)
	case t.MessageTexts():
		return w.body(ctx, r)
	case t.Customers():
		return w.customer(ctx, r)
	case t.Subscriptions():
		return w.subscription(ctx, r)
	case t.Charges():
		return w.charge(ctx, r)
	}
	return w.deadLetter(ctx, r)
}

// unreadable is the error of a record that can't be read. It has no value, which may be private.
type unreadable struct{ what string }

func (u unreadable) Error() string { return u.what }

// millis returns a time as it is stored.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// timeOf returns a time that was stored.
func timeOf(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}

// keptSince is the beginning of what is kept. It is a full hour, as counts are by the hour.
func keptSince(now time.Time, retention time.Duration) time.Time {
	return now.Add(-retention).Truncate(time.Hour)
}
