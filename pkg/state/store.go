package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/folder"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

var (
	// ErrLocked says that another process, or another Store of this one, has the folder.
	ErrLocked = folder.ErrLocked

	errClosed = errors.New("store is closed")
)

// Config says where a store keeps its copy and which topic is the truth. Zero values stand for the defaults.
type Config struct {
	// Dir is the folder of the copy, made when missing. It belongs to one process at a time, and may be deleted while none
	// runs: all of it comes back from the topic.
	Dir string
	// Topic is the changelog: compacted, its whole name. Cluster has it.
	Topic   string
	Cluster kafka.Cluster
	// CacheBytes is how much of the copy is kept in memory. Default 32 MiB. About 40 MiB more are used besides.
	CacheBytes int64
	// AdvanceEvery is how often the store asks how far the changelog reaches, so that a restart reads again no more than
	// what was written since. Default 10 s.
	AdvanceEvery time.Duration
	// Now is the clock that the copy's age is taken by. Default time.Now.
	Now func() time.Time
	Log *zap.Logger
	// Step, if set, is called between any two steps that a crash may come between: for tests that crash there.
	Step func(name string)
}

const (
	// restorers is how many partitions are read at once: more would only take memory.
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
	if c.Step == nil {
		c.Step = func(string) {}
	}
	return c
}

// Store is the local copy of a changelog, of all partitions that this process has or had. It may be used by several
// goroutines; each Partition by one.
type Store struct {
	config  Config
	log     *zap.Logger
	lock    *folder.Lock
	reader  *kafka.TopicReader
	turns   chan struct{} // of those who restore
	stop    context.CancelFunc
	helpers sync.WaitGroup

	// using is held for reading by whoever uses db, an overlay as long as it is open, and for writing to replace it.
	using  sync.RWMutex
	db     *pebble.DB // nil: closed
	era    atomic.Int64
	broken atomic.Bool // the files are found to be corrupt

	mutex      sync.Mutex
	partitions map[int]*Partition
}

// Open opens the copy in a folder, an empty one when there is none; one that can't be opened is removed, and said to be so
// in the log. ErrLocked when another process has the folder. No broker is asked yet.
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
	if s.lock, err = folder.Take(config.Dir); err != nil {
		return nil, err
	}
	if err := s.openFiles(); err != nil {
		return nil, errors.Join(err, s.lock.Close())
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.helpers.Go(func() { s.advance(ctx) })
	return s, nil
}

// Partition returns the copy of one partition. It can be used after TakeOver.
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

// closeWait is how long Close waits for open overlays.
const closeWait = 5 * time.Second

// errInUse says that the folder was left as it is. Its changelog has all of it.
var errInUse = errors.New("close state: a transaction is still at work; the folder is left as it is, and read again at the next start")

// Close writes what is in memory to the folder and gives it free. It waits for open overlays, but not for ever: one that
// doesn't come to an end must not keep its process from being started anew.
func (s *Store) Close() error {
	s.stop()
	s.helpers.Wait()
	if !s.idle(closeWait) {
		return errInUse
	}
	defer s.using.Unlock()
	if s.db == nil {
		return nil
	}
	err := errors.Join(s.db.Flush(), s.db.Close(), s.lock.Close())
	s.db = nil
	s.era.Add(1)
	s.reader.Close()
	if err != nil {
		return fmt.Errorf("close state: %w", err)
	}
	return nil
}

// idle locks the store for Close, once nothing uses it.
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

func (s *Store) openFiles() error {
	folder := s.files()
	db, err := pebble.Open(folder, s.options())
	if err != nil {
		s.log.Error("local state can't be opened: removed, will be restored from its topic", zap.String("folder", folder), zap.Error(err))
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("remove what can't be opened: %w", err)
		}
		if db, err = pebble.Open(folder, s.options()); err != nil {
			return fmt.Errorf("open anew: %w", err)
		}
	}
	s.db = db
	return nil
}

// files is a folder of its own, so that only what is ours is ever removed.
func (s *Store) files() string { return filepath.Join(s.config.Dir, "rows") }

// mend replaces files that were found to be corrupt by empty ones. All partitions must be taken over anew then.
func (s *Store) mend() error {
	if !s.broken.Load() {
		return nil
	}
	s.using.Lock()
	defer s.using.Unlock()
	if !s.broken.Load() || s.db == nil {
		return nil // another did
	}
	s.era.Add(1)
	s.log.Error("local state is corrupt: removed, will be restored from its topic", zap.String("folder", s.files()))
	_ = s.db.Close() // it may well be unable to
	s.db = nil
	if err := os.RemoveAll(s.files()); err != nil {
		return fmt.Errorf("remove corrupt state: %w", err)
	}
	if err := s.openFiles(); err != nil {
		return err
	}
	s.broken.Store(false)
	return nil
}
