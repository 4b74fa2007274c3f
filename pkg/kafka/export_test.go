package kafka

import (
	"context"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// Skip sets a new producer id and the next sequence of a partition that has been written to.
func (p *Producer) Skip(ctx context.Context, topic string, partition, sequence int32) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	at := wire.Partition{Topic: topic, ID: partition}
	leader, err := p.pool.Leader(topic, partition)
	if err != nil {
		return err
	}
	q := p.queues[at]
	id, err := p.ids.replace(ctx, leader, q.producerID)
	q.producerID, q.sequence = id, sequence
	return err
}

// Sequence returns the sequence of a partition's next batch.
func (p *Producer) Sequence(topic string, partition int32) int32 {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.queues[wire.Partition{Topic: topic, ID: partition}].sequence
}
