package readmodel

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// fileName is the name of the database in the directory. SQLite adds -wal and -shm for two more files.
const fileName = "readmodel.db"

// files is an open database: one writer, several readers.
type files struct {
	write *sql.DB
	read  *sql.DB
}

// readers is how many queries run at the same time.
const readers = 4

// openFiles opens the database in a directory, and makes the tables if it is new. A file of another version, or one that is damaged, is removed.
func openFiles(dir string) (*files, error) {
	f, err := openExisting(dir)
	if err == nil {
		return f, nil
	}
	if !errors.Is(err, errOtherVersion) && !isDamaged(err) {
		return nil, err
	}
	if err := removeFiles(dir); err != nil {
		return nil, err
	}
	return openExisting(dir)
}

var errOtherVersion = errors.New("the file has another version")

// openExisting opens the database, or makes it if there is none.
func openExisting(dir string) (*files, error) {
	path := filepath.Join(dir, fileName)
	// SQLite gives its other files the rights of this one.
	created, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create file: %w", err)
	}
	if err := errors.Join(created.Chmod(0o600), created.Close()); err != nil {
		return nil, fmt.Errorf("create file: %w", err)
	}
	f := &files{}
	if f.write, err = open(path, 1, "cache_size(-16000)", "secure_delete(ON)", "wal_autocheckpoint(4000)", "journal_size_limit(33554432)"); err != nil {
		return nil, err
	}
	if f.read, err = open(path, readers, "cache_size(-4000)", "query_only(ON)"); err != nil {
		return nil, errors.Join(err, f.close())
	}
	if err := f.migrate(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

// open opens the database for some connections.
func open(path string, connections int, pragmas ...string) (*sql.DB, error) {
	options := url.Values{"_pragma": append([]string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)", "temp_store(MEMORY)"}, pragmas...)}
	absolute, err := filepath.Abs(path) // a URI takes the first directory of a relative one for a host
	if err != nil {
		return nil, fmt.Errorf("find directory: %w", err)
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: absolute, RawQuery: options.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// migrate makes the tables of a new file. There is no migration: the topics have everything.
func (f *files) migrate() error {
	var version int
	ctx := context.Background()
	if err := f.write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("read version: %w", err)
	}
	switch version {
	case schemaVersion:
		return nil
	case 0:
		_, err := f.write.ExecContext(ctx, fmt.Sprintf("BEGIN; %s PRAGMA user_version = %d; COMMIT;", schema, schemaVersion))
		if err != nil {
			return fmt.Errorf("create tables: %w", err)
		}
		return nil
	}
	return fmt.Errorf("%w: %d", errOtherVersion, version)
}

func (f *files) close() error {
	var errs []error
	for _, db := range []*sql.DB{f.read, f.write} { // the last one to close copies the WAL into the database
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// removeFiles removes the database, and nothing else.
func removeFiles(dir string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(filepath.Join(dir, fileName+suffix)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove file: %w", err)
		}
	}
	return nil
}

// isDamaged reports whether a file is no database, or one that cannot be read.
func isDamaged(err error) bool {
	var failed *sqlite.Error
	if !errors.As(err, &failed) {
		return false
	}
	code := failed.Code() & 0xff
	return code == sqlitelib.SQLITE_CORRUPT || code == sqlitelib.SQLITE_NOTADB
}
