// Package sqlite stores the ledger in one SQLite file, for one machine. A claim is on disk before Claim returns, so it
// survives a crash of the process or the machine.
//
//	sqlite.go   opens and closes the file, runs transactions
//	claim.go    Claim
//	answer.go   Accept, Reject, MarkUnknown, Release
//	read.go     Messages, Counts
package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed" // for the schema
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // registers the driver

	"github.com/rechargeflow/rechargeflow/pkg/ledger"
)

//go:embed schema.sql
var schema string

const (
	version     = 1                // of the schema, kept in PRAGMA user_version
	busyTimeout = 10 * time.Second // how long a statement waits for another process
)

// Ledger is a ledger in a file.
type Ledger struct {
	db    *sql.DB
	o     ledger.Options
	owner string // this opening; random

	mu     sync.Mutex
	closed bool
}

var _ ledger.Ledger = (*Ledger)(nil)

// Open opens the ledger in the file at path, and creates file and directory if they are missing, readable by this user only.
// The error names the path.
func Open(ctx context.Context, path string, o ledger.Options) (*Ledger, error) {
	if err := create(path); err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	name, err := source(path)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	db.SetMaxOpenConns(1) // SQLite has one writer; a queue in the process is fairer than its busy loop
	l := &Ledger{db: db, o: o.Defaults(), owner: rand.Text()}
	if err := l.migrate(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	return l, nil
}

// create creates an empty file. SQLite would create one that all users can read.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// source returns the driver's name of the file. With synchronous=FULL a commit is on disk when it returns, also in WAL mode
// (https://www.sqlite.org/pragma.html#pragma_synchronous).
func source(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)",
	}}
	return (&url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}).String(), nil
}

// migrate creates the tables of an empty file.
func (l *Ledger) migrate(ctx context.Context) error {
	return l.transact(ctx, func(tx *sql.Tx) error {
		var found int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&found); err != nil {
			return fmt.Errorf("read version: %w", err)
		}
		switch found {
		case version:
			return nil
		case 0:
			if _, err := tx.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA user_version = %d;", version)); err != nil {
				return fmt.Errorf("create tables: %w", err)
			}
			return nil
		default:
			return fmt.Errorf("the file has version %d, this program supports %d: use the program that wrote it, or a newer one", found, version)
		}
	})
}

// transact runs fn in one transaction, which holds the write lock from its beginning.
func (l *Ledger) transact(ctx context.Context, fn func(*sql.Tx) error) error {
	l.mu.Lock()
	closed := l.closed
	l.mu.Unlock()
	if closed {
		return ledger.ErrClosed
	}
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fn(tx); err != nil {
		_ = tx.Rollback() // fn's error is the cause
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Close closes the ledger. Its claims without an answer become unknown. A second call does nothing.
func (l *Ledger) Close() error {
	ctx, cancel := recordContext(context.Background())
	defer cancel()
	err := l.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx,
			"UPDATE messages SET state = 'unknown', code = 'closed', updated_at = ? WHERE state = 'claimed' AND owner = ?",
			micros(l.o.Now()), l.owner)
		return err
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	if closeErr := l.db.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("close ledger: %w", err)
	}
	return nil
}

// recordContext returns a context for recording what has happened. A shutdown does not cancel it, a blocked disk ends it.
func recordContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 2*busyTimeout)
}

// micros returns a time as it is stored.
func micros(t time.Time) int64 { return t.UTC().UnixMicro() }
