package kafka

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// senderID identifies a sender: its broker, and its number among the senders to that broker.
type senderID struct {
	broker int32
	shard  int
}

// brokerSender sends produce requests to one broker, one after the other. A partition is scheduled at one sender at a time.
type brokerSender struct {
	senderID
	producer *Producer
	wake     chan struct{}
	buffer   []byte // of the last request, to be reused

	ready []*partitionQueue // guarded by the producer's mutex
}

// schedule adds a queue to a sender of its partition's leader. Without a leader it retries later. The mutex is held.
func (p *Producer) schedule(q *partitionQueue) {
	q.busy = true
	leader, err := p.pool.Leader(q.Topic, q.ID)
	if err != nil {
		p.retryLater(q, err)
		return
	}
	id := senderID{broker: leader, shard: int(q.ID) % p.config.MaxInFlight}
	s := p.senders[id]
	if s == nil {
		s = &brokerSender{senderID: id, producer: p, wake: make(chan struct{}, 1)}
		p.senders[id] = s
		p.workers.Go(s.run)
	}
	s.ready = append(s.ready, q)
	select {
	case s.wake <- struct{}{}:
	default: // already awake
	}
}

// retryLater schedules a queue again after a backoff. The mutex is held.
func (p *Producer) retryLater(q *partitionQueue, cause error) {
	q.setCause(cause)
	p.workers.Go(func() {
		if !q.backoff.Wait(p.running) {
			return
		}
		p.pool.RefreshMetadata(p.running)
		p.mutex.Lock()
		defer p.mutex.Unlock()
		if p.running.Err() == nil {
			p.scheduleNext(q)
		}
	})
}

// scheduleNext schedules a queue again if it has records. The mutex is held.
func (p *Producer) scheduleNext(q *partitionQueue) {
	if q.inFlight == nil {
		q.records = p.dropAbandoned(q.records)
		if len(q.records) == 0 {
			q.records, q.busy = nil, false
			return
		}
	}
	p.schedule(q)
}

// dropAbandoned removes abandoned records, which were never sent, from the front of a queue. The mutex is held.
func (p *Producer) dropAbandoned(records []pendingRecord) []pendingRecord {
	for i, r := range records {
		if !r.call.abandoned {
			return records[i:]
		}
		p.complete(records[i:i+1], context.DeadlineExceeded)
	}
	return nil
}

func (s *brokerSender) run() {
	for {
		select {
		case <-s.wake:
		case <-s.producer.running.Done():
			return
		}
		for s.producer.running.Err() == nil {
			queues := s.drain()
			if len(queues) == 0 {
				break
			}
			s.send(queues)
		}
	}
}

// drain takes the queues of the next request, and the next batch of each queue that has none in flight.
func (s *brokerSender) drain() []*partitionQueue {
	p := s.producer
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var queues []*partitionQueue
	size := 0
	for len(s.ready) > 0 && size < maxRequestBytes {
		q := s.ready[0]
		s.ready = s.ready[1:]
		if q.inFlight == nil {
			batch, abandoned := q.take()
			p.complete(abandoned, context.DeadlineExceeded)
			if len(batch) == 0 {
				p.scheduleNext(q)
				continue
			}
			q.inFlight = &inFlightBatch{records: batch, since: time.Now()}
		}
		queues = append(queues, q)
		size += q.inFlight.size()
	}
	return queues
}

// send sends the batches in flight of queues in one request and handles the results.
func (s *brokerSender) send(queues []*partitionQueue) {
	p := s.producer
	ctx, cancel := context.WithTimeout(p.running, produceTimeout)
	defer cancel()
	request := wire.ProduceRequest{Broker: s.broker, Timeout: replicaTimeout}
	sent := make(map[wire.Partition]*partitionQueue, len(queues))
	slices.SortFunc(queues, func(a, b *partitionQueue) int { return strings.Compare(a.Topic, b.Topic) })
	for _, q := range queues {
		if err := s.prepare(ctx, q); err != nil {
			result := resultRetry
			if !conn.Transient(err) {
				result = resultFailed
			}
			p.handleResult(q, result, err)
			continue
		}
		sent[q.Partition] = q
		request.Batches = append(request.Batches, wire.ProduceBatch{Partition: q.Partition, Bytes: q.inFlight.bytes})
	}
	if len(sent) == 0 {
		return
	}
	answers, buffer, err := p.pool.Produce(ctx, request, s.buffer)
	s.buffer = buffer
	for _, answer := range answers {
		if q := sent[answer.Partition]; q != nil {
			delete(sent, answer.Partition)
			result, cause := classify(answer)
			cause = p.pool.Explain(cause, conn.TopicRight(conn.OperationWrite, answer.Topic))
			p.handleResult(q, result, cause)
		}
	}
	if err == nil {
		err = conn.ErrMissingPartition
	}
	for _, q := range sent {
		p.handleResult(q, resultRetry, err)
	}
}

// prepare encodes a queue's batch, with a new producer id if it needs one.
func (s *brokerSender) prepare(ctx context.Context, q *partitionQueue) error {
	if !q.producerID.valid || q.idInvalid {
		id, err := s.producer.ids.replace(ctx, s.broker, q.producerID)
		if err != nil { // who may write to no topic gets no producer id
			return cmp.Or(deniedWrites(ctx, s.producer.pool, q.Topic), err)
		}
		q.producerID, q.sequence, q.idInvalid = id, 0, false
		if q.inFlight.bytes != nil {
			batch.Stamp(q.inFlight.bytes, q.batchProducer())
		}
	}
	if q.inFlight.bytes == nil {
		return q.encode(s.producer.config.Compression)
	}
	return nil
}

// handleResult handles the result of an attempt.
func (p *Producer) handleResult(q *partitionQueue, result produceResult, cause error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	batch := q.inFlight
	switch {
	case result == resultWritten:
		q.succeed()
		p.complete(batch.records, nil)
		p.scheduleNext(q)
	case result == resultSplit && len(batch.records) > 1:
		q.split()
		p.scheduleNext(q)
	case result == resultSeparate && len(batch.records) > 1:
		q.separate()
		p.scheduleNext(q)
	case result == resultSplit, result == resultSeparate, result == resultFailed:
		q.fail()
		p.complete(batch.records, cause)
		p.scheduleNext(q)
	case time.Since(batch.since) > deliveryTimeout:
		q.fail()
		p.complete(batch.records, errors.Join(context.DeadlineExceeded, cause))
		p.scheduleNext(q)
	default:
		q.idInvalid = q.idInvalid || result == resultNewID
		p.retryLater(q, cause)
	}
}
