package readmodel

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/dirlock"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// ErrNotFound means that there is no such row.
var ErrNotFound = errors.New("not found")

// Retention is how long rows are kept. What a topic deletes earlier is not there after the read model was built again.
type Retention struct {
	// Events is that of events, facts and dead letters, by when they were written: 90 days by default.
	Events time.Duration
	// Texts is that of texts, by their last change, and of charges: 400 days by default, at least 60. A text lives less than that.
	Texts time.Duration
}

const day = 24 * time.Hour

// Config is what a Model needs.
type Config struct {
	// Dir is its directory, which one process at a time uses.
	Dir       string
	Cluster   kafka.Cluster
	Topics    topology.Topics
	Retention Retention
	// Every is how often new records are looked for: 300 ms by default.
	Every time.Duration
	// Patience is how long a search may take: 5 s by default.
	Patience time.Duration
	Now      func() time.Time // time.Now by default
	Log      *zap.Logger
	// FaultPoint is called at named steps, for tests; nil: nothing is.
	FaultPoint func(name string)
}

func (c Config) withDefaults() Config {
	if c.Retention.Events <= 0 {
		c.Retention.Events = 90 * day
	}
	if c.Retention.Texts <= 0 {
		c.Retention.Texts = 400 * day
	}
	c.Retention.Texts = max(c.Retention.Texts, 60*day)
	if c.Every <= 0 {
		c.Every = 300 * time.Millisecond
	}
	if c.Patience <= 0 {
		c.Patience = 5 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.FaultPoint == nil {
		c.FaultPoint = func(string) {}
	}
	return c
}

// Model is the read model. Queries may be called by many goroutines, also before Run, when they return what the last process has read.
type Model struct {
	config Config
	log    *zap.Logger
	lock   *dirlock.Lock
	mask   timeline.Masker
	live   *hub

	// using is read-locked by queries, and write-locked to replace the files.
	using sync.RWMutex
	files *files

	mutex    sync.Mutex
	progress Progress
}

// Open opens the read model in a directory. One that is missing, damaged or of another version is made anew. The error is dirlock.ErrLocked
// if another process uses the directory. Open does not connect to Kafka.
func Open(config Config) (*Model, error) {
	m := &Model{config: config.withDefaults(), mask: timeline.NewMasker(false), live: newHub()}
	m.log = m.config.Log
	var err error
	if m.lock, err = dirlock.Acquire(config.Dir); err != nil {
		return nil, fmt.Errorf("open read model in %s: %w", config.Dir, err)
	}
	if m.files, err = openFiles(config.Dir); err != nil {
		return nil, fmt.Errorf("open read model in %s: %w", config.Dir, errors.Join(err, m.lock.Close()))
	}
	return m, nil
}

// Close closes the read model. Call it when Run and all queries have returned.
func (m *Model) Close() error {
	m.using.Lock()
	defer m.using.Unlock()
	if err := errors.Join(m.files.close(), m.lock.Close()); err != nil {
		return fmt.Errorf("close read model: %w", err)
	}
	return nil
}

// Run reads the topics until ctx ends, which is no error. While brokers do not answer it logs the cause and retries. Call it once.
func (m *Model) Run(ctx context.Context) error {
	backoff := time.Second
	for ctx.Err() == nil {
		started := time.Now()
		err := m.follow(ctx)
		if ctx.Err() != nil {
			break
		}
		if errors.Is(err, errRebuild) || isDamaged(err) {
			m.log.Warn("read model does not match the topics, building it again", zap.Error(err))
			err = m.replace()
		}
		if err != nil {
			m.failed(err)
			if time.Since(started) > time.Minute {
				backoff = time.Second
			}
			wait(ctx, backoff)
			backoff = min(2*backoff, 30*time.Second)
		}
	}
	return nil
}

// replace removes the files and begins anew.
func (m *Model) replace() error {
	m.using.Lock()
	defer m.using.Unlock()
	if err := m.files.close(); err != nil {
		m.log.Warn("close read model failed, removing it", zap.Error(err))
	}
	if err := removeFiles(m.config.Dir); err != nil {
		return err
	}
	f, err := openFiles(m.config.Dir)
	if err != nil {
		return err
	}
	m.files = f
	m.report(func(p *Progress) { *p = Progress{} })
	return nil
}

// failed makes an error visible, and logs it once.
func (m *Model) failed(err error) {
	known := m.Progress().Trouble
	if known != err.Error() {
		m.log.Warn("read topics failed, what the console shows gets old, retrying", zap.Error(err))
	}
	var of topicError
	_ = errors.As(err, &of)
	m.report(func(p *Progress) { p.Trouble, p.Topic = err.Error(), of.topic })
}

// Progress returns how far the topics are read.
func (m *Model) Progress() Progress {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.progress
}

func (m *Model) report(change func(*Progress)) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	change(&m.progress)
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
