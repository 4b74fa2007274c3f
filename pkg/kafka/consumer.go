package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

// Handler gets records of one partition in the order of their offsets, never none, and tells how many of them, counted
// from the first, it is finished with: their offsets may be committed. An error means: again, with the rest, after a
// pause that grows from 100 ms to 30 s while nothing is finished, and is as long as a PauseError asks for. Finishing none
// without an error counts as an error.
//
// Different partitions are handled at the same time, the batches of one strictly one after the other. When ctx ends the
// partition is about to be someone else's: return soon, with what is done. A panic is not recovered.
type Handler func(ctx context.Context, records []Record) (done int, err error)

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
	// HeartbeatInterval is how often a member tells that it lives, and how soon it learns of a rebalance. Default 3 s.
	HeartbeatInterval time.Duration
	// RebalanceTimeout is how long a rebalance waits for the members, their handlers included. Default 60 s.
	RebalanceTimeout time.Duration
	// DrainTimeout is how long handlers may go on after Run's ctx ended before theirs ends too. Default 10 s.
	DrainTimeout time.Duration
	// Whole keeps the handler idle while any partition is another member's: for work that must not be shared.
	Whole bool
	// OnAssigned, if set, is called whenever the partitions have been shared out anew, before any is handled.
	OnAssigned func(Status)
	// FetchWait is how long a broker holds back an empty answer. Default 500 ms.
	FetchWait time.Duration
}

const (
	commitEvery     = 250 * time.Millisecond
	handlerRetry    = 100 * time.Millisecond
	handlerRetryMax = 30 * time.Second
	fetchRetry      = 100 * time.Millisecond
	fetchRetryMax   = 5 * time.Second
	joinBackoff     = 500 * time.Millisecond
	groupTimeout    = 10 * time.Second
	leaveTimeout    = 3 * time.Second
)

func (c ConsumerConfig) withDefaults() ConsumerConfig {
	if c.MaxBatch <= 0 {
		c.MaxBatch = 500
	}
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&c.SessionTimeout, 30 * time.Second},
		{&c.HeartbeatInterval, 3 * time.Second},
		{&c.RebalanceTimeout, 60 * time.Second},
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
}

// Consumer reads topics as a member of a consumer group.
type Consumer struct {
	cluster Cluster
	config  ConsumerConfig
	log     *zap.Logger
	lost    atomic.Int64

	mutex  sync.Mutex
	status Status
}

// NewConsumer returns a consumer; Run does everything.
func NewConsumer(cluster Cluster, config ConsumerConfig, log *zap.Logger) *Consumer {
	config = config.withDefaults()
	return &Consumer{cluster: cluster, config: config, log: log.With(zap.String("group", config.Group))}
}

// Status returns what the consumer has right now.
func (c *Consumer) Status() Status {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.status
}

func (c *Consumer) setStatus(status Status) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.status = status
}

// Lost returns how many offsets were passed over because retention had deleted them before they were read.
func (c *Consumer) Lost() int64 { return c.lost.Load() }

// Run reads until ctx ends and hands everything to the handler, from the group's committed offsets on, or from the first
// record. Then it fetches no more, gives the handlers at work DrainTimeout to finish, commits what they did, leaves the
// group and returns nil. It returns an error only for a configuration that can't work; whatever else goes wrong is
// logged and tried again.
func (c *Consumer) Run(ctx context.Context, handle Handler) error {
	if err := errors.Join(c.cluster.validate(), c.config.validate()); err != nil {
		return fmt.Errorf("run consumer: %w", err)
	}
	connections := c.cluster.connect(c.config.Topics...)
	defer connections.close()
	for c.awaitTopics(ctx, connections) {
		if err := c.join(ctx, connections, handle); err != nil {
			return fmt.Errorf("run consumer: %w", err)
		}
	}
	return nil
}

// awaitTopics waits until all topics exist and tells whether ctx still lasts. Without it kafka-go would join the group
// again and again without a pause: its watch over the partitions of a missing topic ends each generation at once.
func (c *Consumer) awaitTopics(ctx context.Context, connections *connections) bool {
	pause := backoff{first: fetchRetry, most: fetchRetryMax}
	for ctx.Err() == nil {
		err := c.topicsExist(ctx, connections)
		if err == nil {
			return true
		}
		if ctx.Err() == nil {
			c.log.Warn("wait for topics", zap.Error(err))
			connections.refresh()
		}
		pause.wait(ctx)
	}
	return false
}

func (c *Consumer) topicsExist(ctx context.Context, connections *connections) error {
	for _, topic := range c.config.Topics {
		if _, err := connections.partitions(ctx, topic); err != nil {
			return err
		}
	}
	return nil
}

// join is a member of the group until ctx ends or one of the topics is gone.
func (c *Consumer) join(ctx context.Context, connections *connections, handle Handler) error {
	lines := newLines()
	group, err := kafka.NewConsumerGroup(c.groupConfig(lines))
	if err != nil {
		return err
	}
	defer leave(group, lines)
	defer c.setStatus(Status{})
	for ctx.Err() == nil {
		next, err := group.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil { // kafka-go pauses before it joins again
			c.log.Warn("join group", zap.Error(err))
			continue
		}
		c.serve(ctx, connections, next, handle)
		if err := c.topicsExist(ctx, connections); errors.Is(err, errNoTopic) {
			return nil
		}
	}
	return nil
}

// leave leaves the group. A join under way may wait for other members for as long as RebalanceTimeout; that is cut short.
func leave(group *kafka.ConsumerGroup, lines *lines) {
	cut := time.AfterFunc(leaveTimeout, lines.cut)
	defer cut.Stop()
	_ = group.Close() // always nil; it waits for kafka-go's goroutines
}

func (c *Consumer) groupConfig(lines *lines) kafka.ConsumerGroupConfig {
	return kafka.ConsumerGroupConfig{
		ID:                    c.config.Group,
		Brokers:               c.cluster.Brokers,
		Dialer:                &kafka.Dialer{ClientID: c.cluster.ClientID, Timeout: dialTimeout, DialFunc: lines.dial},
		Topics:                c.config.Topics,
		GroupBalancers:        []kafka.GroupBalancer{kafka.RangeGroupBalancer{}},
		HeartbeatInterval:     c.config.HeartbeatInterval,
		WatchPartitionChanges: true,
		SessionTimeout:        c.config.SessionTimeout,
		RebalanceTimeout:      c.config.RebalanceTimeout,
		JoinGroupBackoff:      joinBackoff,
		StartOffset:           kafka.FirstOffset,
		Timeout:               groupTimeout,
	}
}
