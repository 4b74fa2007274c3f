package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/offsetcommit"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// membership is who commits: a member in a generation of a group.
type membership struct {
	group      string
	member     string
	generation int32
}

// committed is a group's offset in a partition and what was written beside it.
type committed struct {
	offset   int64 // below zero when there is none
	metadata string
}

// fetchOffsets returns a group's offsets.
func (c *connections) fetchOffsets(ctx context.Context, group string, partitions []wire.Partition) (map[wire.Partition]committed, error) {
	request := &offsetfetch.Request{GroupID: group}
	for topic, ids := range idsByTopic(partitions) {
		request.Topics = append(request.Topics, offsetfetch.RequestTopic{Name: topic, PartitionIndexes: ids})
	}
	answer, err := c.coordinate(ctx, ofGroup(group), request)
	if err != nil {
		return nil, fmt.Errorf("fetch offsets: %w", err)
	}
	response, ok := answer.(*offsetfetch.Response)
	if !ok {
		return nil, errors.New("fetch offsets: the answer is to another request")
	}
	if err := c.groupError(group, response.ErrorCode); err != nil {
		return nil, fmt.Errorf("fetch offsets: %w", err)
	}
	found := make(map[wire.Partition]committed)
	for _, topic := range response.Topics {
		for _, p := range topic.Partitions {
			if err := c.groupError(group, p.ErrorCode); err != nil {
				return nil, fmt.Errorf("fetch offset of partition %d of topic %s: %w", p.PartitionIndex, topic.Name, err)
			}
			found[wire.Partition{Topic: topic.Name, ID: p.PartitionIndex}] = committed{offset: p.CommittedOffset, metadata: p.Metadata}
		}
	}
	if len(found) < len(partitions) {
		return nil, errors.New("fetch offsets: the broker's answer lacks partitions")
	}
	return found, nil
}

// commitOffsets commits. The error is that of the first partition that has one; those before it are committed.
func (c *connections) commitOffsets(ctx context.Context, by membership, offsets map[wire.Partition]committed) error {
	topics := make(map[string][]offsetcommit.RequestPartition)
	for at, o := range offsets {
		topics[at.Topic] = append(topics[at.Topic], offsetcommit.RequestPartition{
			PartitionIndex: at.ID, CommittedOffset: o.offset, CommittedLeaderEpoch: noID, CommittedMetadata: o.metadata,
		})
	}
	request := &offsetcommit.Request{GroupID: by.group, GenerationID: by.generation, MemberID: by.member, RetentionTimeMs: noID}
	for topic, partitions := range topics {
		request.Topics = append(request.Topics, offsetcommit.RequestTopic{Name: topic, Partitions: partitions})
	}
	answer, err := c.coordinate(ctx, ofGroup(by.group), request)
	if err != nil {
		return fmt.Errorf("commit offsets: %w", err)
	}
	response, ok := answer.(*offsetcommit.Response)
	if !ok {
		return errors.New("commit offsets: the answer is to another request")
	}
	for _, topic := range response.Topics {
		for _, p := range topic.Partitions {
			if err := c.groupError(by.group, p.ErrorCode); err != nil {
				return fmt.Errorf("commit offset of partition %d of topic %s: %w", p.PartitionIndex, topic.Name, err)
			}
		}
	}
	return nil
}

// groupError turns a code into an error, and forgets the coordinator if that is what it means.
func (c *connections) groupError(group string, code int16) error {
	if code == 0 {
		return nil
	}
	if coordinatorMoved(kafka.Error(code)) {
		c.forgetCoordinator(ofGroup(group))
	}
	return kafka.Error(code)
}

func idsByTopic(partitions []wire.Partition) map[string][]int32 {
	topics := make(map[string][]int32)
	for _, p := range partitions {
		topics[p.Topic] = append(topics[p.Topic], p.ID)
	}
	return topics
}
