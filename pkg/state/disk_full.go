package state

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

const (
	// reserveBytes is the space that must be free for the store to write: all memory tables fit in it, and what Pebble writes
	// about them. So a disk that fills up slowly never fails a write, which Pebble may not survive: it ends the process if it
	// can't write its manifest (https://github.com/cockroachdb/pebble/blob/master/version_set.go).
	reserveBytes = 32 << 20
	// diskEvery is how often free space is looked up, and how often a write that failed for lack of space is repeated.
	diskEvery = time.Second
)

// disk is the file system of the store. While it is full nothing is written: the changelog has all rows, and a partition reads
// them from there later. A write in progress waits until there is space. Otherwise Pebble would repeat a flush that fails
// without a pause.
type disk struct {
	vfs.FS
	trouble *telemetry.Trouble
	metrics Metrics
	every   time.Duration
	patient atomic.Bool // false: writes do not wait

	mutex   sync.Mutex
	waiting int           // writes
	low     bool          // less than reserveBytes are free
	free    chan struct{} // closed when the disk is not full any more; nil while it is not
	gaveUp  chan struct{} // closed: writes do not wait any more
}

func newDisk(inner vfs.FS, trouble *telemetry.Trouble, metrics Metrics) *disk {
	return &disk{FS: inner, trouble: trouble, metrics: metrics, every: diskEvery, gaveUp: make(chan struct{})}
}

// Unwrap is part of vfs.FS.
func (d *disk) Unwrap() vfs.FS { return d.FS }

// isFull reports whether a write failed for lack of space.
func isFull(err error) bool { return vfs.IsNoSpaceError(err) || errors.Is(err, syscall.EDQUOT) }

// measure looks up the free space in a directory and reports whether there is enough. If that fails nothing changes.
func (d *disk) measure(dir string) (enough bool) {
	usage, err := d.GetDiskUsage(dir)
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if err == nil {
		d.low = usage.AvailBytes < reserveBytes
	}
	d.update()
	return !d.low
}

// update announces whether the disk is full. The mutex is held.
func (d *disk) update() {
	switch full := d.low || d.waiting > 0; {
	case full:
		if d.free == nil {
			d.free = make(chan struct{})
			d.metrics.StateDiskFull(true)
		}
		d.trouble.Failed(errDiskFull, "the transformer waits, nothing is lost", d.every.String())
	case d.free != nil:
		close(d.free)
		d.free = nil
		d.metrics.StateDiskFull(false)
		d.trouble.Over()
	}
}

// whileFull returns a channel that is closed when the disk is not full any more; nil if it is not full.
func (d *disk) whileFull() <-chan struct{} {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.free
}

// await waits until the disk is not full.
func (d *disk) await(ctx context.Context) error {
	for free := d.whileFull(); free != nil; free = d.whileFull() {
		select {
		case <-free:
		case <-ctx.Done():
			return errors.Join(errDiskFull, ctx.Err())
		}
	}
	return nil
}

// giveUp makes waiting writes fail, for Close.
func (d *disk) giveUp() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	select {
	case <-d.gaveUp:
	default:
		close(d.gaveUp)
	}
}

// retry repeats an operation while the disk is full. For must, it does not give up: the error would end the process.
func (d *disk) retry(must bool, operation func() error) error {
	err := operation()
	if !isFull(err) || !d.patient.Load() {
		return err
	}
	d.count(1)
	defer d.count(-1)
	gaveUp := d.gaveUp
	if must {
		gaveUp = nil
	}
	again := time.NewTicker(d.every)
	defer again.Stop()
	for isFull(err) {
		select {
		case <-again.C:
			err = operation()
		case <-gaveUp:
			return err
		}
	}
	return err
}

func (d *disk) count(change int) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.waiting += change
	d.update()
}

// Create is part of vfs.FS.
func (d *disk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f := &diskFile{disk: d, must: strings.HasPrefix(filepath.Base(name), "MANIFEST")}
	err := d.retry(f.must, func() (err error) {
		f.File, err = d.FS.Create(name, category)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// diskFile is a file that is written.
type diskFile struct {
	vfs.File
	disk *disk
	must bool
}

// Write writes all of b, or fails.
func (f *diskFile) Write(b []byte) (int, error) {
	written := 0
	err := f.disk.retry(f.must, func() error {
		n, err := f.File.Write(b[written:])
		written += n
		return err
	})
	return written, err
}

// Preallocate is part of vfs.File.
func (f *diskFile) Preallocate(offset, length int64) error {
	return f.disk.retry(f.must, func() error { return f.File.Preallocate(offset, length) })
}

// Sync is not repeated, because the second one could succeed without the data of the first. It only slows Pebble down.
func (f *diskFile) Sync() error { return f.paused(f.File.Sync()) }

// SyncData is like Sync.
func (f *diskFile) SyncData() error { return f.paused(f.File.SyncData()) }

// paused waits a moment after a failure for lack of space.
func (f *diskFile) paused(err error) error {
	if isFull(err) && f.disk.patient.Load() {
		f.disk.count(1)
		defer f.disk.count(-1)
		select {
		case <-time.After(f.disk.every):
		case <-f.disk.gaveUp:
		}
	}
	return err
}

// SyncTo is like Sync.
func (f *diskFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.paused(err)
}
