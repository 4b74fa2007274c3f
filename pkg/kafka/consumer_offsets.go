package kafka

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/offsetcommit"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// groupMember identifies a member in a generation of a group.
type groupMember struct {
	group      string
	member     string
	generation int32
}

// committed is a group's committed offset of a partition, with its metadata.
type committed struct {
	offset   int64 // below zero if there is none
	metadata string
}

// fetchOffsets returns a group's committed offsets.
func fetchOffsets(ctx context.Context, pool *conn.Pool, group string, partitions []wire.Partition) (map[wire.Partition]committed, error) {
	request := &offsetfetch.Request{GroupID: group}
	for topic, ids := range idsByTopic(partitions) {
		request.Topics = append(request.Topics, offsetfetch.RequestTopic{Name: topic, PartitionIndexes: ids})
	}
	answer, err := pool.SendToCoordinator(ctx, conn.GroupKey(group), request)
	if err != nil {
		return nil, fmt.Errorf("fetch offsets: %w", pool.Explain(err, conn.GroupRight(group)))
	}
	response, ok := answer.(*offsetfetch.Response)
	if !ok {
		return nil, fmt.Errorf("fetch offsets: %w", conn.ErrUnexpectedResponse)
	}
	if err := groupError(pool, group, response.ErrorCode); err != nil {
		return nil, fmt.Errorf("fetch offsets: %w", err)
	}
	found, err := committedIn(pool, group, response)
	if err == nil && len(found) < len(partitions) {
		err = fmt.Errorf("fetch offsets: %w", conn.ErrMissingPartition)
	}
	return found, err
}

func noOffsets(partitions []wire.Partition) map[wire.Partition]committed {
	none := make(map[wire.Partition]committed)
	for _, at := range partitions {
		none[at] = committed{offset: noID}
	}
	return none
}

func committedIn(pool *conn.Pool, group string, response *offsetfetch.Response) (map[wire.Partition]committed, error) {
	found := make(map[wire.Partition]committed)
	for _, topic := range response.Topics {
		for _, p := range topic.Partitions {
			if err := pool.Explain(groupError(pool, group, p.ErrorCode), conn.TopicRight(conn.OperationRead, topic.Name)); err != nil {
				return nil, fmt.Errorf("fetch offset of partition %d of topic %s: %w", p.PartitionIndex, topic.Name, err)
			}
			found[wire.Partition{Topic: topic.Name, ID: p.PartitionIndex}] = committed{offset: p.CommittedOffset, metadata: p.Metadata}
		}
	}
	return found, nil
}

// commitOffsets commits offsets. The error is that of the first partition that failed; others may be committed.
func commitOffsets(ctx context.Context, pool *conn.Pool, by groupMember, offsets map[wire.Partition]committed) error {
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
	answer, err := pool.SendToCoordinator(ctx, conn.GroupKey(by.group), request)
	if err != nil {
		return fmt.Errorf("commit offsets: %w", pool.Explain(err, conn.GroupRight(by.group)))
	}
	response, ok := answer.(*offsetcommit.Response)
	if !ok {
		return fmt.Errorf("commit offsets: %w", conn.ErrUnexpectedResponse)
	}
	for _, topic := range response.Topics {
		for _, p := range topic.Partitions {
			if err := pool.Explain(groupError(pool, by.group, p.ErrorCode), conn.TopicRight(conn.OperationRead, topic.Name)); err != nil {
				return fmt.Errorf("commit offset of partition %d of topic %s: %w", p.PartitionIndex, topic.Name, err)
			}
		}
	}
	return nil
}

// groupError returns the error of a code, nil for none. If the coordinator has moved it is forgotten.
func groupError(pool *conn.Pool, group string, code int16) error {
	if code == 0 {
		return nil
	}
	if conn.CoordinatorMoved(kafka.Error(code)) {
		pool.ForgetCoordinator(conn.GroupKey(group))
	}
	return pool.Explain(kafka.Error(code), conn.GroupRight(group))
}

func idsByTopic(partitions []wire.Partition) map[string][]int32 {
	topics := make(map[string][]int32)
	for _, p := range partitions {
		topics[p.Topic] = append(topics[p.Topic], p.ID)
	}
	return topics
}
