package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// produceBuffers holds encoders and requests whose memory is reused.
type produceBuffers struct {
	encoders []*batch.Encoder
	requests map[int32]*[]byte // by leader
}

// bufferPool lends buffers to the transactions that are being written. These are fewer than the partitions of a process, and none when
// there is nothing to do: then the memory is freed.
type bufferPool struct{ pool sync.Pool }

func (p *bufferPool) take() *produceBuffers {
	if b, ok := p.pool.Get().(*produceBuffers); ok {
		return b
	}
	return &produceBuffers{requests: make(map[int32]*[]byte)}
}

func (p *bufferPool) giveBack(b *produceBuffers) { p.pool.Put(b) }

// encoder returns the encoder of the batch with an index in its request.
func (b *produceBuffers) encoder(i int) *batch.Encoder {
	if i == len(b.encoders) {
		b.encoders = append(b.encoders, &batch.Encoder{})
	}
	return b.encoders[i]
}

// request returns the buffer of the last request to a leader.
func (b *produceBuffers) request(leader int32) *[]byte {
	if b.requests[leader] == nil {
		b.requests[leader] = new([]byte)
	}
	return b.requests[leader]
}

// minBatchBytes is the smallest limit that batches are reduced to after a broker has rejected one as too large.
const minBatchBytes = 1 << 10

// produce writes a transaction's records, in order in each partition. A request has at most one batch of each partition, and one
// request is in flight to a broker at a time: of several, brokers rejected some (NOT_ENOUGH_REPLICAS, seen on 4.3).
func (t *txnManager) produce(ctx context.Context, partitions []wire.Partition, records []Record) error {
	ctx, cancel := context.WithTimeout(ctx, requestRetryTimeout)
	defer cancel()
	buffers := t.buffers.take()
	defer t.buffers.giveBack(buffers)
	maxBytes := cmp.Or(t.maxBytes, maxBatchBytes)
	for _, round := range rounds(partitions, records, maxBytes) {
		batches, err := t.encode(round, records, buffers)
		if err != nil {
			return err
		}
		err = t.write(ctx, batches, buffers)
		if errors.Is(err, ErrTooLarge) {
			t.maxBytes = max(min(maxBytes, largest(round))/2, minBatchBytes)
		}
		if err != nil {
			return err
		}
		for i, b := range batches {
			t.sequences[b.Partition] = int32((int64(t.sequences[b.Partition]) + int64(len(round[i].indexes))) & math.MaxInt32)
		}
	}
	return nil
}

// partitionBatch is the records of one batch.
type partitionBatch struct {
	wire.Partition
	indexes []int // of the records
	size    int
}

// rounds divides records into batches. The first batch of each partition is in the first round, and so on.
func rounds(at []wire.Partition, records []Record, maxBytes int) [][]partitionBatch {
	type position struct{ round, index int }
	var all [][]partitionBatch
	last := make(map[wire.Partition]position)
	for i, r := range records {
		size := r.Size()
		p, begun := last[at[i]]
		if begun && all[p.round][p.index].size+size > maxBytes {
			p.round, begun = p.round+1, false
		}
		if !begun {
			if p.round == len(all) {
				all = append(all, nil)
			}
			all[p.round] = append(all[p.round], partitionBatch{Partition: at[i]})
			p.index = len(all[p.round]) - 1
			last[at[i]] = p
		}
		b := &all[p.round][p.index]
		b.indexes = append(b.indexes, i)
		b.size += size
	}
	return all
}

// largest returns the size of the largest batch.
func largest(round []partitionBatch) int {
	size := 0
	for _, b := range round {
		size = max(size, b.size)
	}
	return size
}

func (t *txnManager) encode(round []partitionBatch, records []Record, buffers *produceBuffers) ([]wire.ProduceBatch, error) {
	now := time.Now()
	batches := make([]wire.ProduceBatch, len(round))
	for i, b := range round {
		encoder := buffers.encoder(i)
		encoder.Reset(t.compression.codec(), compressFrom)
		for _, index := range b.indexes {
			encoder.Add(records[index].batchRecord(now))
		}
		bytes, err := encoder.Finish(batch.Producer{
			ID: t.producerID.id, Epoch: t.producerID.epoch, Sequence: t.sequences[b.Partition], Transactional: true,
		})
		if err != nil {
			return nil, fmt.Errorf("encode outputs: %w", err)
		}
		batches[i] = wire.ProduceBatch{Partition: b.Partition, Bytes: bytes}
	}
	return batches, nil
}

// write sends batches to their leaders until all are written. Brokers detect a batch that is sent twice by its sequence.
func (t *txnManager) write(ctx context.Context, batches []wire.ProduceBatch, buffers *produceBuffers) error {
	left := slices.Clone(batches)
	backoff := conn.Backoff{First: concurrentFirst, Max: time.Second}
	for {
		retry, err := t.writeOnce(ctx, left, buffers)
		if err != nil || len(retry) == 0 {
			return err
		}
		left = retry
		if !backoff.Wait(ctx) {
			return fmt.Errorf("write outputs: %w", ctx.Err())
		}
		t.pool.RefreshMetadata(ctx)
	}
}

// writeOnce sends batches to their leaders once and returns those to retry.
func (t *txnManager) writeOnce(ctx context.Context, batches []wire.ProduceBatch, buffers *produceBuffers) ([]wire.ProduceBatch, error) {
	byLeader := make(map[int32][]wire.ProduceBatch)
	var retry []wire.ProduceBatch
	for _, b := range batches {
		leader, err := t.pool.Leader(b.Topic, b.ID)
		if err != nil {
			retry = append(retry, b)
			continue
		}
		byLeader[leader] = append(byLeader[leader], b)
	}
	results := make(chan []wire.ProduceBatch, len(byLeader))
	var leaders errgroup.Group
	for leader, batches := range byLeader {
		buffer := buffers.request(leader)
		leaders.Go(func() error {
			left, err := t.writeTo(ctx, leader, batches, buffer)
			results <- left
			return err
		})
	}
	err := leaders.Wait()
	close(results)
	for left := range results {
		retry = append(retry, left...)
	}
	return retry, err
}

// writeTo sends batches to a leader and returns those to retry.
func (t *txnManager) writeTo(ctx context.Context, leader int32, batches []wire.ProduceBatch, buffer *[]byte) ([]wire.ProduceBatch, error) {
	ctx, cancel := context.WithTimeout(ctx, produceTimeout)
	defer cancel()
	slices.SortStableFunc(batches, func(a, b wire.ProduceBatch) int { return strings.Compare(a.Topic, b.Topic) })
	answers, request, err := t.pool.Produce(ctx, wire.ProduceRequest{
		Broker: leader, TransactionalID: t.id, Timeout: replicaTimeout, Batches: batches,
	}, *buffer)
	*buffer = request
	if err != nil {
		return batches, nil
	}
	var left []wire.ProduceBatch
	for _, b := range batches {
		i := slices.IndexFunc(answers, func(a wire.ProduceResult) bool { return a.Partition == b.Partition })
		if i < 0 {
			left = append(left, b)
			continue
		}
		switch result, cause := classify(answers[i]); result {
		case resultWritten:
		case resultRetry:
			left = append(left, b)
		default:
			cause = t.explain(t.pool.Explain(cause, conn.TopicRight(conn.OperationWrite, b.Topic)))
			return nil, fmt.Errorf("write outputs to partition %d of topic %s: %w", b.ID, b.Topic, cause)
		}
	}
	return left, nil
}
