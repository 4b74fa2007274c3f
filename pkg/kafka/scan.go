package kafka

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// singleFetchBytes limits a fetch for single records. A batch comes whole however large it is.
const singleFetchBytes = 64 << 10

// ErrNoRecord means that a partition has no record at an offset: retention deleted it, it is not written yet, or the offset
// belongs to a transaction marker.
var ErrNoRecord = errors.New("no record at this offset")

// Scan reads a topic without a consumer group, from the first record with time since or later (the zero time: from the first
// record) to the end that its partitions had when Scan began. It reads committed records only: those of a transaction that
// was open then, and all behind them, are beyond that end. It reads one partition after the other, each in order, and holds
// the records of one fetch response in memory.
//
// An error is the last thing that Scan yields and means that the scan is incomplete: the topic does not exist, ctx ended, or
// the brokers did not answer for half a minute.
func Scan(ctx context.Context, cluster Cluster, topic string, since time.Time) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		err := scan(ctx, cluster, topic, since, func(r Record) bool { return yield(r, nil) })
		if err != nil {
			yield(Record{}, fmt.Errorf("scan topic %s: %w", topic, err))
		}
	}
}

// ReadRecord reads the record at one offset; ErrNoRecord if there is none.
func ReadRecord(ctx context.Context, cluster Cluster, topic string, partition int, offset int64) (Record, error) {
	record, err := readRecord(ctx, cluster, topic, partition, offset)
	if err != nil {
		return Record{}, fmt.Errorf("read record %d of partition %d of topic %s: %w", offset, partition, topic, err)
	}
	return record, nil
}

func readRecord(ctx context.Context, cluster Cluster, topic string, partition int, offset int64) (Record, error) {
	s, err := newScanner(ctx, cluster, topic)
	if err != nil {
		return Record{}, err
	}
	defer s.pool.Close()
	readable := s.ranges[partition]
	if offset < readable.First || offset >= readable.End {
		return Record{}, ErrNoRecord
	}
	found, err := fetchRecords(ctx, s.pool, wire.Partition{Topic: topic, ID: int32(partition)}, offset, singleFetchBytes)
	if err != nil {
		return Record{}, err
	}
	if len(found.records) == 0 || found.records[0].Offset != offset {
		return Record{}, ErrNoRecord
	}
	return found.records[0], nil
}

// scan calls visit with each record until visit returns false.
func scan(ctx context.Context, cluster Cluster, topic string, since time.Time, visit func(Record) bool) error {
	s, err := newScanner(ctx, cluster, topic)
	if err != nil {
		return err
	}
	defer s.pool.Close()
	if !since.IsZero() {
		if err := s.startAt(ctx, since); err != nil {
			return err
		}
	}
	for _, partition := range s.partitions {
		more, err := readRange(ctx, s.pool, topic, partition, s.ranges[partition], func(r Record) bool {
			return r.Time.Before(since) || visit(r)
		})
		if err != nil {
			return fmt.Errorf("partition %d: %w", partition, err)
		}
		if !more {
			return nil
		}
	}
	return nil
}

// scanner holds the range to read in each partition of a topic.
type scanner struct {
	pool       *conn.Pool
	topic      string
	partitions []int
	ranges     map[int]OffsetRange
}

func newScanner(ctx context.Context, cluster Cluster, topic string) (*scanner, error) {
	if err := cluster.Validate(); err != nil {
		return nil, err
	}
	s := &scanner{pool: conn.Open(cluster, topic), topic: topic}
	if err := s.readRanges(ctx); err != nil {
		s.pool.Close()
		return nil, err
	}
	return s, nil
}

func (s *scanner) readRanges(ctx context.Context) (err error) {
	if s.partitions, err = s.pool.Partitions(ctx, s.topic); err != nil {
		return err
	}
	return s.pool.Retry(ctx, func() error {
		ranges, err := s.pool.OffsetRanges(ctx, map[string][]int{s.topic: s.partitions})
		s.ranges = ranges[s.topic]
		return err
	})
}

// startAt moves the start of each partition to its first record with this time or later.
func (s *scanner) startAt(ctx context.Context, since time.Time) error {
	request := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{}, IsolationLevel: kafka.ReadCommitted}
	for _, partition := range s.partitions {
		request.Topics[s.topic] = append(request.Topics[s.topic], kafka.TimeOffsetOf(partition, since))
	}
	return s.pool.Retry(ctx, func() error {
		answer, err := conn.Plain(s.pool.Client().ListOffsets(ctx, request))
		if err != nil {
			return fmt.Errorf("list offsets: %w", err)
		}
		for _, p := range answer.Topics[s.topic] {
			if p.Error != nil {
				return fmt.Errorf("list offsets: %w", p.Error)
			}
			part := s.ranges[p.Partition]
			for offset := range p.Offsets { // one; -1 if there is no such record
				if offset < 0 {
					offset = part.End
				}
				part.First = max(part.First, offset)
			}
			s.ranges[p.Partition] = part
		}
		return nil
	})
}

// readRange calls visit with each record in a range of a partition. more is false if visit has returned false.
func readRange(ctx context.Context, pool *conn.Pool, topic string, partition int, part OffsetRange, visit func(Record) bool) (more bool, err error) {
	for next := part.First; next < part.End; {
		found, err := fetchRecords(ctx, pool, wire.Partition{Topic: topic, ID: int32(partition)}, next, conn.PartitionFetchBytes)
		if err != nil {
			return false, err
		}
		next = found.next
		for _, record := range found.records {
			if record.Offset < part.End && !visit(record) {
				return false, nil
			}
		}
	}
	return true, nil
}
