package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// decode returns what a partition's answer has from an offset on. Records share the answer's memory.
func decode(answer wire.FetchAnswer, offset int64) (chunk, error) {
	found := chunk{size: len(answer.Set)}
	var err error
	found.next, err = batch.Decode(answer.Set, offset, answer.Aborted, func(r batch.Record) {
		found.records = append(found.records, Record{
			Topic: answer.Topic, Partition: int(answer.ID), Offset: r.Offset,
			Key: r.Key, Value: r.Value, Headers: r.Headers, Time: time.UnixMilli(r.Time).UTC(),
		})
	})
	unpacked := 0
	for _, r := range found.records {
		unpacked += r.Size()
	}
	found.size = max(found.size, unpacked)
	if err != nil {
		return chunk{}, fmt.Errorf("decode records of partition %d of topic %s: %w", answer.ID, answer.Topic, err)
	}
	return found, nil
}

// fetch reads one partition from an offset on, committed records only, about so many bytes at most. It waits up to wait for
// the first record, and returns no records when none came.
func (c *connections) fetch(ctx context.Context, topic string, partition int, offset int64, wait time.Duration, most int32) (chunk, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+fetchGrace)
	defer cancel()
	if _, err := c.layout(ctx); err != nil {
		return chunk{}, err
	}
	leader, err := c.leader(topic, int32(partition))
	if err != nil {
		return chunk{}, fmt.Errorf("fetch: %w", err)
	}
	answers, err := wire.Fetch(ctx, c.transport, c.addr, wire.FetchRequest{
		Broker: leader, ClientID: c.clientID(), Wait: wait, MaxBytes: answerBytes, ReadCommitted: true,
		Partitions: []wire.FetchPartition{{
			Partition: wire.Partition{Topic: topic, ID: int32(partition)}, Offset: offset, MaxBytes: most,
		}},
	})
	if err != nil {
		return chunk{}, fmt.Errorf("fetch: %w", err)
	}
	if len(answers) != 1 {
		return chunk{}, fmt.Errorf("fetch: %w", errNoAnswer)
	}
	if code := answers[0].Code; code != 0 {
		return chunk{}, fmt.Errorf("fetch: %w", kafka.Error(code))
	}
	return decode(answers[0], offset)
}

// bounds returns the first offset that a partition still has, and the one behind the last that may be read.
func (c *connections) bounds(ctx context.Context, topic string, partition int) (first, end int64, err error) {
	answer, err := c.client().ListOffsets(ctx, &kafka.ListOffsetsRequest{IsolationLevel: kafka.ReadCommitted, Topics: map[string][]kafka.OffsetRequest{
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
