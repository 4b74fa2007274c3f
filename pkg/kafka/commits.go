package kafka

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

const (
	// commitEvery is the least time between two commits of a generation: so much may be handled again after a crash.
	commitEvery   = 20 * time.Millisecond
	commitTimeout = 3 * time.Second
)

// commits commits what is finished during one generation, soon after it is.
type commits struct {
	connections *connections
	by          membership
	log         *zap.Logger
	wake        chan struct{}

	mutex sync.Mutex
	moved map[*source]bool
}

func newCommits(connections *connections, by membership, log *zap.Logger) *commits {
	return &commits{connections: connections, by: by, log: log, wake: make(chan struct{}, 1), moved: make(map[*source]bool)}
}

// mark says that a partition got on.
func (c *commits) mark(s *source) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.moved[s] = true
	select {
	case c.wake <- struct{}{}:
	default: // it is awake
	}
}

// run commits until done is closed, and a last time then.
func (c *commits) run(done <-chan struct{}) {
	pause := time.NewTimer(commitEvery)
	defer pause.Stop()
	for {
		select {
		case <-c.wake:
		case <-done:
			c.flush()
			return
		}
		c.flush()
		pause.Reset(commitEvery)
		select {
		case <-pause.C:
		case <-done:
			c.flush()
			return
		}
	}
}

// flush commits what got on since the last time. What can't be committed stays for the next; after the last it is handled
// again by the next owner of the partition.
func (c *commits) flush() {
	sources := c.take()
	if len(sources) == 0 {
		return
	}
	offsets := make(map[wire.Partition]committed, len(sources))
	for s := range sources {
		next, above := s.tracker.progress()
		offsets[s.Partition] = committed{offset: next, metadata: metadataOf(next, above)}
	}
	if err := c.commit(offsets); err != nil {
		c.log.Warn("commit offsets", zap.Error(err))
		for s := range sources {
			c.mark(s)
		}
	}
}

// commit tries again what may pass, for a while: a last commit has no next time.
func (c *commits) commit(offsets map[wire.Partition]committed) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	pause := backoff{first: retryFirst, most: retryMost}
	for {
		err := c.connections.commitOffsets(ctx, c.by, offsets)
		if err == nil || !transient(err) || !pause.wait(ctx) {
			return err
		}
		c.connections.relearn(ctx)
	}
}

func (c *commits) take() map[*source]bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	moved := c.moved
	c.moved = make(map[*source]bool)
	return moved
}
