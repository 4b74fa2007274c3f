package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// TopicReader reads ranges and single records of a topic without a consumer group, such as to restore state from a changelog.
// It reads committed records only and retries for half a minute while brokers don't answer. It may be used by many
// goroutines.
type TopicReader struct {
	pool  *conn.Pool
	topic string
}

// NewTopicReader returns a reader of a topic. It connects on first use.
func NewTopicReader(cluster Cluster, topic string) (*TopicReader, error) {
	if err := cluster.Validate(); err != nil {
		return nil, fmt.Errorf("read topic %s: %w", topic, err)
	}
	return &TopicReader{pool: conn.Open(cluster, topic), topic: topic}, nil
}

// Close closes the connections.
func (r *TopicReader) Close() { r.pool.Close() }

// ClusterID returns the cluster's id.
func (r *TopicReader) ClusterID(ctx context.Context) (string, error) {
	var id string
	err := r.pool.Retry(ctx, func() error {
		answer, err := conn.Plain(r.pool.Client().Metadata(ctx, &kafka.MetadataRequest{Topics: []string{r.topic}}))
		if err == nil {
			id = answer.ClusterID
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("fetch cluster id: %w", err)
	}
	return id, nil
}

// Config returns a setting of the topic as brokers spell it; "" if they don't know it.
func (r *TopicReader) Config(ctx context.Context, key string) (string, error) {
	var value string
	err := r.pool.Retry(ctx, func() error {
		configs, without, err := r.pool.TopicConfigs(ctx, r.topic)
		value = configs[r.topic][key]
		if len(without) > 0 {
			err = r.pool.Denied(conn.TopicRight(conn.OperationDescribeConfigs, r.topic), kafka.TopicAuthorizationFailed)
		}
		return err
	})
	return value, err
}

// OffsetRanges returns what can be read of partitions now: from the log start to the last stable offset.
func (r *TopicReader) OffsetRanges(ctx context.Context, partitions ...int) (map[int]OffsetRange, error) {
	var ranges map[int]OffsetRange
	err := r.pool.Retry(ctx, func() error {
		found, err := r.pool.OffsetRanges(ctx, map[string][]int{r.topic: partitions})
		ranges = found[r.topic]
		return r.pool.Explain(err, conn.TopicRight(conn.OperationRead, r.topic))
	})
	if err != nil {
		return nil, fmt.Errorf("fetch offsets of topic %s: %w", r.topic, err)
	}
	for _, partition := range partitions {
		if _, ok := ranges[partition]; !ok {
			return nil, fmt.Errorf("topic %s has no partition %d", r.topic, partition)
		}
	}
	return ranges, nil
}

// Partitions returns the numbers of the topic's partitions, in order.
func (r *TopicReader) Partitions(ctx context.Context) ([]int, error) {
	return r.pool.Partitions(ctx, r.topic)
}

// OffsetRangesSince returns what OffsetRanges does, without what is before the first record with time since or later. The zero time leaves
// nothing out. Brokers find that record by the times in their index, so those of a partition need not be in order.
func (r *TopicReader) OffsetRangesSince(ctx context.Context, since time.Time, partitions ...int) (map[int]OffsetRange, error) {
	ranges, err := r.OffsetRanges(ctx, partitions...)
	if err != nil || since.IsZero() {
		return ranges, err
	}
	s := scanner{pool: r.pool, topic: r.topic, partitions: partitions, ranges: ranges}
	if err := s.startAt(ctx, since); err != nil {
		return nil, fmt.Errorf("read topic %s: %w", r.topic, err)
	}
	return s.ranges, nil
}

// Read yields the records of a range in order. It holds the records of one fetch response in memory. An error is the last
// thing it yields and means that the range is incomplete.
func (r *TopicReader) Read(ctx context.Context, partition int, part OffsetRange) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		_, err := readRange(ctx, r.pool, r.topic, partition, part, func(record Record) bool { return yield(record, nil) })
		if err != nil {
			yield(Record{}, fmt.Errorf("read partition %d of topic %s: %w", partition, r.topic, err))
		}
	}
}

// Record returns the record at an offset; ErrNoRecord if there is none any more.
func (r *TopicReader) Record(ctx context.Context, partition int, offset int64) (Record, error) {
	for record, err := range r.Records(ctx, partition, offset) {
		return record, err
	}
	return Record{}, ctx.Err()
}

// Records yields the records at offsets, which must be in order. It yields ErrNoRecord for an offset that has no record any
// more, and continues. Any other error is the last thing it yields, also for an offset beyond the end of the partition.
// Records that are close together are fetched by one request.
func (r *TopicReader) Records(ctx context.Context, partition int, offsets ...int64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		s := singleReader{TopicReader: r, partition: partition}
		for _, offset := range offsets {
			record, err := s.record(ctx, offset)
			if err != nil {
				err = fmt.Errorf("read record %d of partition %d of topic %s: %w", offset, partition, r.topic, err)
			}
			if !yield(record, err) || err != nil && !errors.Is(err, ErrNoRecord) {
				return
			}
		}
	}
}

// singleReader reads single records and keeps the last fetch response for the next one.
type singleReader struct {
	*TopicReader
	partition int
	from      int64 // the offset of the last fetch
	found     completedFetch
}

func (s *singleReader) record(ctx context.Context, offset int64) (Record, error) {
	if offset < s.from || offset >= s.found.next {
		if err := s.fetch(ctx, offset); err != nil {
			return Record{}, err
		}
	}
	at, ok := slices.BinarySearchFunc(s.found.records, offset, func(r Record, offset int64) int { return cmp.Compare(r.Offset, offset) })
	if !ok {
		return Record{}, ErrNoRecord
	}
	return s.found.records[at].Clone(), nil
}

// errBehind means that a broker returned nothing from an offset on. A new leader may know the high watermark late.
var errBehind = errors.New("the broker returned no records from this offset on")

// fetch fetches from an offset on. If the broker returns nothing it finds out from the partition's range whether the record
// was deleted.
func (s *singleReader) fetch(ctx context.Context, offset int64) error {
	err := s.fetchOnce(ctx, offset)
	if !errors.Is(err, errBehind) && !errors.Is(err, kafka.OffsetOutOfRange) {
		return err
	}
	ranges, failed := s.OffsetRanges(ctx, s.partition)
	switch readable := ranges[s.partition]; {
	case failed != nil:
		return failed
	case offset < readable.First:
		return ErrNoRecord
	case offset >= readable.End:
		return err
	}
	if err = s.fetchOnce(ctx, offset); errors.Is(err, errBehind) { // readable, and empty: all from the offset on was deleted
		return ErrNoRecord
	}
	return err
}

func (s *singleReader) fetchOnce(ctx context.Context, offset int64) error {
	found, err := fetchRecords(ctx, s.pool, wire.Partition{Topic: s.topic, ID: int32(s.partition)}, offset, singleFetchBytes)
	if err != nil {
		return err
	}
	if found.next <= offset {
		return errBehind
	}
	s.from, s.found = offset, found
	return nil
}
