package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// partitioner assigns partitions to records.
type partitioner struct {
	pool  *conn.Pool
	count PartitionCount
	// maxWait limits the wait for topics that are not in the metadata.
	maxWait time.Duration
}

// assign returns the partition of each record.
func (p partitioner) assign(ctx context.Context, records []Record) ([]wire.Partition, error) {
	if cluster, ok := p.pool.Cached(); ok {
		if at, err := p.partitionsIn(cluster, records); err == nil {
			return at, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, p.maxWait)
	defer cancel()
	backoff := conn.RequestBackoff()
	for {
		cluster, err := p.pool.Metadata(ctx)
		if err == nil {
			var at []wire.Partition
			if at, err = p.partitionsIn(cluster, records); err == nil {
				return at, nil
			}
		}
		if !errors.Is(err, conn.ErrNoTopic) && !conn.Transient(err) {
			return nil, err
		}
		if denied := deniedWrites(ctx, p.pool, missingTopics(cluster, records)...); denied != nil {
			return nil, denied
		}
		if !backoff.Wait(ctx) {
			return nil, errors.Join(ctx.Err(), err)
		}
		p.pool.RefreshMetadata(ctx)
	}
}

// missingTopics returns the topics of records that are not in the cluster's metadata.
func missingTopics(cluster protocol.Cluster, records []Record) (missing []string) {
	for _, r := range records {
		if _, ok := cluster.Topics[r.Topic]; !ok && !slices.Contains(missing, r.Topic) {
			missing = append(missing, r.Topic)
		}
	}
	return missing
}

// deniedWrites returns a *DeniedError if one of the topics may not be written; nil if all may, or if that is unknown.
func deniedWrites(ctx context.Context, pool *conn.Pool, topics ...string) error {
	access, _ := pool.TopicAccess(ctx, topics...) // a failure is not reported: the next request fails in the same way
	for _, topic := range topics {
		if access[topic].Lacks(conn.OperationWrite) {
			return pool.Denied(conn.TopicRight(conn.OperationWrite, topic), kafka.TopicAuthorizationFailed)
		}
	}
	return nil
}

// partitionsIn returns the partition of each record by the cluster's metadata.
func (p partitioner) partitionsIn(cluster protocol.Cluster, records []Record) ([]wire.Partition, error) {
	at := make([]wire.Partition, len(records))
	var numbers []int // 0, 1, 2 ...
	for i, r := range records {
		topic, ok := cluster.Topics[r.Topic]
		if !ok || len(topic.Partitions) == 0 {
			return nil, fmt.Errorf("topic %s: %w", r.Topic, conn.ErrNoTopic)
		}
		id := int32(r.Partition)
		if r.Partition == ByKey {
			count, err := p.count.among(r.Topic, len(topic.Partitions))
			if err != nil {
				return nil, err
			}
			numbers = numbersBelow(count, numbers)
			id = partitionOf(r.Key, numbers)
		}
		if _, ok := topic.Partitions[id]; !ok {
			return nil, fmt.Errorf("topic %s has no partition %d", r.Topic, id)
		}
		at[i] = wire.Partition{Topic: r.Topic, ID: id}
	}
	return at, nil
}

// partitionOf hashes a key as Java's default partitioner does. Without a key (nil) it returns any partition.
func partitionOf(key []byte, numbers []int) int32 {
	return int32(kafka.Murmur2Balancer{}.Balance(kafka.Message{Key: key}, numbers...))
}

// numbersBelow returns the numbers from 0 to n-1. It reuses those of an earlier call.
func numbersBelow(n int, numbers []int) []int {
	if n <= cap(numbers) {
		return numbers[:n]
	}
	numbers = make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}
