package state

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"
)

const (
	memtableBytes = 8 << 20
	blockBytes    = 8 << 10
	openFiles     = 256
	bloomBits     = 10 // about 1 % of the keys that are not there are looked for on disk
)

// options has no write-ahead log: that is what the changelog is. What was in memory when a process died is read from there
// again. Rows and the position they belong to are one batch, batches reach the disk in their order, and each file is synced
// before it counts: whatever is left of a copy is as it was at its position, after a power cut too.
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
		FS:                          vfs.Default, // without a watch over slow disks, whose goroutine outlives an Open that fails
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

// notice remembers that files are corrupt; whoever takes a partition over next removes them.
func (s *Store) notice(err error) {
	if pebble.IsCorruptionError(err) {
		s.broken.Store(true)
	}
	s.log.Error("local state", zap.Error(err))
}

// quiet keeps from our log what Pebble tells of its daily work.
type quiet struct{ log *zap.Logger }

func (quiet) Infof(string, ...any) {}

func (q quiet) Errorf(format string, args ...any) {
	q.log.Sugar().Errorf("local state: "+format, args...)
}

// Fatalf is for what leaves the files in an unknown shape: a process that goes on could do harm, one that starts anew
// opens them or restores them.
func (q quiet) Fatalf(format string, args ...any) {
	q.log.Sugar().Panicf("local state: "+format, args...)
}
