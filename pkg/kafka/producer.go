package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
)

const (
	deliveryTimeout = 10 * time.Second
	retryFirst      = 50 * time.Millisecond
	retryMost       = time.Second
)

// Producer sends records to a cluster. It may be used by many goroutines; one for a process is best, since records of
// different callers share requests.
type Producer struct {
	connections *connections
	writer      *kafka.Writer
	queued      atomic.Int64 // bytes that the writer holds
}

// maxQueued is the most bytes of records on their way to Kafka. What a caller gave up on stays in kafka-go's queue until
// its request has failed, so callers that come and go would fill the memory while a broker hangs.
const maxQueued = 64 << 20

// NewProducer returns a producer for a cluster. It dials on first use.
func NewProducer(cluster Cluster) *Producer {
	connections := cluster.connect()
	p := &Producer{connections: connections, writer: newWriter(connections)}
	p.writer.Completion = func(messages []kafka.Message, _ error) { p.queued.Add(-sizeOf(messages)) }
	return p
}

// sizeOf is what messages count against maxQueued.
func sizeOf(messages []kafka.Message) int64 {
	size := 0
	for _, m := range messages {
		size += len(m.Key) + len(m.Value)
		for _, h := range m.Headers {
			size += len(h.Key) + len(h.Value)
		}
	}
	return int64(size)
}

// newWriter spells out everything in which kafka-go's defaults lose, delay or scatter records: it asks for no
// acknowledgement, lingers for a second and ignores keys (writer.go of kafka-go v0.4.51).
func newWriter(connections *connections) *kafka.Writer {
	return &kafka.Writer{
		Addr:                   connections.addr,
		Transport:              connections.transport,
		RequiredAcks:           kafka.RequireAll,
		Balancer:               partitioner{},
		BatchTimeout:           5 * time.Millisecond,
		BatchSize:              500,
		BatchBytes:             MaxRecordBytes,
		MaxAttempts:            2,
		WriteBackoffMin:        retryFirst,
		WriteBackoffMax:        retryFirst,
		WriteTimeout:           4 * time.Second, // the broker waits for its replicas half of it
		ReadTimeout:            4 * time.Second,
		AllowAutoTopicCreation: false,
		Async:                  false,
	}
}

// Produce sends records and returns nil only when every in-sync replica has all of them. On an error none, some or all
// of them may have been written, or may still be: keep their bytes as they are, and send all of them again. It gives
// up when ctx ends, after ten seconds at the latest, or at once for what can't succeed (ErrTooLarge) and when 64 MiB are
// on their way already (ErrFull).
//
// Records of one call keep their order in each partition. Where a part had to be sent again, a record may be there
// twice; its last copy is in order.
func (p *Producer) Produce(ctx context.Context, records ...Record) error {
	if len(records) == 0 {
		return nil
	}
	messages, err := messagesOf(records)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	if err := p.write(ctx, messages); err != nil {
		return fmt.Errorf("produce %d records, the first to %s: %w", len(records), records[0].Topic, err)
	}
	return nil
}

// Close waits for the records being sent and ends the connections. Produce fails from then on.
func (p *Producer) Close() error {
	err := p.writer.Close()
	p.connections.close()
	if err != nil {
		return fmt.Errorf("close producer: %w", err)
	}
	return nil
}

func (p *Producer) write(ctx context.Context, messages []kafka.Message) error {
	pause := backoff{first: retryFirst, most: retryMost}
	var last error
	for {
		err := p.enqueue(ctx, messages)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), last)
		}
		messages, last = unwritten(messages, err)
		if !transient(last) {
			return last
		}
		p.connections.refresh()
		if !pause.wait(ctx) {
			return errors.Join(ctx.Err(), last)
		}
	}
}

// enqueue hands messages to the writer if there is room for them. What the writer queues it tells to Completion one day,
// whatever became of it; what it fails to queue it doesn't.
func (p *Producer) enqueue(ctx context.Context, messages []kafka.Message) error {
	size := sizeOf(messages)
	if p.queued.Add(size) > maxQueued {
		p.queued.Add(-size)
		return ErrFull
	}
	count := 0
	for i := range messages {
		messages[i].WriterData = placed{chosen: chosen(partitionOf(messages[i])), count: &count}
	}
	err := p.writer.WriteMessages(ctx, messages...)
	if count < len(messages) {
		p.queued.Add(-size)
	}
	return err
}

// unwritten returns what is to be sent again, and why. In each partition that is everything from the first failure on,
// lest the retried record end up behind a later one.
func unwritten(messages []kafka.Message, err error) ([]kafka.Message, error) {
	var each kafka.WriteErrors
	if !errors.As(err, &each) {
		return messages, err
	}
	var first error
	var again []kafka.Message
	broken := make(map[lane]bool)
	for i, message := range messages {
		if each[i] != nil {
			broken[laneOf(message)] = true
			if first == nil {
				first = each[i]
			}
		}
		if broken[laneOf(message)] {
			again = append(again, message)
		}
	}
	return again, first
}

// lane is what surely shares a partition: what was sent to one, and what has the same key.
type lane struct {
	topic     string
	partition int
	key       string
}

func laneOf(message kafka.Message) lane {
	partition := partitionOf(message)
	if partition == ByKey {
		return lane{topic: message.Topic, partition: ByKey, key: string(message.Key)}
	}
	return lane{topic: message.Topic, partition: partition}
}
