package kafka

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
)

const (
	// scanPatience is how long a scan weathers brokers that don't answer before it gives up.
	scanPatience = 30 * time.Second
	// spotBytes is what is asked for where single records are wanted: a batch comes whole however large it is.
	spotBytes = 64 << 10
)

// ErrNoRecord says that a partition has no record at an offset: retention deleted it, it is yet to come, or the offset
// belongs to a transaction's marker.
var ErrNoRecord = errors.New("no record there")

// Scan reads a topic outside of any group, from the first record whose time is since or later (the zero time: from the
// first there is) to where its partitions ended when Scan began; records of a transaction that was still open then, and
// what lies behind them, come after that end. It goes partition by partition, each in order, and holds no more in memory
// than one fetch request's answer.
//
// An error is the last thing that Scan yields. It means that the scan is not complete: the topic does not exist, ctx ended,
// or the brokers did not answer for half a minute.
func Scan(ctx context.Context, cluster Cluster, topic string, since time.Time) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		err := scan(ctx, cluster, topic, since, func(r Record) bool { return yield(r, nil) })
		if err != nil {
			yield(Record{}, fmt.Errorf("scan topic %s: %w", topic, err))
		}
	}
}

// ReadRecord reads the record at one offset; ErrNoRecord when there is none.
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
	defer s.close()
	reach := s.bounds[partition]
	if offset < reach.first || offset >= reach.end {
		return Record{}, ErrNoRecord
	}
	found, err := s.fetchPatiently(ctx, topic, partition, offset, spotBytes)
	if err != nil {
		return Record{}, err
	}
	if len(found.records) == 0 || found.records[0].Offset != offset {
		return Record{}, ErrNoRecord
	}
	return found.records[0], nil
}

// scan visits records until it is told to stop, which is no error.
func scan(ctx context.Context, cluster Cluster, topic string, since time.Time, visit func(Record) bool) error {
	s, err := newScanner(ctx, cluster, topic)
	if err != nil {
		return err
	}
	defer s.close()
	if !since.IsZero() {
		if err := s.startAt(ctx, topic, since); err != nil {
			return err
		}
	}
	for _, partition := range s.partitions {
		visitLate := func(r Record) bool { return r.Time.Before(since) || visit(r) }
		more, err := s.scanPartition(ctx, topic, partition, visitLate)
		if err != nil {
			return fmt.Errorf("partition %d: %w", partition, err)
		}
		if !more {
			return nil
		}
	}
	return nil
}

// scanner knows what part of a topic there is to be read.
type scanner struct {
	*connections
	partitions []int
	bounds     map[int]reach
}

func newScanner(ctx context.Context, cluster Cluster, topic string) (*scanner, error) {
	if err := cluster.validate(); err != nil {
		return nil, err
	}
	s := &scanner{connections: cluster.connect(topic)}
	var err error
	if s.partitions, err = s.connections.partitions(ctx, topic); err != nil {
		s.close()
		return nil, err
	}
	err = s.weather(ctx, func() error {
		reaches, err := s.reaches(ctx, map[string][]int{topic: s.partitions})
		s.bounds = reaches[topic]
		return err
	})
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// startAt moves the beginning of each partition to its first record of that time or later.
func (s *scanner) startAt(ctx context.Context, topic string, since time.Time) error {
	request := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{}, IsolationLevel: kafka.ReadCommitted}
	for _, partition := range s.partitions {
		request.Topics[topic] = append(request.Topics[topic], kafka.TimeOffsetOf(partition, since))
	}
	return s.weather(ctx, func() error {
		answer, err := s.client().ListOffsets(ctx, request)
		if err != nil {
			return fmt.Errorf("list offsets: %w", err)
		}
		for _, p := range answer.Topics[topic] {
			if p.Error != nil {
				return fmt.Errorf("list offsets: %w", p.Error)
			}
			from := s.bounds[p.Partition]
			for offset := range p.Offsets { // one, -1 when there is no such record
				if offset < 0 {
					offset = from.end
				}
				from.first = max(from.first, offset)
			}
			s.bounds[p.Partition] = from
		}
		return nil
	})
}

// scanPartition visits a partition's records; more is false when it was told to stop.
func (s *scanner) scanPartition(ctx context.Context, topic string, partition int, visit func(Record) bool) (more bool, err error) {
	return s.readSpan(ctx, topic, partition, s.bounds[partition], visit)
}

// readSpan visits the records of a part of a partition; more is false when it was told to stop.
func (c *connections) readSpan(ctx context.Context, topic string, partition int, part reach, visit func(Record) bool) (more bool, err error) {
	next, end := part.first, part.end
	for next < end {
		found, err := c.fetchPatiently(ctx, topic, partition, next, fetchBytes)
		if err != nil {
			return false, err
		}
		next = found.next
		for _, record := range found.records {
			if record.Offset < end && !visit(record) {
				return false, nil
			}
		}
	}
	return true, nil
}

func (c *connections) fetchPatiently(ctx context.Context, topic string, partition int, offset int64, most int32) (chunk, error) {
	var found chunk
	err := c.weather(ctx, func() error {
		var err error
		found, err = c.fetch(ctx, topic, partition, offset, readWait, most)
		return err
	})
	return found, err
}

// weather asks again while what goes wrong may pass, for up to scanPatience.
func (c *connections) weather(ctx context.Context, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, scanPatience)
	defer cancel()
	pause := backoff{first: retryFirst, most: retryMost}
	for {
		err := ask()
		if err == nil || !transient(err) {
			return err
		}
		c.refresh()
		if !pause.wait(ctx) {
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// reach is the offsets that a partition has for a reader of what is committed: from first on, end excluded.
type reach struct{ first, end int64 }

// reaches asks for all partitions at once.
func (c *connections) reaches(ctx context.Context, partitions map[string][]int) (map[string]map[int]reach, error) {
	request := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{}, IsolationLevel: kafka.ReadCommitted}
	for topic, ids := range partitions {
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			request.Topics[topic] = append(request.Topics[topic], kafka.FirstOffsetOf(id), kafka.LastOffsetOf(id))
		}
	}
	answer, err := c.client().ListOffsets(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("list offsets: %w", err)
	}
	found := map[string]map[int]reach{}
	for topic, answers := range answer.Topics {
		found[topic] = map[int]reach{}
		for _, p := range answers {
			if p.Error != nil {
				return nil, fmt.Errorf("list offsets of partition %d of topic %s: %w", p.Partition, topic, p.Error)
			}
			found[topic][p.Partition] = reach{first: p.FirstOffset, end: p.LastOffset}
		}
	}
	return found, nil
}
