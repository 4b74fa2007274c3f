package backfill

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"

	"github.com/rechargeflow/rechargeflow/pkg/dirlock"
)

// Directory has the progress, so that an interrupted run is continued, and the subscriptions until their customers are listed. It has
// personal data, and is removed at the end of a run.
type Directory struct {
	path string
	lock *dirlock.Lock
	db   *pebble.DB
}

// The keys of a directory. Those of subscriptions have the customer's id and the subscription's, those of customers and charges their own.
const (
	progressKey  = "progress"
	keptPrefix   = "subscription/"
	listedPrefix = "customer/"
	chargePrefix = "charge/"
)

// OpenDirectory opens a directory, and creates it if it is missing. Only one process can use it.
func OpenDirectory(path string) (*Directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("create directory: %w", err)
	}
	lock, err := dirlock.Acquire(path)
	if err != nil {
		return nil, fmt.Errorf("lock directory %s: %w", path, err)
	}
	db, err := pebble.Open(filepath.Join(path, "progress"), &pebble.Options{Logger: silent{}, FormatMajorVersion: pebble.FormatNewest})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open directory %s: %w", path, err), lock.Close())
	}
	return &Directory{path: path, lock: lock, db: db}, nil
}

// Close closes the directory, for a later run to continue.
func (d *Directory) Close() error { return errors.Join(d.db.Close(), d.lock.Close()) }

// Remove closes and removes the directory.
func (d *Directory) Remove() error { return errors.Join(d.Close(), os.RemoveAll(d.path)) }

// Progress returns how far the run in the directory is, the zero value for none.
func (d *Directory) Progress() (p Progress, err error) {
	value, err := d.get(progressKey)
	if err != nil || value == nil {
		return p, err
	}
	if err := json.Unmarshal(value, &p); err != nil {
		return p, fmt.Errorf("decode progress in %s: %w", d.path, err)
	}
	return p, nil
}

func (d *Directory) get(key string) ([]byte, error) {
	value, closer, err := d.db.Get([]byte(key))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read directory %s: %w", d.path, err)
	}
	return bytes.Clone(value), closer.Close()
}

func (d *Directory) has(key string) (bool, error) {
	value, err := d.get(key)
	return value != nil, err
}

// rows yields the rows whose keys begin with prefix, in key order. Values are valid until the next one.
func (d *Directory) rows(prefix string) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		failed := func(err error) { yield(row{}, fmt.Errorf("read directory %s: %w", d.path, err)) }
		end := append([]byte(prefix[:len(prefix)-1]), prefix[len(prefix)-1]+1)
		rows, err := d.db.NewIter(&pebble.IterOptions{LowerBound: []byte(prefix), UpperBound: end})
		if err != nil {
			failed(err)
			return
		}
		more := rows.First()
		for ; more && yield(row{string(rows.Key()[len(prefix):]), rows.Value()}, nil); more = rows.Next() {
		}
		if err := errors.Join(rows.Error(), rows.Close()); err != nil && !more {
			failed(err)
		}
	}
}

// row is a row without the prefix of its key.
type row struct {
	key   string
	value []byte
}

// save writes rows and the progress after them.
func (d *Directory) save(p Progress, rows map[string][]byte) error {
	value, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode progress: %w", err)
	}
	batch := d.db.NewBatch()
	err = batch.Set([]byte(progressKey), value, nil)
	for key, value := range rows {
		err = errors.Join(err, batch.Set([]byte(key), value, nil))
	}
	if err := errors.Join(err, batch.Commit(pebble.Sync)); err != nil {
		return fmt.Errorf("write directory %s: %w", d.path, err)
	}
	return nil
}

// silent is a logger of Pebble: errors are returned.
type silent struct{}

func (silent) Infof(string, ...any) {}

func (silent) Errorf(string, ...any) {}

func (silent) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
