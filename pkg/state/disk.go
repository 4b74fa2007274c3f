package state

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"go.uber.org/zap"
)

const (
	memtableBytes = 8 << 20
	blockBytes    = 8 << 10
	openFiles     = 256
	bloomBits     = 10 // about 1 % of the keys that are not there are looked for on disk
)

// options disables the write-ahead log, because the changelog serves as one: rows that were only in memory when a process died
// are read again from there. Rows and their position are written in one batch, batches reach the disk in order, and each file
// is synced before it is used. So the copy is consistent with its position, even after a power failure.
func (s *Store) options() *pebble.Options {
	o := &pebble.Options{
		DisableWAL:                  true,
		CacheSize:                   s.config.CacheBytes,
		MemTableSize:                memtableBytes,
		MemTableStopWritesThreshold: 3,
		MaxOpenFiles:                openFiles,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       40,
		LBaseMaxBytes:               64 << 20,
		FormatMajorVersion:          pebble.FormatNewest,
		FS:                          s.disk, // without a watch over slow disks, whose goroutine outlives an Open that fails
		Logger:                      quiet{s.log},
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) { s.notice(err) },
			DataCorruption:  func(info pebble.DataCorruptionInfo) { s.notice(info.Details) },
		},
	}
	for i := range o.Levels {
		o.Levels[i].BlockSize = blockBytes
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(bloomBits)
	}
	return o
}

// notice logs an error. Corrupt files are removed by the next TakeOver of any partition. A full disk is logged elsewhere. The
// error is logged as text, because Pebble's have stacks.
func (s *Store) notice(err error) {
	if isFull(err) {
		return
	}
	if pebble.IsCorruptionError(err) {
		s.corrupt.Store(true)
	}
	s.log.Error("access to local state failed, damaged files are restored at the next takeover", zap.String("error", err.Error()))
}

// quiet logs only Pebble's errors.
type quiet struct{ log *zap.Logger }

func (quiet) Infof(string, ...any) {}

func (q quiet) Errorf(format string, args ...any) {
	q.log.Sugar().Errorf("local state: "+format, args...)
}

// Fatalf is called if the files are in an unknown state. It must not return, because continuing could corrupt them; after a
// restart they are opened or restored.
func (q quiet) Fatalf(format string, args ...any) {
	q.log.Sugar().Panicf("local state: "+format, args...)
}
