package kafka

import (
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// messagesOf turns records into what kafka-go sends.
func messagesOf(records []Record) ([]kafka.Message, error) {
	messages := make([]kafka.Message, 0, len(records))
	for i, record := range records {
		if err := record.producible(); err != nil {
			return nil, fmt.Errorf("record %d of %d: %w", i+1, len(records), err)
		}
		headers := make([]kafka.Header, 0, len(record.Headers))
		for _, h := range record.Headers {
			headers = append(headers, kafka.Header{Key: h.Key, Value: h.Value})
		}
		messages = append(messages, kafka.Message{
			Topic:      record.Topic,
			Key:        record.Key,
			Value:      record.Value,
			Headers:    headers,
			Time:       record.Time,
			WriterData: chosen(record.Partition),
		})
	}
	return messages, nil
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

// Size is what the record counts against MaxRecordBytes: what kafka-go counts, rounded up, since lengths, time and
// checksum take some bytes each.
func (r Record) Size() int {
	const frame, headerFrame = 64, 16
	weight := frame + len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		weight += headerFrame + len(h.Key) + len(h.Value)
	}
	return weight
}

// chosen is the partition a record asks for, carried through kafka-go to the partitioner.
type chosen int

// placed is a chosen partition, and counts the messages of a call that got theirs: when all have, kafka-go queues them.
type placed struct {
	chosen
	count *int
}

func partitionOf(message kafka.Message) int {
	switch partition := message.WriterData.(type) {
	case chosen:
		return int(partition)
	case placed:
		return int(partition.chosen)
	}
	return ByKey
}

// partitioner takes the partition that a record asks for, and else hashes its key as Java's default partitioner does.
type partitioner struct{}

// Balance returns the partition of a message.
func (partitioner) Balance(message kafka.Message, partitions ...int) int {
	if p, ok := message.WriterData.(placed); ok {
		*p.count++
	}
	if partition := partitionOf(message); partition != ByKey {
		return partition
	}
	return kafka.Murmur2Balancer{}.Balance(message, partitions...)
}
