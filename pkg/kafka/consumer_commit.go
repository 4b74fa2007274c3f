package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

const (
	// commitInterval is the shortest time between two commits of a generation. What was finished within it may be handled
	// again after a crash.
	commitInterval = 20 * time.Millisecond
	// movedInterval is how soon an offset is committed that has moved although nothing was handled.
	movedInterval = 2 * time.Second
	commitTimeout = 3 * time.Second
	// commitRetryMax is the longest pause after commits that failed.
	commitRetryMax = 5 * time.Second
)

// committer commits the offsets of one generation soon after records are finished.
type committer struct {
	pool     *conn.Pool
	member   groupMember
	joined   *membership   // nil: the group has the members
	again    time.Duration // repeats commits, for a group without members
	requests requestLimiter
	log      *zap.Logger
	wake     chan struct{}

	mutex   sync.Mutex
	pending map[*assignedPartition]bool
	owned   []*assignedPartition
}

// own adds a partition whose offset is repeated.
func (c *committer) own(p *assignedPartition) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.owned = append(c.owned, p)
}

// add adds a partition to the next commit.
func (c *committer) add(p *assignedPartition) {
	c.addLater(p)
	select {
	case c.wake <- struct{}{}:
	default: // already awake
	}
}

// addLater adds a partition to the next commit, within movedInterval.
func (c *committer) addLater(p *assignedPartition) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.pending[p] = true
}

// run commits until done is closed, and once more then.
func (c *committer) run(done <-chan struct{}) {
	pause := time.NewTimer(commitInterval)
	defer pause.Stop()
	moved := time.NewTicker(movedInterval)
	defer moved.Stop()
	again := time.NewTicker(c.again)
	defer again.Stop()
	queueing, stopQueueing := until(done) // the last commit does not wait for others
	defer stopQueueing()
	backoff := conn.Backoff{First: time.Second, Max: commitRetryMax}
	for {
		select {
		case <-c.wake:
		case <-moved.C:
		case <-again.C:
			c.repeat()
		case <-done:
			c.flush(context.Background(), nil)
			return
		}
		pause.Reset(commitInterval + c.flushAndBackOff(queueing, &backoff))
		select {
		case <-pause.C:
		case <-done:
			c.flush(context.Background(), nil)
			return
		}
	}
}

// flushAndBackOff is flush, and returns how long to wait after a failure.
func (c *committer) flushAndBackOff(ctx context.Context, backoff *conn.Backoff) time.Duration {
	if !c.flush(ctx, c.requests) {
		return backoff.Next()
	}
	backoff.Reset()
	return 0
}

// until returns a context that ends when done is closed.
func until(done <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-done:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// repeat adds all partitions of a group that has no members: brokers delete an offset of such a group that was not committed for
// a week, by default (offsets.retention.minutes,
// https://cwiki.apache.org/confluence/display/KAFKA/KIP-211%3A+Revise+Expiration+Semantics+of+Consumer+Group+Offsets).
func (c *committer) repeat() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.joined != nil {
		for _, p := range c.owned {
			c.pending[p] = true
		}
	}
}

// flush commits the pending partitions and reports whether it succeeded. ctx limits the wait for other requests. After a failure they stay pending; if it was the last
// commit, the next owner handles the records again.
func (c *committer) flush(ctx context.Context, requests requestLimiter) bool {
	partitions := c.takePending()
	if len(partitions) == 0 {
		return true
	}
	offsets := make(map[wire.Partition]committed, len(partitions))
	for p := range partitions {
		next, above := p.tracker.progress()
		offsets[p.Partition] = committed{offset: next, metadata: encodeFinished(next, above)}
	}
	err := requests.do(ctx, func() error { return c.commit(offsets) })
	switch {
	case err == nil:
		return true
	case errors.Is(err, errNotOwner):
		c.log.Warn("commit offsets skipped, the partitions may have another owner", zap.Error(err))
		return false
	}
	if ctx.Err() == nil {
		c.log.Warn("commit offsets failed, records may be handled again", zap.Error(err))
	}
	for p := range partitions {
		c.add(p)
	}
	return false
}

// commit retries for a while, because the last commit can't be repeated later.
func (c *committer) commit(offsets map[wire.Partition]committed) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	backoff := conn.RequestBackoff()
	for {
		err := c.send(ctx, offsets)
		if err == nil || !conn.Transient(err) || !backoff.Wait(ctx) {
			return err
		}
		c.pool.RefreshMetadata(ctx)
	}
}

func (c *committer) send(ctx context.Context, offsets map[wire.Partition]committed) error {
	if c.joined != nil {
		if err := c.joined.check(ctx); err != nil {
			return fmt.Errorf("check membership: %w", err)
		}
	}
	return commitOffsets(ctx, c.pool, c.member, offsets)
}

func (c *committer) takePending() map[*assignedPartition]bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	pending := c.pending
	c.pending = make(map[*assignedPartition]bool)
	return pending
}
