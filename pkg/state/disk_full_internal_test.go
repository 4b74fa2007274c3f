package state

import (
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// fullFS is a file system that can be full.
type fullFS struct {
	vfs.FS
	full     atomic.Bool
	attempts atomic.Int64 // that failed
}

func (f *fullFS) fail() error {
	if !f.full.Load() {
		return nil
	}
	f.attempts.Add(1)
	return syscall.ENOSPC
}

func (f *fullFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.fail(); err != nil && filepath.Ext(name) == ".sst" { // a full disk has room for a file, but not for its bytes
		return nil, err
	}
	file, err := f.FS.Create(name, category)
	return &fullFile{File: file, fs: f}, err
}

type fullFile struct {
	vfs.File
	fs *fullFS
}

// Write writes a part, as a disk does that gets full.
func (f *fullFile) Write(b []byte) (int, error) {
	if err := f.fs.fail(); err != nil {
		n, _ := f.File.Write(b[:min(len(b), 1)])
		return n, err
	}
	return f.File.Write(b)
}

// openOn opens a database on a disk that is checked every 10 ms.
func openOn(t *testing.T, inner *fullFS) (*disk, *pebble.DB) {
	t.Helper()
	s := &Store{config: Config{}.withDefaults(), log: zap.NewNop()}
	s.disk = newDisk(inner, &telemetry.Trouble{Log: zap.NewNop(), Now: time.Now}, noMetrics{})
	s.disk.every = 10 * time.Millisecond
	db, err := pebble.Open("db", s.options())
	require.NoError(t, err)
	s.disk.patient.Store(true)
	return s.disk, db
}

// A flush on a full disk waits until there is space, and does not use the processor meanwhile. Neither does it fail half way.
func TestFlushWaitsForSpace(t *testing.T) {
	inner := &fullFS{FS: vfs.NewMem()}
	d, db := openOn(t, inner)
	require.NoError(t, db.Set([]byte("a"), []byte("1"), pebble.NoSync))
	inner.full.Store(true)
	flushed := make(chan error, 1)
	go func() { flushed <- db.Flush() }()
	require.Eventually(t, func() bool { return d.whileFull() != nil && inner.attempts.Load() > 10 }, 10*time.Second, time.Millisecond)
	began, before := time.Now(), inner.attempts.Load()
	require.Eventually(t, func() bool { return inner.attempts.Load() > before+10 }, 10*time.Second, time.Millisecond)
	assert.Greater(t, time.Since(began), 50*time.Millisecond, "attempts follow each other without a pause")
	inner.full.Store(false)
	require.NoError(t, <-flushed)
	assert.Nil(t, d.whileFull())
	require.NoError(t, db.Close())
	_, db = openOn(t, inner)
	value, closer, err := db.Get([]byte("a"))
	require.NoError(t, err)
	assert.Equal(t, "1", string(value))
	require.NoError(t, closer.Close())
	require.NoError(t, db.Close())
}

// A store whose flush waits for space can be closed. The rows that were only in memory are read from the changelog later.
func TestCloseOnAFullDisk(t *testing.T) {
	inner := &fullFS{FS: vfs.NewMem()}
	d, db := openOn(t, inner)
	require.NoError(t, db.Set([]byte("a"), []byte("1"), pebble.NoSync))
	inner.full.Store(true)
	_, err := db.AsyncFlush()
	require.NoError(t, err)
	require.Eventually(t, func() bool { return d.whileFull() != nil }, 10*time.Second, time.Millisecond)
	d.giveUp()
	if err := db.Close(); err != nil { // Pebble ends its empty log with a few bytes
		assert.True(t, isFull(err), err)
	}
	inner.full.Store(false)
	_, db = openOn(t, inner)
	_, _, err = db.Get([]byte("a"))
	require.ErrorIs(t, err, pebble.ErrNotFound)
	require.NoError(t, db.Close())
}
