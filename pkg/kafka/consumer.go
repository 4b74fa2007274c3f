package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

// ConsumerConfig configures a consumer. Zero values are the defaults.
type ConsumerConfig struct {
	// Group is the consumer group. Its members share the partitions.
	Group string
	// Topics are the topics to read. A member owns the same partition numbers of each.
	Topics []string
	// Partitions is the number of partitions of Topics, and of the topics to which a transaction writes by key. Partitions from
	// that number on are not read: no record of ours is in them.
	Partitions PartitionCount
	// MaxBatch limits the records of a handler's batch, and so the memory of a transaction. Default 300.
	MaxBatch int
	// SessionTimeout is how long a member without heartbeats keeps its partitions. Default 30 s; brokers allow 6 s to 30 min.
	SessionTimeout time.Duration
	// HeartbeatInterval is the time between heartbeats, and how soon a member learns of a rebalance. Default 1 s.
	HeartbeatInterval time.Duration
	// RebalanceTimeout is how long a rebalance waits for members, whose handlers must return first. Default 60 s.
	RebalanceTimeout time.Duration
	// HandlerTimeout limits the time of a handler for one batch: its ctx ends then. If it does not return within DrainTimeout
	// after that, Run ends with an error. Default 5 min.
	HandlerTimeout time.Duration
	// DrainTimeout is how long handlers may continue after Run's ctx has ended. Default 10 s.
	DrainTimeout time.Duration
	// OnAssigned, if set, is called after each rebalance, before records are handled.
	OnAssigned func(Status)
	// OffsetReset is what to do when a partition does not have the next offset any more. Default OffsetResetSkip.
	OffsetReset OffsetReset
	// FaultPoint, if set, is called between any two steps that a crash can separate, for tests that crash there.
	FaultPoint func(name string)
	// Filter, if set, selects the records to handle. The others are finished without the handler.
	Filter func(Record) bool
	// Info is shown to those who describe the group.
	Info MemberInfo
	// RecommitInterval is how often the offsets of a group without members are committed again, see Shared. Default 10 min.
	RecommitInterval time.Duration
	// FetchWait is how long a broker waits for records before it sends an empty fetch response. Default 500 ms.
	FetchWait time.Duration
}

const (
	handlerRetry    = 100 * time.Millisecond
	handlerRetryMax = 30 * time.Second
)

func (c ConsumerConfig) withDefaults() ConsumerConfig {
	if c.MaxBatch <= 0 {
		c.MaxBatch = 300
	}
	if c.OffsetReset == "" {
		c.OffsetReset = OffsetResetSkip
	}
	if c.FaultPoint == nil {
		c.FaultPoint = func(string) {}
	}
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&c.SessionTimeout, 30 * time.Second},
		{&c.HeartbeatInterval, time.Second},
		{&c.RebalanceTimeout, 60 * time.Second},
		{&c.HandlerTimeout, 5 * time.Minute},
		{&c.DrainTimeout, 10 * time.Second},
		{&c.FetchWait, 500 * time.Millisecond},
		{&c.RecommitInterval, 10 * time.Minute},
	} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	c.Topics = slices.Clone(c.Topics)
	return c
}

func (c ConsumerConfig) validate() error {
	if c.Group == "" {
		return errors.New("no consumer group given")
	}
	if len(c.Topics) == 0 || slices.Contains(c.Topics, "") {
		return fmt.Errorf("consumer group %s: no topics given, or an empty name", c.Group)
	}
	if c.SessionTimeout < 2*c.HeartbeatInterval {
		return fmt.Errorf("consumer group %s: kafka.session_timeout is %s, must be at least twice the heartbeat interval of %s",
			c.Group, c.SessionTimeout, c.HeartbeatInterval)
	}
	return nil
}

// Status is the state of a consumer.
type Status struct {
	// Member is true if the consumer is a member of its group, even without partitions.
	Member bool
	// Generation is the group's generation; each rebalance begins a new one.
	Generation int
	// Partitions are the consumer's partitions of each topic, in order.
	Partitions map[string][]int
	// Extra are the partition numbers that are not read because the topics have more partitions than ConsumerConfig.Partitions.
	// It is empty with IgnoreExtra.
	Extra []int
	// Halted has a line for each partition that was halted by OffsetResetHalt, with the reason.
	Halted []string
	// Stalled are the partition numbers whose handler exceeds HandlerTimeout.
	Stalled []int
}

// Consumer consumes topics as a member of a consumer group.
type Consumer struct {
	cluster     Cluster
	config      ConsumerConfig
	base        *zap.Logger // without the group
	log         *zap.Logger
	assignor    *stickyAssignor
	lostOffsets atomic.Int64
	rejoins     atomic.Int64
	failed      chan error
	requests    requestLimiter // nil: no limit

	mutex         sync.Mutex
	status        Status
	fetcher       *fetcher          // of the current generation
	handlingSince map[int]time.Time // when the running handlers started, by partition number
}

// NewConsumer returns a consumer. Run starts it.
func NewConsumer(cluster Cluster, config ConsumerConfig, log *zap.Logger) *Consumer {
	config = config.withDefaults()
	return &Consumer{
		cluster: cluster, config: config, base: log, log: log.With(zap.String("group", config.Group)),
		assignor: &stickyAssignor{info: config.Info}, failed: make(chan error, 1), handlingSince: make(map[int]time.Time),
	}
}

// Status returns the current state of the consumer.
func (c *Consumer) Status() Status {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	status := c.status
	for number, since := range c.handlingSince {
		if time.Since(since) > c.config.HandlerTimeout {
			status.Stalled = append(status.Stalled, number)
		}
	}
	slices.Sort(status.Stalled)
	if c.fetcher != nil {
		status.Halted = c.fetcher.halted(c)
	}
	return status
}

func (c *Consumer) setStatus(status Status, f *fetcher) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.status, c.fetcher = status, f
}

// LostOffsets returns how many offsets were skipped because retention deleted them before they were read.
func (c *Consumer) LostOffsets() int64 { return c.lostOffsets.Load() }

// Rejoins returns how often the consumer left its group and joined again because no generation began in time.
func (c *Consumer) Rejoins() int64 { return c.rejoins.Load() }

// Run consumes records until ctx ends, from the group's committed offsets or from the first record, and calls the handler at
// least once with each. Then it stops fetching, waits DrainTimeout for running handlers, commits, leaves the group and returns
// nil. It returns an error only for an invalid configuration and for a handler that does not return; other failures are logged
// and retried.
func (c *Consumer) Run(ctx context.Context, handle Handler) error {
	pool := conn.Open(c.cluster, c.config.Topics...)
	return c.run(ctx, pool, []consumption{{consumer: c, newProcessor: func() processor { return atLeastOnce{handle} }}})
}

// RunTransactions is Run with transactions: the outputs of a batch and the offset behind it are committed together. Consumers
// that read committed records only see each output exactly once, whatever crashes, rebalances or lost responses occur.
func (c *Consumer) RunTransactions(ctx context.Context, transactions Transactions) error {
	limiter, buffers := newTransactionLimiter(), &bufferPool{}
	return c.run(ctx, conn.Open(c.cluster), []consumption{{
		consumer: c, newProcessor: func() processor {
			return &txnProcessor{Transactions: transactions, limiter: limiter, buffers: buffers}
		},
	}})
}

// run joins the consumer's group and runs the consumptions, of this consumer or of those that share its membership.
func (c *Consumer) run(ctx context.Context, pool *conn.Pool, all []consumption) error {
	if err := errors.Join(c.cluster.Validate(), c.config.validate()); err != nil {
		return fmt.Errorf("run consumer: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // stops the other handlers if one does not return
	done := make(chan error, 1)
	go func() {
		err := c.runGroup(ctx, pool, all)
		pool.Close()
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case err := <-c.failed:
		return fmt.Errorf("run consumer: %w", err)
	}
}
