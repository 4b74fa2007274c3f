package state

import (
	"errors"
	"fmt"
	"time"
)

const (
	// closeWait is how long Close waits for open overlays, and then for the files.
	closeWait = 5 * time.Second
	// giveUpWait is how long Close waits for the files after it has made waiting writes fail.
	giveUpWait = time.Second
)

// The files were left as they are. No data is lost, because the changelog has all rows.
var (
	errInUse   = errors.New("close state: a transaction is still open, local copy not flushed, next start restores the rest from the changelog")
	errNoFlush = errors.New("close state: the disk did not answer in time, local copy not flushed, next start restores the rest from the changelog")
)

// Close flushes memory to disk and unlocks the directory. It waits at most closeWait for open overlays and as long for the disk, so
// that one that does not end does not block a restart.
func (s *Store) Close() error {
	s.stop()
	if !s.idle(closeWait) {
		return errInUse
	}
	if s.disk.whileFull() != nil {
		s.disk.giveUp()
	}
	closed := make(chan error, 1)
	go func() { // holds s.using until it is done
		defer s.using.Unlock()
		closed <- s.closeFiles()
	}()
	for _, patience := range []time.Duration{closeWait, giveUpWait} {
		select {
		case err := <-closed:
			s.helpers.Wait()
			return err
		case <-time.After(patience):
			s.disk.giveUp()
		}
	}
	return errNoFlush
}

// closeFiles closes everything. s.using is held.
func (s *Store) closeFiles() error {
	if s.closed {
		return nil
	}
	s.closed = true
	var err error
	if s.db != nil {
		if s.disk.whileFull() == nil {
			err = s.db.Flush()
		}
		err = errors.Join(err, s.db.Close())
		if isFull(err) {
			err = nil // what was not written is in the changelog
		}
	}
	err = errors.Join(err, s.lock.Close())
	s.db = nil
	s.era.Add(1)
	s.reader.Close()
	if err != nil {
		return fmt.Errorf("close state: %w", err)
	}
	return nil
}

// idle locks the store for Close, once no overlay is open.
func (s *Store) idle(within time.Duration) bool {
	until := time.Now().Add(within)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !s.using.TryLock() {
		if time.Now().After(until) {
			return false
		}
		<-again.C
	}
	return true
}
