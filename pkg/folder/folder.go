// Package folder keeps folders to one process each.
package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrLocked says that somebody else has the folder: another process, or another owner in this one.
var ErrLocked = errors.New("folder is in use by another process")

// Lock is a folder that is ours.
type Lock struct{ file *os.File }

// Take makes a folder ours, and makes it where there is none, until Close or the end of the process, whichever way it ends.
// ErrLocked when somebody else has it.
func Take(dir string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
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

// Close gives the folder free.
func (l *Lock) Close() error { return l.file.Close() }
