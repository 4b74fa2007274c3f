package kafka

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// laneID names a lane: the broker that it sends to, and which of the lanes to that broker it is.
type laneID struct {
	broker int32
	shard  int
}

// lane sends to one broker, one request after the other. A partition is in one lane at a time.
type lane struct {
	laneID
	producer *Producer
	wake     chan struct{}
	buffer   []byte // of the last request

	ready []*outbox // guarded by the producer's mutex
}

// enlist puts an outbox into the lane of its partition's leader; without a leader it waits for one. The mutex is held.
func (p *Producer) enlist(box *outbox) {
	box.busy = true
	leader, err := p.connections.leader(box.Topic, box.ID)
	if err != nil {
		p.later(box, err)
		return
	}
	id := laneID{broker: leader, shard: int(box.ID) % p.config.Lanes}
	l := p.byID[id]
	if l == nil {
		l = &lane{laneID: id, producer: p, wake: make(chan struct{}, 1)}
		p.byID[id] = l
		p.workers.Go(l.run)
	}
	l.ready = append(l.ready, box)
	select {
	case l.wake <- struct{}{}:
	default: // it is awake
	}
}

// later tries an outbox again after a pause. The mutex is held.
func (p *Producer) later(box *outbox, why error) {
	box.tell(why)
	p.workers.Go(func() {
		if !box.retry.wait(p.running) {
			return
		}
		p.connections.relearn(p.running)
		p.mutex.Lock()
		defer p.mutex.Unlock()
		if p.running.Err() == nil {
			p.next(box)
		}
	})
}

// next goes on with an outbox, if there is anything left in it. The mutex is held.
func (p *Producer) next(box *outbox) {
	if box.sealed == nil {
		box.queue = p.stillWanted(box.queue)
		if len(box.queue) == 0 {
			box.queue, box.busy = nil, false
			return
		}
	}
	p.enlist(box)
}

// stillWanted forgets parcels that nobody waits for: they were never sent. The mutex is held.
func (p *Producer) stillWanted(queue []parcel) []parcel {
	for i, one := range queue {
		if !one.call.over {
			return queue[i:]
		}
		p.settle(queue[i:i+1], context.DeadlineExceeded)
	}
	return nil
}

func (l *lane) run() {
	for {
		select {
		case <-l.wake:
		case <-l.producer.running.Done():
			return
		}
		for l.producer.running.Err() == nil {
			boxes := l.load()
			if len(boxes) == 0 {
				break
			}
			l.send(boxes)
		}
	}
}

// load takes outboxes for one request, and a batch out of each that has none.
func (l *lane) load() []*outbox {
	p := l.producer
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var boxes []*outbox
	size := 0
	for len(l.ready) > 0 && size < maxRequestBytes {
		box := l.ready[0]
		l.ready = l.ready[1:]
		if box.sealed == nil {
			batched, forgotten := box.take()
			p.settle(forgotten, context.DeadlineExceeded)
			if len(batched) == 0 {
				p.next(box)
				continue
			}
			box.sealed = &sealed{parcels: batched, since: time.Now()}
		}
		boxes = append(boxes, box)
		size += box.sealed.size()
	}
	return boxes
}

// send sends the batches of outboxes in one request, and sees what becomes of them.
func (l *lane) send(boxes []*outbox) {
	p := l.producer
	ctx, cancel := context.WithTimeout(p.running, produceTimeout)
	defer cancel()
	request := wire.ProduceRequest{Broker: l.broker, ClientID: p.connections.clientID(), Timeout: replicaTimeout}
	sent := make(map[wire.Partition]*outbox, len(boxes))
	slices.SortFunc(boxes, func(a, b *outbox) int { return strings.Compare(a.Topic, b.Topic) })
	for _, box := range boxes {
		if err := l.prepare(ctx, box); err != nil {
			v := again
			if !transient(err) {
				v = refused
			}
			p.conclude(box, v, err)
			continue
		}
		sent[box.Partition] = box
		request.Batches = append(request.Batches, wire.ProduceBatch{Partition: box.Partition, Bytes: box.sealed.bytes})
	}
	if len(sent) == 0 {
		return
	}
	answers, buffer, err := wire.Produce(ctx, p.connections.transport, p.connections.addr, request, l.buffer)
	l.buffer = buffer
	for _, answer := range answers {
		if box := sent[answer.Partition]; box != nil {
			delete(sent, answer.Partition)
			v, why := judge(answer)
			p.conclude(box, v, why)
		}
	}
	if err == nil {
		err = errNoAnswer
	}
	for _, box := range sent {
		p.conclude(box, again, err)
	}
}

// prepare gives an outbox a producer id if it needs one, and its batch bytes.
func (l *lane) prepare(ctx context.Context, box *outbox) error {
	if !box.id.given || box.useless {
		id, err := l.producer.ids.after(ctx, l.broker, box.id)
		if err != nil {
			return err
		}
		box.id, box.sequence, box.useless = id, 0, false
		if box.sealed.bytes != nil {
			batch.Stamp(box.sealed.bytes, box.stamp())
		}
	}
	if box.sealed.bytes == nil {
		return box.seal(l.producer.config.Compression)
	}
	return nil
}

// conclude does what a verdict says.
func (p *Producer) conclude(box *outbox, v verdict, why error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	batch := box.sealed
	switch {
	case v == written:
		box.written()
		p.settle(batch.parcels, nil)
		p.next(box)
	case v == smaller && len(batch.parcels) > 1:
		box.unseal()
		p.next(box)
	case v == smaller, v == refused:
		box.refused()
		p.settle(batch.parcels, why)
		p.next(box)
	case time.Since(batch.since) > deliveryTimeout:
		box.refused()
		p.settle(batch.parcels, errors.Join(context.DeadlineExceeded, why))
		p.next(box)
	default:
		box.useless = box.useless || v == renew
		p.later(box, why)
	}
}
