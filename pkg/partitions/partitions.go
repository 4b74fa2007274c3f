// Package partitions reads the same partition of several topics: all records of a customer are in the partition with the same number, in each
// topic. So what is joined by customer is read one partition at a time, and the memory that it needs is that of some partitions.
package partitions

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Reader reads partitions of topics, up to the ends that they have when each is read. It reads committed records only. It may be used by
// many goroutines.
type Reader struct {
	topics map[string]*kafka.TopicReader
	lead   string
}

// Open returns a reader of topics under their full names. The first one has the numbers of the partitions.
func Open(cluster kafka.Cluster, topics ...string) (*Reader, error) {
	r := &Reader{topics: map[string]*kafka.TopicReader{}, lead: topics[0]}
	for _, topic := range topics {
		reader, err := kafka.NewTopicReader(cluster, topic)
		if err != nil {
			r.Close()
			return nil, err
		}
		r.topics[topic] = reader
	}
	return r, nil
}

// Close closes the connections.
func (r *Reader) Close() {
	for _, reader := range r.topics {
		reader.Close()
	}
}

// atOnce is how many partitions are read at the same time: decoding takes longer than fetching.
const atOnce = 4

// Each calls read with the number of each partition, some at the same time, until one fails.
func (r *Reader) Each(ctx context.Context, read func(ctx context.Context, partition int) error) error {
	numbers, err := r.Numbers(ctx)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, partition := range numbers {
		group.Go(func() error { return read(ctx, partition) })
	}
	return group.Wait()
}

// Numbers returns the numbers of the partitions, in order.
func (r *Reader) Numbers(ctx context.Context) ([]int, error) {
	return r.topics[r.lead].Partitions(ctx)
}

// Read calls visit with the records of a topic's partition that were written since a time, in order; the zero time: with all. A record's
// memory is its own only until visit returns. An error of visit ends it.
func (r *Reader) Read(ctx context.Context, topic string, partition int, since time.Time, visit func(kafka.Record) error) error {
	reader := r.topics[topic]
	ranges, err := reader.OffsetRangesSince(ctx, since, partition)
	if err != nil {
		return err
	}
	for record, err := range reader.Read(ctx, partition, ranges[partition]) {
		if err != nil {
			return err
		}
		if record.Time.Before(since) {
			continue
		}
		if err := visit(record); err != nil {
			return err
		}
	}
	return nil
}
