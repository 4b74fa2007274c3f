package kafka

import (
	"context"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// Skip gives a partition that has been written to a new producer id, and lets its batches go on at a sequence.
func (p *Producer) Skip(ctx context.Context, topic string, partition, sequence int32) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	at := wire.Partition{Topic: topic, ID: partition}
	leader, err := p.connections.leader(topic, partition)
	if err != nil {
		return err
	}
	box := p.boxes[at]
	id, err := p.ids.after(ctx, leader, box.id)
	box.id, box.sequence = id, sequence
	return err
}

// Sequence is that of a partition's next batch.
func (p *Producer) Sequence(topic string, partition int32) int32 {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.boxes[wire.Partition{Topic: topic, ID: partition}].sequence
}
