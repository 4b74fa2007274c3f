package conn

import (
	"context"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go"
)

// OffsetRange is a range of offsets in a partition: from First on, End excluded.
type OffsetRange struct{ First, End int64 }

// OffsetRange returns the offsets that a consumer of committed records can read from a partition: from the log start to the
// last stable offset.
func (p *Pool) OffsetRange(ctx context.Context, topic string, partition int) (OffsetRange, error) {
	ranges, err := p.OffsetRanges(ctx, map[string][]int{topic: {partition}})
	if err != nil {
		return OffsetRange{}, err
	}
	found, ok := ranges[topic][partition]
	if !ok {
		return OffsetRange{}, fmt.Errorf("list offsets: %w", ErrMissingPartition)
	}
	return found, nil
}

// OffsetRanges is OffsetRange for many partitions in one request.
func (p *Pool) OffsetRanges(ctx context.Context, partitions map[string][]int) (map[string]map[int]OffsetRange, error) {
	request := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{}, IsolationLevel: kafka.ReadCommitted}
	for topic, ids := range partitions {
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			request.Topics[topic] = append(request.Topics[topic], kafka.FirstOffsetOf(id), kafka.LastOffsetOf(id))
		}
	}
	answer, err := Plain(p.Client().ListOffsets(ctx, request))
	if err != nil {
		return nil, fmt.Errorf("list offsets: %w", err)
	}
	found := map[string]map[int]OffsetRange{}
	for topic, answers := range answer.Topics {
		found[topic] = map[int]OffsetRange{}
		for _, a := range answers {
			if a.Error != nil {
				return nil, fmt.Errorf("list offsets of partition %d of topic %s: %w", a.Partition, topic, a.Error)
			}
			found[topic][a.Partition] = OffsetRange{First: a.FirstOffset, End: a.LastOffset}
		}
	}
	return found, nil
}
