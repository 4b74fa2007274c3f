package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/segmentio/kafka-go"
)

// TopicReader reads parts of one topic's partitions outside of any group, for whoever keeps a copy of them. It reads what
// is committed only, and weathers brokers that don't answer for half a minute. It may be used by several goroutines.
type TopicReader struct {
	connections *connections
	topic       string
}

// Span is a part of a partition, or all that a reader of what is committed can get of it: from First on, End excluded.
type Span struct{ First, End int64 }

// NewTopicReader returns a reader of a topic. It dials on first use.
func NewTopicReader(cluster Cluster, topic string) (*TopicReader, error) {
	if err := cluster.validate(); err != nil {
		return nil, fmt.Errorf("read topic %s: %w", topic, err)
	}
	return &TopicReader{connections: cluster.connect(topic), topic: topic}, nil
}

// Close ends the connections.
func (r *TopicReader) Close() { r.connections.close() }

// ClusterID returns the id that the brokers' cluster gave itself.
func (r *TopicReader) ClusterID(ctx context.Context) (string, error) {
	var id string
	err := r.connections.weather(ctx, func() error {
		answer, err := r.connections.client().Metadata(ctx, &kafka.MetadataRequest{Topics: []string{r.topic}})
		if err == nil {
			id = answer.ClusterID
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("ask for the cluster's id: %w", err)
	}
	return id, nil
}

// Setting returns one of the topic's settings, as brokers spell it; "" for one that they don't know.
func (r *TopicReader) Setting(ctx context.Context, key string) (string, error) {
	var value string
	err := r.connections.weather(ctx, func() error {
		configs, err := r.connections.configs(ctx, []string{r.topic})
		value = configs[r.topic][key]
		return err
	})
	return value, err
}

// Spans returns what can be read of partitions now.
func (r *TopicReader) Spans(ctx context.Context, partitions ...int) (map[int]Span, error) {
	spans := make(map[int]Span, len(partitions))
	err := r.connections.weather(ctx, func() error {
		reaches, err := r.connections.reaches(ctx, map[string][]int{r.topic: partitions})
		for partition, found := range reaches[r.topic] {
			spans[partition] = Span{First: found.first, End: found.end}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ask how far topic %s reaches: %w", r.topic, err)
	}
	for _, partition := range partitions {
		if _, ok := spans[partition]; !ok {
			return nil, fmt.Errorf("topic %s has no partition %d", r.topic, partition)
		}
	}
	return spans, nil
}

// Read yields the records of a part of a partition, in order, holding no more in memory than one fetch request's answer. An
// error is the last thing it yields, and means that there would be more.
func (r *TopicReader) Read(ctx context.Context, partition int, part Span) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		_, err := r.connections.readSpan(ctx, r.topic, partition, reach{part.First, part.End}, func(record Record) bool {
			return yield(record, nil)
		})
		if err != nil {
			yield(Record{}, fmt.Errorf("read partition %d of topic %s: %w", partition, r.topic, err))
		}
	}
}

// Record returns the record at an offset, ErrNoRecord when there is none any more.
func (r *TopicReader) Record(ctx context.Context, partition int, offset int64) (Record, error) {
	for record, err := range r.Records(ctx, partition, offset) {
		return record, err
	}
	return Record{}, ctx.Err()
}

// Records yields the records at offsets, which are in order: ErrNoRecord where there is none any more, and then it goes on.
// Any other error is the last thing it yields; so is that of an offset which the broker has nothing at yet. Records that lie
// close together come by one request.
func (r *TopicReader) Records(ctx context.Context, partition int, offsets ...int64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		s := spot{TopicReader: r, partition: partition}
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

// spot is what a request for single records has brought.
type spot struct {
	*TopicReader
	partition int
	from      int64
	found     chunk
}

func (s *spot) record(ctx context.Context, offset int64) (Record, error) {
	if offset < s.from || offset >= s.found.next {
		if err := s.fetch(ctx, offset); err != nil {
			return Record{}, err
		}
	}
	at, ok := slices.BinarySearchFunc(s.found.records, offset, func(r Record, offset int64) int { return cmp.Compare(r.Offset, offset) })
	if !ok {
		return Record{}, ErrNoRecord
	}
	return s.found.records[at].clone(), nil
}

// errBehind is about a broker that lacks what others may have: a new leader learns only by and by what all have.
var errBehind = errors.New("the broker has nothing there yet")

// fetch reads what is at an offset or behind it.
func (s *spot) fetch(ctx context.Context, offset int64) error {
	err := s.once(ctx, offset)
	if !errors.Is(err, errBehind) && !errors.Is(err, kafka.OffsetOutOfRange) {
		return err
	}
	spans, failed := s.Spans(ctx, s.partition)
	switch span := spans[s.partition]; {
	case failed != nil:
		return failed
	case offset < span.First:
		return ErrNoRecord
	case offset >= span.End:
		return err
	}
	if err = s.once(ctx, offset); errors.Is(err, errBehind) { // though it may be read up to there: all from it on is gone
		return ErrNoRecord
	}
	return err
}

func (s *spot) once(ctx context.Context, offset int64) error {
	found, err := s.connections.fetchPatiently(ctx, s.topic, s.partition, offset, spotBytes)
	if err != nil {
		return err
	}
	if found.next <= offset {
		return errBehind
	}
	s.from, s.found = offset, found
	return nil
}
