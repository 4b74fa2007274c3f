package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

const (
	joinBackoff  = 500 * time.Millisecond
	groupTimeout = 10 * time.Second
	leaveTimeout = 3 * time.Second
)

// read is a member of the group until ctx ends.
func (c *Consumer) read(ctx context.Context, connections *connections, newWork func() work) error {
	for c.awaitTopics(ctx, connections) {
		if err := c.join(ctx, connections, newWork); err != nil {
			return fmt.Errorf("run consumer: %w", err)
		}
	}
	return nil
}

// awaitTopics waits until all topics exist and tells whether ctx still lasts. Without it kafka-go would join the group
// again and again without a pause: its watch over the partitions of a missing topic ends each generation at once.
func (c *Consumer) awaitTopics(ctx context.Context, connections *connections) bool {
	pause := backoff{first: fetchRetry, most: fetchRetries}
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

// join is a member of the group until ctx ends, one of the topics is gone, or nothing is heard of the group for too long.
func (c *Consumer) join(ctx context.Context, connections *connections, newWork func() work) error {
	lines := newLines(c.cluster.dialer())
	group, err := kafka.NewConsumerGroup(c.groupConfig(lines))
	if err != nil {
		return err
	}
	defer leave(group, lines)
	defer c.setStatus(Status{}, nil)
	for ctx.Err() == nil {
		next, err := c.next(ctx, group)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errNoGeneration):
			c.rejoins.Add(1)
			c.log.Error("no generation for too long, joining anew", zap.Duration("waited", c.patience()))
			return nil
		}
		if err != nil { // kafka-go pauses before it joins again
			c.log.Warn("join group", zap.Error(err))
			continue
		}
		c.serve(ctx, connections, next, newWork)
		if err := c.topicsExist(ctx, connections); errors.Is(err, errNoTopic) {
			return nil
		}
	}
	return nil
}

// next waits for a generation, but not for ever: kafka-go was seen to wait for one that never came after brokers had been
// restarted (https://github.com/segmentio/kafka-go/issues/847).
func (c *Consumer) next(ctx context.Context, group *kafka.ConsumerGroup) (*kafka.Generation, error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience())
	defer cancel()
	next, err := group.Next(ctx)
	if ctx.Err() != nil {
		err = errors.Join(errNoGeneration, err)
	}
	return next, err
}

// patience is longer than any join takes in which all members live.
func (c *Consumer) patience() time.Duration {
	return 2*c.config.RebalanceTimeout + c.config.SessionTimeout
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
		GroupBalancers:        []kafka.GroupBalancer{c.balancer, kafka.RangeGroupBalancer{}},
		HeartbeatInterval:     c.config.HeartbeatInterval,
		WatchPartitionChanges: true,
		SessionTimeout:        c.config.SessionTimeout,
		RebalanceTimeout:      c.config.RebalanceTimeout,
		JoinGroupBackoff:      joinBackoff,
		StartOffset:           kafka.FirstOffset,
		Timeout:               groupTimeout,
	}
}
