package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/dirlock"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

var (
	// ErrLocked means that another process, or another Store of this process, uses the directory.
	ErrLocked = dirlock.ErrLocked

	errClosed   = errors.New("store is closed")
	errDiskFull = errors.New("no space left on the disk of the local state")
)

// Config configures a Store. Zero values are the defaults.
type Config struct {
	// Dir is the directory of the copy, created if missing. One process uses it at a time. It may be deleted while no process
	// uses it: the copy is then restored from the changelog.
	Dir string
	// Topic is the full name of the changelog, a compacted topic of Cluster.
	Topic   string
	Cluster kafka.Cluster
	// CacheBytes is the size of the cache for the copy. Default 32 MiB. The store uses about 40 MiB besides.
	CacheBytes int64
	// AdvanceEvery is how often the store fetches the end of the changelog. A restart reads only rows written since. Default 10
	// s.
	AdvanceEvery time.Duration
	// Now is the clock for the age of the copy. Default time.Now.
	Now func() time.Time
	Log *zap.Logger
	// Metrics, if set, observes restores.
	Metrics Metrics
	// FaultPoint, if set, is called between any two steps that a crash can separate, for tests that crash there.
	FaultPoint func(name string)
}

const (
	// restorers limits how many partitions are restored concurrently: more would only take memory.
	restorers  = 4
	flushEvery = 5 * time.Minute
)

func (c Config) withDefaults() Config {
	if c.CacheBytes <= 0 {
		c.CacheBytes = 32 << 20
	}
	if c.AdvanceEvery <= 0 {
		c.AdvanceEvery = 10 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.Metrics == nil {
		c.Metrics = noMetrics{}
	}
	if c.FaultPoint == nil {
		c.FaultPoint = func(string) {}
	}
	return c
}

// Store is the local copy of a changelog, of all partitions that this process owns or has owned. It may be used by several
// goroutines; each Partition by one.
type Store struct {
	config  Config
	log     *zap.Logger
	lock    *dirlock.Lock
	reader  *kafka.TopicReader
	turns   chan struct{} // of those who restore
	stop    context.CancelFunc
	helpers sync.WaitGroup
	disk    *disk

	// using is read-locked while db is used, by an overlay as long as it is open, and write-locked to replace db.
	using    sync.RWMutex
	db       *pebble.DB // nil: closed, or not opened yet because the disk is full
	closed   bool
	era      atomic.Int64
	corrupt  atomic.Bool // so the files were found
	unopened atomic.Bool // db is nil for lack of space

	mutex      sync.Mutex
	partitions map[int]*Partition
}

// Open opens the local copy in a directory. If there is none, or if it is damaged, it starts with an empty copy; a damaged one
// is removed and logged. The error is ErrLocked if another process uses the directory. On a full disk the files are opened later,
// and TakeOver waits. Open does not connect to Kafka.
func Open(config Config) (*Store, error) {
	s, err := open(config.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("open state in %s: %w", config.Dir, err)
	}
	return s, nil
}

func open(config Config) (*Store, error) {
	reader, err := kafka.NewTopicReader(config.Cluster, config.Topic)
	if err != nil {
		return nil, err
	}
	s := &Store{
		config: config, log: config.Log.With(zap.String("topic", config.Topic)), reader: reader,
		turns: make(chan struct{}, restorers), partitions: make(map[int]*Partition),
	}
	s.disk = newDisk(vfs.Default, &telemetry.Trouble{Name: "state disk", Log: s.log, Fields: []zap.Field{zap.String("dir", config.Dir)}, Now: time.Now}, config.Metrics)
	if s.lock, err = dirlock.Acquire(config.Dir); err != nil {
		return nil, err
	}
	if err := s.openFiles(); err != nil && !isFull(err) {
		return nil, errors.Join(err, s.lock.Close())
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.helpers.Go(func() { s.advance(ctx) })
	return s, nil
}

// Partition returns the copy of one partition. It must be taken over before use.
func (s *Store) Partition(number int) *Partition {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	p, ok := s.partitions[number]
	if !ok {
		p = &Partition{store: s, number: number, log: s.log.With(zap.Int("partition", number))}
		s.partitions[number] = p
	}
	return p
}

func (s *Store) all() []*Partition {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	all := make([]*Partition, 0, len(s.partitions))
	for _, p := range s.partitions {
		all = append(all, p)
	}
	return all
}

// Full returns an error while the disk is full; nil if it is not.
func (s *Store) Full() error {
	if s.disk.whileFull() == nil {
		return nil
	}
	return fmt.Errorf("%w, %s: less than %d MiB are free; free some, the transformer waits and then continues by itself", errDiskFull, s.config.Dir, reserveBytes>>20)
}

// measure looks up the free space, and opens files that could not be opened for lack of it.
func (s *Store) measure() {
	if !s.disk.measure(s.config.Dir) || !s.unopened.Load() {
		return
	}
	s.using.Lock()
	defer s.using.Unlock()
	if s.db != nil || s.closed {
		return
	}
	if err := s.openFiles(); err != nil {
		s.log.Error("open local state failed, will retry", zap.String("error", err.Error()))
	}
}

// openFiles opens the files, if there is enough space. A damaged copy is removed.
func (s *Store) openFiles() error {
	dir := s.files()
	s.unopened.Store(true)
	if !s.disk.measure(s.config.Dir) {
		return syscall.ENOSPC
	}
	s.disk.patient.Store(false)
	defer s.disk.patient.Store(true)
	db, err := pebble.Open(dir, s.options())
	if isFull(err) {
		return err
	}
	if err != nil {
		s.log.Error("open local state failed, removing it, will restore it from the changelog", zap.String("dir", dir), zap.String("error", err.Error()))
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove local state: %w", err)
		}
		if db, err = pebble.Open(dir, s.options()); err != nil {
			return fmt.Errorf("open empty local state: %w", err)
		}
	}
	s.db = db
	s.unopened.Store(false)
	return nil
}

// files returns a subdirectory for the database, so that nothing else is ever removed.
func (s *Store) files() string { return filepath.Join(s.config.Dir, "rows") }

// replaceCorrupt replaces corrupt files by empty ones. Then all partitions must be taken over again.
func (s *Store) replaceCorrupt() error {
	if !s.corrupt.Load() {
		return nil
	}
	s.using.Lock()
	defer s.using.Unlock()
	if !s.corrupt.Load() || s.db == nil {
		return nil // another did
	}
	s.era.Add(1)
	s.log.Error("local state is corrupt, removed it, will restore it from the changelog", zap.String("dir", s.files()))
	_ = s.db.Close() // it may well be unable to
	s.db = nil
	if err := os.RemoveAll(s.files()); err != nil {
		return fmt.Errorf("remove corrupt state: %w", err)
	}
	if err := s.openFiles(); err != nil {
		return err
	}
	s.corrupt.Store(false)
	return nil
}
