package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

const (
	// callTimeout limits one call of Produce.
	callTimeout = 10 * time.Second
	// deliveryTimeout limits how long a batch is retried while its outcome is unknown.
	deliveryTimeout = 30 * time.Second
	// produceTimeout limits one request, replicaTimeout the part in which the broker waits for its replicas.
	produceTimeout = 4 * time.Second
	replicaTimeout = 2 * time.Second

	maxBatchBytes   = MaxRecordBytes
	maxRequestBytes = 8 << 20
)

// ProducerConfig configures a producer. Zero values are the defaults.
type ProducerConfig struct {
	// Compression compresses batches above a kilobyte.
	Compression Compression
	// Partitions is the number of partitions of the topics to which records are written by key.
	Partitions PartitionCount
	// CloseTimeout limits Close. Default 5 s.
	CloseTimeout time.Duration
	// MaxBuffered limits the bytes of records whose outcome is unknown. Default 64 MiB.
	MaxBuffered int64
	// MaxInFlight limits the requests in flight to one broker. Default 3.
	MaxInFlight int
}

func (c ProducerConfig) withDefaults() ProducerConfig {
	if c.MaxBuffered <= 0 {
		c.MaxBuffered = 64 << 20
	}
	if c.CloseTimeout <= 0 {
		c.CloseTimeout = 5 * time.Second
	}
	if c.MaxInFlight <= 0 {
		c.MaxInFlight = 3
	}
	return c
}

// Producer publishes records to topics. It is idempotent: a batch that is sent several times is written once, because brokers
// detect duplicates by producer id and sequence. It may be used by many goroutines. One producer per process is best: it does
// not linger, so what arrives while a request is in flight makes up the next request.
type Producer struct {
	pool     *conn.Pool
	config   ProducerConfig
	buffered atomic.Int64
	ids      producerIDs
	running  context.Context
	stop     context.CancelFunc
	workers  sync.WaitGroup // senders, and queues in backoff

	mutex          sync.Mutex
	closed         bool
	abandonedBytes int64          // since dropAllAbandoned last ran
	unfinished     sync.WaitGroup // records whose outcome is unknown
	queues         map[wire.Partition]*partitionQueue
	senders        map[senderID]*brokerSender
}

// NewProducer returns a producer. It connects on first use.
func NewProducer(cluster Cluster, config ProducerConfig) *Producer {
	running, stop := context.WithCancel(context.Background())
	pool := conn.Open(cluster)
	return &Producer{
		pool: pool, config: config.withDefaults(), running: running, stop: stop,
		ids:    producerIDs{pool: pool},
		queues: make(map[wire.Partition]*partitionQueue), senders: make(map[senderID]*brokerSender),
	}
}

// Produce publishes records and returns nil when every in-sync replica has all of them, each once. After an error none, some
// or all of them may have been written, or may be written later: send all of them again, unchanged. It fails when ctx ends,
// after ten seconds, or at once for a record that can't be written (ErrTooLarge, ErrPartitionCount) or a full buffer (ErrBufferFull).
//
// Records of one call keep their order in each partition.
func (p *Producer) Produce(ctx context.Context, records ...Record) error {
	if len(records) == 0 {
		return nil
	}
	if err := validateRecords(records); err != nil {
		return err
	}
	if err := p.produce(ctx, records); err != nil {
		return fmt.Errorf("produce %d records, the first to %s: %w", len(records), records[0].Topic, err)
	}
	return nil
}

func (p *Producer) produce(ctx context.Context, records []Record) error {
	timeout := time.NewTimer(callTimeout) // allocates less than a context
	defer timeout.Stop()
	c := newCall(records)
	if !p.reserve(c.size) {
		return ErrBufferFull
	}
	at, err := partitioner{pool: p.pool, count: p.config.Partitions, maxWait: callTimeout}.assign(ctx, records)
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
		return errors.Join(ctx.Err(), p.abandon(c))
	case <-timeout.C:
		return errors.Join(context.DeadlineExceeded, p.abandon(c))
	}
}

// reserve reserves bytes in the buffer. It returns false if the buffer is full.
func (p *Producer) reserve(size int64) bool {
	if p.buffered.Add(size) <= p.config.MaxBuffered {
		return true
	}
	if p.buffered.Add(-size); !p.dropAllAbandoned() {
		return false
	}
	if p.buffered.Add(size) <= p.config.MaxBuffered {
		return true
	}
	p.buffered.Add(-size)
	return false
}

// dropAllAbandoned removes abandoned records from all queues, if there are many of them.
func (p *Producer) dropAllAbandoned() bool {
	const minFraction = 64
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.abandonedBytes < p.config.MaxBuffered/minFraction {
		return false
	}
	p.abandonedBytes = 0
	for _, q := range p.queues {
		q.records = slices.DeleteFunc(q.records, func(r pendingRecord) bool {
			if r.call.abandoned {
				p.complete([]pendingRecord{r}, context.DeadlineExceeded)
			}
			return r.call.abandoned
		})
	}
	return true
}

// enqueue adds records to the queues of their partitions, all or none.
func (p *Producer) enqueue(c *produceCall, at []wire.Partition, records []Record) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.closed {
		return conn.ErrClosed
	}
	p.unfinished.Add(len(records))
	now := time.Now()
	for i, r := range records {
		q := p.queueOf(at[i])
		q.records = append(q.records, pendingRecord{record: r.batchRecord(now), size: r.Size(), call: c})
		if !q.busy {
			p.schedule(q)
		}
	}
	return nil
}

func (p *Producer) queueOf(at wire.Partition) *partitionQueue {
	q := p.queues[at]
	if q == nil {
		q = &partitionQueue{Partition: at, backoff: conn.RequestBackoff()}
		p.queues[at] = q
	}
	return q
}

// abandon marks a call as abandoned, so that its unsent records are dropped. It returns why the last attempt failed, if known.
func (p *Producer) abandon(c *produceCall) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	c.abandoned = true
	p.abandonedBytes += c.size
	return c.cause
}

// Close waits until the outcome of every record is known, CloseTimeout at most, and closes the connections. Produce fails
// from then on. It does not wait if all callers have given up.
func (p *Producer) Close() error {
	p.mutex.Lock()
	p.closed = true
	awaited := p.awaited()
	p.mutex.Unlock()
	finished := make(chan struct{})
	go func() {
		p.unfinished.Wait()
		close(finished)
	}()
	timeout := time.NewTimer(p.config.CloseTimeout)
	defer timeout.Stop()
	var err error
	select {
	case <-finished:
	case <-awaited:
	case <-timeout.C:
		err = fmt.Errorf("close producer: outcome of some records is unknown: %w", context.DeadlineExceeded)
	}
	p.stop()
	p.workers.Wait()
	p.failRemaining()
	<-finished
	p.pool.Close()
	return err
}

// awaited returns a channel that is closed if no caller waits for an outcome. The mutex is held.
func (p *Producer) awaited() <-chan struct{} {
	waits := func(r pendingRecord) bool { return !r.call.abandoned }
	for _, q := range p.queues {
		if slices.ContainsFunc(q.records, waits) || q.inFlight != nil && slices.ContainsFunc(q.inFlight.records, waits) {
			return nil
		}
	}
	nobody := make(chan struct{})
	close(nobody)
	return nobody
}

// failRemaining fails all remaining records. No worker may be running.
func (p *Producer) failRemaining() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, q := range p.queues {
		left := q.records
		if q.inFlight != nil {
			left = append(q.inFlight.records, left...)
		}
		q.records, q.inFlight = nil, nil
		p.complete(left, conn.ErrClosed)
	}
}

// complete reports the outcome of records to their calls and releases their part of the buffer. The mutex is held.
func (p *Producer) complete(records []pendingRecord, err error) {
	for _, r := range records {
		p.buffered.Add(-int64(r.size))
		r.call.complete(err)
		p.unfinished.Done()
	}
	clear(records)
}
