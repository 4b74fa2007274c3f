package kafka

import (
	"context"
	"fmt"
	"time"
)

const readWait = 100 * time.Millisecond

// ReadAll reads a topic from its first offset to where its partitions end now, outside of any group: partition by
// partition, each in order. It is for small topics, tests and demonstrations, and holds all records in memory.
func ReadAll(ctx context.Context, cluster Cluster, topic string) ([]Record, error) {
	if err := cluster.validate(); err != nil {
		return nil, err
	}
	connections := cluster.connect(topic)
	defer connections.close()
	partitions, err := connections.partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	var all []Record
	for _, partition := range partitions {
		records, err := connections.readPartition(ctx, topic, partition)
		if err != nil {
			return nil, fmt.Errorf("read partition %d of topic %s: %w", partition, topic, err)
		}
		all = append(all, records...)
	}
	return all, nil
}

func (c *connections) readPartition(ctx context.Context, topic string, partition int) ([]Record, error) {
	next, end, err := c.awaitBounds(ctx, topic, partition)
	if err != nil {
		return nil, err
	}
	var all []Record
	pause := backoff{first: retryFirst, most: retryMost}
	for next < end {
		found, err := c.fetch(ctx, topic, partition, next, readWait, fetchBytes)
		if err != nil {
			if !transient(err) || !pause.wait(ctx) {
				return nil, err
			}
			c.refresh()
			continue
		}
		pause.reset()
		next = found.next
		for _, record := range found.records {
			if record.Offset < end {
				all = append(all, record)
			}
		}
	}
	return all, nil
}

// awaitBounds weathers a leader that is just moving or only coming up.
func (c *connections) awaitBounds(ctx context.Context, topic string, partition int) (first, end int64, err error) {
	pause := backoff{first: retryFirst, most: retryMost}
	for {
		first, end, err = c.bounds(ctx, topic, partition)
		if err == nil || !transient(err) || !pause.wait(ctx) {
			return first, end, err
		}
		c.refresh()
	}
}
