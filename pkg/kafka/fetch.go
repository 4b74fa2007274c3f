package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

const (
	fetchBytes = 1 << 20
	fetchGrace = 5 * time.Second
)

// span is some records of a partition and where to go on reading.
type span struct {
	records []Record
	next    int64
}

// fetch reads a partition from an offset on. It waits up to wait for the first record, and returns no records when none
// came. kafka-go's Reader and Client.Fetch are not used: the one panics on compacted topics
// (https://github.com/segmentio/kafka-go/issues/1393), the other hides where a batch without records ends.
func (c *connections) fetch(ctx context.Context, topic string, partition int, offset int64, wait time.Duration) (span, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+fetchGrace)
	defer cancel()
	answer, err := c.transport.RoundTrip(ctx, c.addr, fetchRequest(topic, partition, offset, wait))
	if err != nil {
		return span{}, fmt.Errorf("fetch: %w", err)
	}
	response, ok := answer.(*fetch.Response)
	if !ok || len(response.Topics) == 0 || len(response.Topics[0].Partitions) == 0 {
		return span{}, errors.New("fetch: the broker's answer lacks the partition")
	}
	part := response.Topics[0].Partitions[0]
	for _, code := range []int16{response.ErrorCode, part.ErrorCode} {
		if code != 0 {
			return span{}, fmt.Errorf("fetch: %w", kafka.Error(code))
		}
	}
	return decode(topic, partition, offset, part.RecordSet.Records)
}

func fetchRequest(topic string, partition int, offset int64, wait time.Duration) *fetch.Request {
	return &fetch.Request{
		ReplicaID:    -1,
		MaxWaitTime:  int32(wait.Milliseconds()),
		MinBytes:     1,
		MaxBytes:     fetchBytes,
		SessionEpoch: -1, // no fetch session
		Topics: []fetch.RequestTopic{{
			Topic: topic,
			Partitions: []fetch.RequestPartition{{
				Partition:          int32(partition),
				CurrentLeaderEpoch: -1,
				FetchOffset:        offset,
				LogStartOffset:     -1,
				PartitionMaxBytes:  fetchBytes,
			}},
		}},
	}
}

// decode copies the records from offset on. A broker answers in whole batches: what lies before offset is passed over.
// When batches came but none has a record from offset on (transaction markers, what compaction emptied), offset itself
// holds none: reading goes on behind it.
func decode(topic string, partition int, offset int64, set protocol.RecordReader) (span, error) {
	found := span{next: offset}
	stream, ok := set.(*protocol.RecordStream)
	if !ok || len(stream.Records) == 0 {
		return found, nil
	}
	for {
		record, err := stream.ReadRecord()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return span{}, fmt.Errorf("decode records of partition %d of topic %s: %w", partition, topic, err)
		}
		copied, err := copyOf(record)
		if err != nil {
			return span{}, fmt.Errorf("decode record %d of partition %d of topic %s: %w", record.Offset, partition, topic, err)
		}
		if copied.Offset < offset {
			continue
		}
		copied.Topic, copied.Partition = topic, partition
		found.records = append(found.records, copied)
		found.next = copied.Offset + 1
	}
	if found.next == offset {
		found.next++
	}
	return found, nil
}

// copyOf takes a record out of kafka-go's pages and gives those back.
func copyOf(record *protocol.Record) (Record, error) {
	copied := Record{Offset: record.Offset, Time: record.Time.UTC()}
	var err error
	if copied.Key, err = bytesOf(record.Key); err != nil {
		return Record{}, err
	}
	if copied.Value, err = bytesOf(record.Value); err != nil {
		return Record{}, err
	}
	for _, h := range record.Headers {
		copied.Headers = append(copied.Headers, Header{Key: h.Key, Value: h.Value})
	}
	return copied, nil
}

func bytesOf(b protocol.Bytes) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	content, err := protocol.ReadAll(b)
	return content, errors.Join(err, b.Close())
}

// bounds returns the first offset that a partition still has, and the one its next record will get.
func (c *connections) bounds(ctx context.Context, topic string, partition int) (first, end int64, err error) {
	answer, err := c.client().ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
		topic: {kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition)},
	}})
	if err != nil {
		return 0, 0, fmt.Errorf("list offsets: %w", err)
	}
	for _, p := range answer.Topics[topic] {
		if p.Partition != partition {
			continue
		}
		if p.Error != nil {
			return 0, 0, fmt.Errorf("list offsets: %w", p.Error)
		}
		return p.FirstOffset, p.LastOffset, nil
	}
	return 0, 0, errors.New("list offsets: the broker's answer lacks the partition")
}
