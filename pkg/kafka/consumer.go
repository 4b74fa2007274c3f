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
)

// ConsumerConfig says what a consumer reads and how. Zero values stand for the defaults.
type ConsumerConfig struct {
	// Group is the consumer group; its members share the partitions.
	Group string
	// Topics are read together: the members get the same partitions of each.
	Topics []string
	// MaxBatch is the most records a handler gets at once. Default 500.
	MaxBatch int
	// SessionTimeout is how long a member that went silent keeps its partitions. Default 30 s; brokers allow 6 s to 30 min.
	SessionTimeout time.Duration
	// HeartbeatInterval is how often a member tells that it lives, and how soon it learns of a rebalance. Default 1 s.
	HeartbeatInterval time.Duration
	// RebalanceTimeout is how long a rebalance waits for the members, their handlers included. Default 60 s.
	RebalanceTimeout time.Duration
	// HandlerTimeout is how long a handler may take for a batch before its ctx ends. When it does not come back within
	// DrainTimeout then, Run ends with an error. Default 5 min.
	HandlerTimeout time.Duration
	// DrainTimeout is how long handlers may go on after Run's ctx ended before theirs ends too. Default 10 s.
	DrainTimeout time.Duration
	// Whole keeps the handler idle while any partition is another member's: for work that must not be shared.
	Whole bool
	// OnAssigned, if set, is called whenever the partitions have been shared out anew, before any is handled.
	OnAssigned func(Status)
	// LostOffsets says what to do when the next record is gone. Default LostSkip.
	LostOffsets LostOffsets
	// Step, if set, is called between any two steps that a crash may come between: for tests that crash there.
	Step func(name string)
	// FetchWait is how long a broker holds back an empty answer. Default 500 ms.
	FetchWait time.Duration
}

const (
	handlerRetry    = 100 * time.Millisecond
	handlerRetryMax = 30 * time.Second
)

func (c ConsumerConfig) withDefaults() ConsumerConfig {
	if c.MaxBatch <= 0 {
		c.MaxBatch = 500
	}
	if c.LostOffsets == "" {
		c.LostOffsets = LostSkip
	}
	if c.Step == nil {
		c.Step = func(string) {}
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
		return fmt.Errorf("consumer group %s: no topics given, or one without a name", c.Group)
	}
	if c.SessionTimeout < 2*c.HeartbeatInterval {
		return fmt.Errorf("consumer group %s: a session of %s is too short for a heartbeat every %s",
			c.Group, c.SessionTimeout, c.HeartbeatInterval)
	}
	return nil
}

// Status is what a consumer has right now.
type Status struct {
	// Member tells whether the group has taken the consumer in. It may still have no partitions: others have them all.
	Member bool
	// Generation counts the group's rebalances.
	Generation int
	// Partitions are the consumer's partitions of each topic, in order.
	Partitions map[string][]int
	// Idle says why nothing is handled although the consumer is a member; "" when it works.
	Idle string
	// Halted says which partitions are not read any more, and why: LostHalt.
	Halted []string
	// Stuck are the partition numbers whose handler has not come back for longer than HandlerTimeout.
	Stuck []int
}

// Consumer reads topics as a member of a consumer group.
type Consumer struct {
	cluster  Cluster
	config   ConsumerConfig
	log      *zap.Logger
	balancer *sticky
	lost     atomic.Int64
	rejoins  atomic.Int64
	failed   chan error

	mutex    sync.Mutex
	status   Status
	reading  *prefetch         // of the generation under way
	handling map[int]time.Time // by partition number: since when
}

// NewConsumer returns a consumer; Run does everything.
func NewConsumer(cluster Cluster, config ConsumerConfig, log *zap.Logger) *Consumer {
	config = config.withDefaults()
	return &Consumer{
		cluster: cluster, config: config, log: log.With(zap.String("group", config.Group)),
		balancer: &sticky{}, failed: make(chan error, 1), handling: make(map[int]time.Time),
	}
}

// Status returns what the consumer has right now.
func (c *Consumer) Status() Status {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	status := c.status
	for number, since := range c.handling {
		if time.Since(since) > c.config.HandlerTimeout {
			status.Stuck = append(status.Stuck, number)
		}
	}
	slices.Sort(status.Stuck)
	if c.reading != nil {
		status.Halted = c.reading.halted()
	}
	return status
}

func (c *Consumer) setStatus(status Status, reading *prefetch) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.status, c.reading = status, reading
}

// Lost returns how many offsets were passed over because retention had deleted them before they were read.
func (c *Consumer) Lost() int64 { return c.lost.Load() }

// Rejoins returns how many times the consumer gave its membership up and began anew, since the group had no generation
// for it for too long.
func (c *Consumer) Rejoins() int64 { return c.rejoins.Load() }

// Run reads until ctx ends and hands everything to the handler, from the group's committed offsets on, or from the first
// record. Then it fetches no more, gives the handlers at work DrainTimeout to finish, commits what they did, leaves the
// group and returns nil. It returns an error only for a configuration that can't work and for a handler that does not come
// back; whatever else goes wrong is logged and tried again.
func (c *Consumer) Run(ctx context.Context, handle Handler) error {
	connections := c.cluster.connect(c.config.Topics...)
	return c.run(ctx, connections, func() work { return ordinary{handle} })
}

// RunTransactions is Run in transactions: what a batch brings about and the offset behind it become visible together, for
// readers who read committed records only. No crash, rebalance or unclear answer makes an output of a record visible
// twice, or not at all.
func (c *Consumer) RunTransactions(ctx context.Context, transactions Transactions) error {
	budget := newBudget()
	return c.run(ctx, c.cluster.connect(), func() work { return &transactional{Transactions: transactions, budget: budget} })
}

func (c *Consumer) run(ctx context.Context, connections *connections, newWork func() work) error {
	if err := errors.Join(c.cluster.validate(), c.config.validate()); err != nil {
		return fmt.Errorf("run consumer: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a handler that failed us does not come back, but the others are to stop
	done := make(chan error, 1)
	go func() {
		err := c.read(ctx, connections, newWork)
		connections.close()
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case err := <-c.failed:
		return fmt.Errorf("run consumer: %w", err)
	}
}
