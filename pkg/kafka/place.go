package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// place finds each record's partition, most often at once. It waits for topics that nobody knows yet, so long at most.
func (c *connections) place(ctx context.Context, atMost time.Duration, records []Record) ([]wire.Partition, error) {
	if last := c.seen.Load(); last.fresh() {
		if at, err := placeIn(last.cluster, records); err == nil {
			return at, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	pause := backoff{first: retryFirst, most: retryMost}
	for {
		cluster, err := c.layout(ctx)
		if err == nil {
			var at []wire.Partition
			if at, err = placeIn(cluster, records); err == nil {
				return at, nil
			}
		}
		if !errors.Is(err, errNoTopic) && !transient(err) {
			return nil, err
		}
		if !pause.wait(ctx) {
			return nil, errors.Join(ctx.Err(), err)
		}
		c.relearn(ctx)
	}
}

func placeIn(cluster protocol.Cluster, records []Record) ([]wire.Partition, error) {
	at := make([]wire.Partition, len(records))
	var numbers []int // of partitions, 0 and on
	for i, r := range records {
		topic, ok := cluster.Topics[r.Topic]
		if !ok || len(topic.Partitions) == 0 {
			return nil, fmt.Errorf("topic %s: %w", r.Topic, errNoTopic)
		}
		id := int32(r.Partition)
		if r.Partition == ByKey {
			numbers = upTo(len(topic.Partitions), numbers)
			id = partitionOf(r.Key, numbers)
		}
		if _, ok := topic.Partitions[id]; !ok {
			return nil, fmt.Errorf("topic %s has no partition %d", r.Topic, id)
		}
		at[i] = wire.Partition{Topic: r.Topic, ID: id}
	}
	return at, nil
}

// partitionOf hashes a key as Java's default partitioner does; without a key (nil) any partition will do.
func partitionOf(key []byte, numbers []int) int32 {
	return int32(kafka.Murmur2Balancer{}.Balance(kafka.Message{Key: key}, numbers...))
}

// upTo returns the numbers below n, in the memory of those of an earlier call.
func upTo(n int, numbers []int) []int {
	if n <= cap(numbers) {
		return numbers[:n]
	}
	numbers = make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

// producible says why records can't be produced, before anything is sent.
func producible(records []Record) error {
	for i, r := range records {
		if err := r.producible(); err != nil {
			return fmt.Errorf("produce record %d of %d: %w", i+1, len(records), err)
		}
	}
	return nil
}

func (r Record) producible() error {
	if r.Topic == "" {
		return errors.New("no topic given")
	}
	if r.Partition < ByKey {
		return fmt.Errorf("partition %d of topic %s is neither a partition nor ByKey", r.Partition, r.Topic)
	}
	if weight := r.Size(); weight > MaxRecordBytes {
		return fmt.Errorf("%d bytes for topic %s, at most %d: %w", weight, r.Topic, MaxRecordBytes, ErrTooLarge)
	}
	return nil
}

// stored is the record as it goes into a batch. Milliseconds are all the time there is.
func (r Record) stored(now time.Time) batch.Record {
	at := r.Time
	if at.IsZero() {
		at = now
	}
	return batch.Record{Time: at.UnixMilli(), Key: r.Key, Value: r.Value, Headers: r.Headers}
}
