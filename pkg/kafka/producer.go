package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

const (
	// callTimeout is how long Produce waits at most.
	callTimeout = 10 * time.Second
	// deliveryTimeout is how long a batch is sent again and again while nobody knows what became of it.
	deliveryTimeout = 30 * time.Second
	// produceTimeout is how long a broker may take to answer one request, its wait for replicas included.
	produceTimeout = 4 * time.Second
	replicaTimeout = 2 * time.Second

	maxBatchBytes   = MaxRecordBytes
	maxRequestBytes = 8 << 20

	retryFirst = 50 * time.Millisecond
	retryMost  = time.Second
)

// ProducerConfig says how a producer sends. Zero values stand for the defaults.
type ProducerConfig struct {
	// Compression is that of batches above a kilobyte.
	Compression Compression
	// MaxBuffered is the most bytes of records on their way to Kafka. Default 64 MiB.
	MaxBuffered int64
	// Lanes is how many requests may be under way to one broker. Default 3.
	Lanes int
}

func (c ProducerConfig) withDefaults() ProducerConfig {
	if c.MaxBuffered <= 0 {
		c.MaxBuffered = 64 << 20
	}
	if c.Lanes <= 0 {
		c.Lanes = 3
	}
	return c
}

// Producer appends records to a cluster's topics, each exactly once however often it has to be sent: batches carry a
// producer id and a sequence, by which brokers recognise what they have. It may be used by many goroutines; one for a
// process is best, since it never lingers: what comes while a request is under way is the next request.
type Producer struct {
	connections *connections
	config      ProducerConfig
	buffered    atomic.Int64
	ids         identities
	running     context.Context
	stop        context.CancelFunc
	workers     sync.WaitGroup // lanes, and those who wait to try again

	mutex   sync.Mutex
	closed  bool
	givenUp int64          // bytes, since they were last looked for
	waiting sync.WaitGroup // parcels that nobody knows the end of
	boxes   map[wire.Partition]*outbox
	byID    map[laneID]*lane
}

// NewProducer returns a producer for a cluster. It dials on first use.
func NewProducer(cluster Cluster, config ProducerConfig) *Producer {
	running, stop := context.WithCancel(context.Background())
	connections := cluster.connect()
	return &Producer{
		connections: connections, config: config.withDefaults(), running: running, stop: stop,
		ids:   identities{connections: connections},
		boxes: make(map[wire.Partition]*outbox), byID: make(map[laneID]*lane),
	}
}

// Produce sends records and returns nil only when every in-sync replica has all of them, each once. On an error none,
// some or all of them may have been written, or may still be: keep their bytes as they are, and send all of them again.
// It gives up when ctx ends, after ten seconds at the latest, or at once for what can't succeed (ErrTooLarge) and when
// as many bytes as may be are on their way already (ErrFull).
//
// Records of one call keep their order in each partition.
func (p *Producer) Produce(ctx context.Context, records ...Record) error {
	if len(records) == 0 {
		return nil
	}
	if err := producible(records); err != nil {
		return err
	}
	if err := p.produce(ctx, records); err != nil {
		return fmt.Errorf("produce %d records, the first to %s: %w", len(records), records[0].Topic, err)
	}
	return nil
}

func (p *Producer) produce(ctx context.Context, records []Record) error {
	timeout := time.NewTimer(callTimeout) // has fewer allocations than a context
	defer timeout.Stop()
	c := newCall(records)
	if !p.reserve(c.size) {
		return ErrFull
	}
	at, err := p.connections.place(ctx, callTimeout, records)
	if err == nil {
		err = p.enqueue(c, at, records)
	}
	if err != nil {
		p.buffered.Add(-c.size)
		return err
	}
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.giveUp(c))
	case <-timeout.C:
		return errors.Join(context.DeadlineExceeded, p.giveUp(c))
	}
}

// reserve makes room for so many bytes, if there is any.
func (p *Producer) reserve(size int64) bool {
	if p.buffered.Add(size) <= p.config.MaxBuffered {
		return true
	}
	if p.buffered.Add(-size); !p.forget() {
		return false
	}
	if p.buffered.Add(size) <= p.config.MaxBuffered {
		return true
	}
	p.buffered.Add(-size)
	return false
}

// forget drops what callers gave up before it was sent. It does so only where that is worth a look at all there is.
func (p *Producer) forget() bool {
	const worth = 64
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.givenUp < p.config.MaxBuffered/worth {
		return false
	}
	p.givenUp = 0
	for _, box := range p.boxes {
		box.queue = slices.DeleteFunc(box.queue, func(one parcel) bool {
			if one.call.over {
				p.settle([]parcel{one}, context.DeadlineExceeded)
			}
			return one.call.over
		})
	}
	return true
}

// enqueue puts records where they belong, all or none.
func (p *Producer) enqueue(c *call, at []wire.Partition, records []Record) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.closed {
		return errClosed
	}
	p.waiting.Add(len(records))
	now := time.Now()
	for i, r := range records {
		box := p.boxOf(at[i])
		box.queue = append(box.queue, parcel{record: r.stored(now), size: r.Size(), call: c})
		if !box.busy {
			p.enlist(box)
		}
	}
	return nil
}

func (p *Producer) boxOf(at wire.Partition) *outbox {
	box := p.boxes[at]
	if box == nil {
		box = &outbox{Partition: at, retry: backoff{first: retryFirst, most: retryMost}}
		p.boxes[at] = box
	}
	return box
}

// giveUp lets what was not sent yet be forgotten, and returns why it took so long, if anything is known.
func (p *Producer) giveUp(c *call) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	c.over = true
	p.givenUp += c.size
	return c.why
}

// Close waits until what became of every record is known, for half a minute at most, and ends the connections. Produce
// fails from then on.
func (p *Producer) Close() error {
	p.mutex.Lock()
	p.closed = true
	p.mutex.Unlock()
	settled := make(chan struct{})
	go func() {
		p.waiting.Wait()
		close(settled)
	}()
	timeout := time.NewTimer(deliveryTimeout)
	defer timeout.Stop()
	var err error
	select {
	case <-settled:
	case <-timeout.C:
		err = fmt.Errorf("close producer: nobody knows what became of some records: %w", context.DeadlineExceeded)
	}
	p.stop()
	p.workers.Wait()
	p.abandon()
	<-settled
	p.connections.close()
	return err
}

// abandon fails what is left, with no worker left to touch it.
func (p *Producer) abandon() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, box := range p.boxes {
		left := box.queue
		if box.sealed != nil {
			left = append(box.sealed.parcels, left...)
		}
		box.queue, box.sealed = nil, nil
		p.settle(left, errClosed)
	}
}

// settle tells the callers, and lets the records go. The mutex is held.
func (p *Producer) settle(parcels []parcel, err error) {
	for _, one := range parcels {
		p.buffered.Add(-int64(one.size))
		one.call.settle(err)
		p.waiting.Done()
	}
	clear(parcels)
}
