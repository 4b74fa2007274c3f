package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

const (
	joinBackoff  = 500 * time.Millisecond
	groupTimeout = 10 * time.Second
	leaveTimeout = 3 * time.Second
)

// runGroup keeps the consumer in its group until ctx ends.
func (c *Consumer) runGroup(ctx context.Context, pool *conn.Pool, all []consumption) error {
	for c.awaitTopics(ctx, pool) {
		if err := c.runMembership(ctx, pool, all); err != nil {
			return fmt.Errorf("run consumer: %w", err)
		}
	}
	return nil
}

// awaitTopics waits until all topics exist. It returns false if ctx has ended. Without it kafka-go would join the group again
// and again without a pause: its watch on the partitions of a missing topic ends each generation at once.
func (c *Consumer) awaitTopics(ctx context.Context, pool *conn.Pool) bool {
	backoff := fetchBackoff()
	for ctx.Err() == nil {
		err := c.topicsExist(ctx, pool)
		if err == nil {
			return true
		}
		if ctx.Err() == nil {
			c.log.Warn("topics are not available, waiting", zap.Error(err))
			pool.ExpireMetadata()
		}
		backoff.Wait(ctx)
	}
	return false
}

func (c *Consumer) topicsExist(ctx context.Context, pool *conn.Pool) error {
	for _, topic := range c.config.Topics {
		if _, err := pool.Partitions(ctx, topic); err != nil {
			return err
		}
	}
	return nil
}

// runMembership joins the group and runs its generations until ctx ends, a topic is deleted, or no generation begins for too
// long.
func (c *Consumer) runMembership(ctx context.Context, pool *conn.Pool, all []consumption) error {
	conns := newGroupConns(conn.NewDialer(c.cluster))
	group, err := kafka.NewConsumerGroup(c.groupConfig(conns))
	if err != nil {
		return err
	}
	defer leave(group, conns)
	defer c.setStatus(Status{}, nil)
	for ctx.Err() == nil {
		next, err := c.nextGeneration(ctx, group)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errNoGeneration):
			c.rejoins.Add(1)
			c.log.Error("join group timed out, rejoining", zap.Duration("waited", c.generationTimeout()))
			return nil
		}
		if err != nil { // kafka-go pauses before it joins again
			c.log.Warn("join group failed, retrying", zap.Error(pool.Explain(err, conn.GroupRight(c.config.Group))))
			continue
		}
		c.runGeneration(ctx, pool, next, all)
		if err := c.topicsExist(ctx, pool); errors.Is(err, conn.ErrNoTopic) {
			return nil
		}
	}
	return nil
}

// nextGeneration waits for a generation, generationTimeout at most: after brokers had restarted kafka-go was seen to wait for
// ever (https://github.com/segmentio/kafka-go/issues/847).
func (c *Consumer) nextGeneration(ctx context.Context, group *kafka.ConsumerGroup) (*kafka.Generation, error) {
	ctx, cancel := context.WithTimeout(ctx, c.generationTimeout())
	defer cancel()
	next, err := group.Next(ctx)
	if ctx.Err() != nil {
		err = errors.Join(errNoGeneration, err)
	}
	return next, err
}

// generationTimeout is longer than a join takes while all members are alive.
func (c *Consumer) generationTimeout() time.Duration {
	return 2*c.config.RebalanceTimeout + c.config.SessionTimeout
}

// leave leaves the group. A join in progress, which may wait for other members for RebalanceTimeout, is interrupted.
func leave(group *kafka.ConsumerGroup, conns *groupConns) {
	interrupt := time.AfterFunc(leaveTimeout, conns.closeAll)
	defer interrupt.Stop()
	_ = group.Close() // always nil; it waits for kafka-go's goroutines
}

func (c *Consumer) groupConfig(conns *groupConns) kafka.ConsumerGroupConfig {
	return kafka.ConsumerGroupConfig{
		ID:                    c.config.Group,
		Brokers:               c.cluster.Brokers,
		Dialer:                &kafka.Dialer{ClientID: c.cluster.ClientID, Timeout: conn.DialTimeout, DialFunc: conns.dial},
		Topics:                c.config.Topics,
		GroupBalancers:        []kafka.GroupBalancer{c.assignor, kafka.RangeGroupBalancer{}},
		HeartbeatInterval:     c.config.HeartbeatInterval,
		WatchPartitionChanges: true,
		SessionTimeout:        c.config.SessionTimeout,
		RebalanceTimeout:      c.config.RebalanceTimeout,
		JoinGroupBackoff:      joinBackoff,
		StartOffset:           kafka.FirstOffset,
		Timeout:               groupTimeout,
	}
}
