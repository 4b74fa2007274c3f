package admin

import (
	"context"
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

// TopicExists returns nil if the brokers answer and have the topic, with that number of partitions.
func TopicExists(ctx context.Context, cluster kafka.Cluster, topic string, count kafka.PartitionCount) error {
	if err := cluster.Validate(); err != nil {
		return err
	}
	pool := conn.Open(cluster, topic)
	defer pool.Close()
	partitions, err := pool.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	return count.Check(topic, len(partitions))
}

// TopicWritable returns nil if the brokers answer, have the topic, with that number of partitions, and allow this client to write
// to it.
func TopicWritable(ctx context.Context, cluster kafka.Cluster, topic string, count kafka.PartitionCount) error {
	if err := cluster.Validate(); err != nil {
		return err
	}
	pool := conn.Open(cluster, topic)
	defer pool.Close()
	access, err := pool.TopicAccess(ctx, topic)
	switch found := access[topic]; {
	case err != nil:
		return err
	case found.Lacks(conn.OperationWrite):
		return pool.Denied(conn.TopicRight(conn.OperationWrite, topic), nil)
	case !found.Exists:
		return fmt.Errorf("topic %s: %w", topic, conn.ErrNoTopic)
	default:
		return count.Check(topic, found.Partitions)
	}
}
