package state

import (
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Metrics observes restores and the disk.
type Metrics interface {
	// StateDiskFull is called when the disk gets full, and when it is not full any more.
	StateDiskFull(full bool)
	// StateRestored is called after each TakeOver that succeeded, with the number of rows read from the changelog.
	StateRestored(rows int, took time.Duration)
}

type noMetrics struct{}

func (noMetrics) StateDiskFull(bool)               {}
func (noMetrics) StateRestored(int, time.Duration) {}

// Disk holds sizes in bytes: of the local copy, and of the file system that it is in. Free is what this process may use.
type Disk struct {
	Copy, Free, Total uint64
}

// Disk returns the current sizes, as far as they can be read. It does not wait: while the copy is replaced or closed its size
// is 0.
func (s *Store) Disk() Disk {
	var d Disk
	if s.using.TryRLock() {
		defer s.using.RUnlock()
		if s.db != nil {
			d.Copy = s.db.Metrics().DiskSpaceUsage()
		}
	}
	if usage, err := vfs.Default.GetDiskUsage(s.config.Dir); err == nil {
		d.Free, d.Total = usage.AvailBytes, usage.TotalBytes
	}
	return d
}
