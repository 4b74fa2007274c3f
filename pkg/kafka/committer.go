package kafka

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// committer gathers the offsets to commit during one generation and is the only one to commit them: kafka-go shares one
// connection between commits and heartbeats.
type committer struct {
	commit func(map[string]map[int]int64) error
	log    *zap.Logger

	mutex   sync.Mutex
	pending map[string]map[int]int64
}

func newCommitter(commit func(map[string]map[int]int64) error, log *zap.Logger) *committer {
	return &committer{commit: commit, log: log, pending: make(map[string]map[int]int64)}
}

// mark says that everything of a partition before next is finished.
func (c *committer) mark(topic string, partition int, next int64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.pending[topic] == nil {
		c.pending[topic] = make(map[int]int64)
	}
	c.pending[topic][partition] = next
}

// run commits from time to time, and a last time once done is closed.
func (c *committer) run(done <-chan struct{}) {
	ticker := time.NewTicker(commitEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			c.flush()
		case <-done:
			c.flush()
			return
		}
	}
}

// flush commits what was marked since the last time. What can't be committed stays for the next; after the last it is
// handled again by the next owner of the partition.
func (c *committer) flush() {
	offsets := c.take()
	if len(offsets) == 0 {
		return
	}
	if err := c.commit(offsets); err != nil {
		c.log.Warn("commit offsets", zap.Error(err))
		c.putBack(offsets)
	}
}

// putBack keeps offsets for the next flush, unless newer ones came meanwhile.
func (c *committer) putBack(offsets map[string]map[int]int64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for topic, partitions := range offsets {
		newer := c.pending[topic]
		c.pending[topic] = partitions
		for partition, next := range newer {
			c.pending[topic][partition] = next
		}
	}
}

func (c *committer) take() map[string]map[int]int64 {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	offsets := c.pending
	c.pending = make(map[string]map[int]int64)
	return offsets
}
