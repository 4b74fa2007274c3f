package conn

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// Unended returns the partitions of topics in which a transaction of a producer has not ended. Topics that do not exist, or that this client
// may not know, are left out.
func (p *Pool) Unended(ctx context.Context, topics []string, producerID int64) ([]wire.Partition, error) {
	cluster, err := p.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	byLeader := map[int32][]wire.Partition{}
	for _, topic := range topics {
		for _, partition := range cluster.Topics[topic].Partitions {
			if partition.Leader < 0 {
				return nil, fmt.Errorf("partition %d of topic %s: %w", partition.ID, topic, kafka.LeaderNotAvailable)
			}
			byLeader[partition.Leader] = append(byLeader[partition.Leader], wire.Partition{Topic: topic, ID: partition.ID})
		}
	}
	var unended []wire.Partition
	for leader, partitions := range byLeader {
		open, err := p.unendedOf(ctx, leader, partitions, producerID)
		if err != nil {
			return nil, err
		}
		unended = append(unended, open...)
	}
	return unended, nil
}

// unendedOf reads what is behind the last stable offset of each of a leader's partitions: it may be of other producers.
func (p *Pool) unendedOf(ctx context.Context, leader int32, partitions []wire.Partition, producerID int64) (unended []wire.Partition, err error) {
	stable, err := p.endOffsets(ctx, leader, partitions, true)
	if err != nil {
		return nil, err
	}
	ends, err := p.endOffsets(ctx, leader, partitions, false)
	if err != nil {
		return nil, err
	}
	for at, end := range ends {
		last, found := stable[at]
		if !found || last >= end {
			continue
		}
		open, err := p.isOpen(ctx, leader, at, last, producerID)
		if err != nil {
			return nil, err
		}
		if open {
			unended = append(unended, at)
		}
	}
	return unended, nil
}

// isOpen reports whether a producer's last batch from an offset on is one of records, not the end of a transaction.
func (p *Pool) isOpen(ctx context.Context, leader int32, at wire.Partition, offset, producerID int64) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchWait+FetchGrace)
	defer cancel()
	answers, err := wire.Fetch(ctx, p.transport, p.addr, wire.FetchRequest{
		ClientID: p.transport.ClientID, Broker: leader, Wait: fetchWait, MaxBytes: FetchBytes,
		Partitions: []wire.FetchPartition{{Partition: at, Offset: offset, MaxBytes: FetchBytes}},
	})
	switch {
	case err != nil:
		return false, fmt.Errorf("fetch: %w", err)
	case len(answers) != 1:
		return false, fmt.Errorf("fetch: %w", ErrMissingPartition)
	case kafka.Error(answers[0].Code) == kafka.TopicAuthorizationFailed: // may be written only: a marker more does no harm
		return true, nil
	case answers[0].Code != 0:
		return false, fmt.Errorf("fetch: %w", kafka.Error(answers[0].Code))
	}
	return batch.Open(answers[0].Set, producerID), nil
}

// endOffsets returns the ends of a leader's partitions, without those that this client may not describe.
func (p *Pool) endOffsets(ctx context.Context, leader int32, partitions []wire.Partition, stable bool) (map[wire.Partition]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, coordinatorTimeout)
	defer cancel()
	answers, err := wire.EndOffsets(ctx, p.transport, p.addr, leader, partitions, stable)
	if err != nil {
		return nil, fmt.Errorf("list offsets: %w", err)
	}
	ends := map[wire.Partition]int64{}
	for _, a := range answers {
		switch code := kafka.Error(a.Code); code {
		case 0:
			ends[a.Partition] = a.Offset
		case kafka.TopicAuthorizationFailed:
		default:
			return nil, fmt.Errorf("list offsets of partition %d of topic %s: %w", a.ID, a.Topic, code)
		}
	}
	return ends, nil
}
