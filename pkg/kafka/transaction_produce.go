package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// batchSender keeps a transactor's encoders and its last requests, so that their memory is used again.
type batchSender struct {
	encoders []*batch.Encoder
	requests map[int32]*[]byte // by leader
}

// request is the last one to a leader.
func (b *batchSender) request(leader int32) *[]byte {
	if b.requests == nil {
		b.requests = make(map[int32]*[]byte)
	}
	if b.requests[leader] == nil {
		b.requests[leader] = new([]byte)
	}
	return b.requests[leader]
}

// leastBatchBytes is where batches become no smaller for a topic that takes none.
const leastBatchBytes = 1 << 10

// produce writes a transaction's records, in order in each partition. A request has one batch of each partition at most,
// and one is under way to a broker at a time: of several, brokers refused some (NOT_ENOUGH_REPLICAS, seen on 4.3).
func (t *transactor) produce(ctx context.Context, at []wire.Partition, records []Record) error {
	ctx, cancel := context.WithTimeout(ctx, transactionPatience)
	defer cancel()
	most := cmp.Or(t.most, maxBatchBytes)
	for _, round := range rounds(at, records, most) {
		batches, err := t.encode(round, records)
		if err != nil {
			return err
		}
		err = t.write(ctx, batches)
		if errors.Is(err, ErrTooLarge) {
			t.most = max(min(most, largest(round))/2, leastBatchBytes)
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

// load is the records of one batch.
type load struct {
	wire.Partition
	indexes []int // of the records
	size    int
}

// rounds cuts records into batches, and puts the first of each partition into the first round, and so on.
func rounds(at []wire.Partition, records []Record, most int) [][]load {
	type place struct{ round, index int }
	var all [][]load
	last := make(map[wire.Partition]place)
	for i, r := range records {
		size := r.Size()
		p, begun := last[at[i]]
		if begun && all[p.round][p.index].size+size > most {
			p.round, begun = p.round+1, false
		}
		if !begun {
			if p.round == len(all) {
				all = append(all, nil)
			}
			all[p.round] = append(all[p.round], load{Partition: at[i]})
			p.index = len(all[p.round]) - 1
			last[at[i]] = p
		}
		l := &all[p.round][p.index]
		l.indexes = append(l.indexes, i)
		l.size += size
	}
	return all
}

func largest(round []load) int {
	size := 0
	for _, l := range round {
		size = max(size, l.size)
	}
	return size
}

func (t *transactor) encode(round []load, records []Record) ([]wire.ProduceBatch, error) {
	now := time.Now()
	batches := make([]wire.ProduceBatch, len(round))
	for i, l := range round {
		if i == len(t.sender.encoders) {
			t.sender.encoders = append(t.sender.encoders, &batch.Encoder{})
		}
		encoder := t.sender.encoders[i]
		encoder.Reset(t.compression.codec(), compressFrom)
		for _, index := range l.indexes {
			encoder.Add(records[index].stored(now))
		}
		bytes, err := encoder.Finish(batch.Producer{
			ID: t.identity.producer, Epoch: t.identity.epoch, Sequence: t.sequences[l.Partition], Transactional: true,
		})
		if err != nil {
			return nil, fmt.Errorf("encode outputs: %w", err)
		}
		batches[i] = wire.ProduceBatch{Partition: l.Partition, Bytes: bytes}
	}
	return batches, nil
}

// write sends batches to their leaders until all are written. The same bytes may go twice: brokers know them by their
// sequence.
func (t *transactor) write(ctx context.Context, batches []wire.ProduceBatch) error {
	left := slices.Clone(batches)
	pause := backoff{first: concurrentFirst, most: retryMost}
	for {
		again, err := t.writeOnce(ctx, left)
		if err != nil || len(again) == 0 {
			return err
		}
		left = again
		if !pause.wait(ctx) {
			return fmt.Errorf("write outputs: %w", ctx.Err())
		}
		t.connections.relearn(ctx)
	}
}

// writeOnce returns what has to be sent again.
func (t *transactor) writeOnce(ctx context.Context, batches []wire.ProduceBatch) ([]wire.ProduceBatch, error) {
	byLeader := make(map[int32][]wire.ProduceBatch)
	var again []wire.ProduceBatch
	for _, b := range batches {
		leader, err := t.connections.leader(b.Topic, b.ID)
		if err != nil {
			again = append(again, b)
			continue
		}
		byLeader[leader] = append(byLeader[leader], b)
	}
	results := make(chan []wire.ProduceBatch, len(byLeader))
	var leaders errgroup.Group
	for leader, batches := range byLeader {
		buffer := t.sender.request(leader)
		leaders.Go(func() error {
			left, err := t.writeTo(ctx, leader, batches, buffer)
			results <- left
			return err
		})
	}
	err := leaders.Wait()
	close(results)
	for left := range results {
		again = append(again, left...)
	}
	return again, err
}

// writeTo returns what has to be sent again to a leader.
func (t *transactor) writeTo(ctx context.Context, leader int32, batches []wire.ProduceBatch, buffer *[]byte) ([]wire.ProduceBatch, error) {
	ctx, cancel := context.WithTimeout(ctx, produceTimeout)
	defer cancel()
	slices.SortStableFunc(batches, func(a, b wire.ProduceBatch) int { return strings.Compare(a.Topic, b.Topic) })
	answers, request, err := wire.Produce(ctx, t.connections.transport, t.connections.addr, wire.ProduceRequest{
		Broker: leader, ClientID: t.connections.clientID(), TransactionalID: t.id, Timeout: replicaTimeout, Batches: batches,
	}, *buffer)
	*buffer = request
	if err != nil {
		return batches, nil
	}
	var left []wire.ProduceBatch
	for _, b := range batches {
		i := slices.IndexFunc(answers, func(a wire.ProduceAnswer) bool { return a.Partition == b.Partition })
		if i < 0 {
			left = append(left, b)
			continue
		}
		switch v, why := judge(answers[i]); v {
		case written:
		case again:
			left = append(left, b)
		default:
			return nil, fmt.Errorf("write outputs to partition %d of topic %s: %w", b.ID, b.Topic, why)
		}
	}
	return left, nil
}
