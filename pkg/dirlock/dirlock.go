// Package dirlock locks a directory, so that one process at a time uses it.
package dirlock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrLocked is the error of Acquire when the directory is locked already: by another process, or by this one.
var ErrLocked = errors.New("directory is in use by another process")

// Lock is the lock of one directory.
type Lock struct{ file *os.File }

// Acquire locks a directory, and creates it if it does not exist. The lock is held until Close or until the process ends, even
// if it is killed.
func Acquire(dir string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create directory: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return &Lock{file}, nil
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrLocked
	}
	return nil, errors.Join(err, file.Close())
}

// Close releases the lock.
func (l *Lock) Close() error { return l.file.Close() }
