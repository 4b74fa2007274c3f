package kafka

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// partitionQueue holds the records to be sent to one partition. One batch is in flight at a time, so that retries keep the
// order. The producer's mutex guards records and busy; the rest belongs to the goroutine that has set busy.
type partitionQueue struct {
	wire.Partition
	records []pendingRecord
	busy    bool // scheduled at a sender, or in backoff

	producerID producerID
	idInvalid  bool  // the broker does not know producerID, or its next sequence is unknown
	sequence   int32 // of the next batch
	inFlight   *inFlightBatch
	backoff    conn.Backoff
	maxBytes   int // of a batch; zero until a broker rejects one as too large
	alone      int // number of next records that are sent one by one, because the broker refused one of them
	encoder    batch.Encoder
}

// inFlightBatch is a batch whose outcome is unknown. Each attempt sends the same bytes.
type inFlightBatch struct {
	records []pendingRecord
	bytes   []byte // nil until the partition has a producer id
	since   time.Time
}

func (b *inFlightBatch) size() int {
	size := 0
	for _, r := range b.records {
		size += r.size
	}
	return size
}

// take removes the next batch from the queue, and abandoned records. The producer's mutex is held.
func (q *partitionQueue) take() (batch, abandoned []pendingRecord) {
	kept := q.records[:0] // in place
	size, n := 0, 0
	for _, r := range q.records {
		if r.call.abandoned {
			abandoned = append(abandoned, r)
			n++
			continue
		}
		if size += r.size; len(kept) > 0 && (size > q.limit() || q.alone > 0) {
			break
		}
		kept = append(kept, r)
		n++
	}
	clear(q.records[len(kept):n])
	q.alone = max(q.alone-n, 0)
	batch, q.records = slices.Clip(kept), q.records[n:]
	if len(q.records) == 0 {
		q.records = nil
	}
	return batch, abandoned
}

func (q *partitionQueue) limit() int {
	if q.maxBytes > 0 {
		return q.maxBytes
	}
	return maxBatchBytes
}

// encode encodes the batch in flight.
func (q *partitionQueue) encode(compression Compression) error {
	q.encoder.Reset(compression.codec(), compressFrom)
	for _, r := range q.inFlight.records {
		q.encoder.Add(r.record)
	}
	bytes, err := q.encoder.Finish(q.batchProducer())
	q.inFlight.bytes = bytes
	return err
}

func (q *partitionQueue) batchProducer() batch.Producer {
	return batch.Producer{ID: q.producerID.id, Epoch: q.producerID.epoch, Sequence: q.sequence}
}

// succeed removes the batch in flight, which was written. Sequences wrap to zero after 2^31-1.
func (q *partitionQueue) succeed() {
	q.sequence = int32((int64(q.sequence) + int64(len(q.inFlight.records))) & math.MaxInt32)
	q.inFlight = nil
	q.backoff.Reset()
}

// fail removes the batch in flight. It may have been written nevertheless, and a broker would drop the next batch with its
// sequence as a duplicate: the next sequence is unknown, so a new producer id is needed.
func (q *partitionQueue) fail() {
	q.idInvalid = true
	q.inFlight = nil
	q.backoff.Reset()
}

// split puts the records of the batch in flight back into the queue, and halves the size of batches.
func (q *partitionQueue) split() {
	q.maxBytes = q.inFlight.size() / 2
	q.putBack()
}

// separate puts the records of the batch in flight back into the queue, each to be sent alone: those that the broker does not refuse
// are written.
func (q *partitionQueue) separate() {
	q.alone = len(q.inFlight.records)
	q.putBack()
}

func (q *partitionQueue) putBack() {
	q.records = append(q.inFlight.records, q.records...)
	q.inFlight = nil
}

// setCause records why an attempt failed, for callers that give up.
func (q *partitionQueue) setCause(cause error) {
	if q.inFlight != nil {
		for _, r := range q.inFlight.records {
			r.call.cause = cause
		}
	}
	for _, r := range q.records {
		r.call.cause = cause
	}
}

// produceResult is what the producer does with a batch after an attempt.
type produceResult int

const (
	resultWritten  produceResult = iota
	resultRetry                  // send the same bytes again
	resultNewID                  // send the same records with a new producer id
	resultSplit                  // send the records in smaller batches
	resultSeparate               // send each record alone
	resultFailed                 // give up
)

// classify returns the result of a produce response, and its error if the batch was not written.
func classify(answer wire.ProduceResult) (produceResult, error) {
	code := kafka.Error(answer.Code)
	switch code {
	case 0, kafka.DuplicateSequenceNumber: // written by an earlier attempt
		return resultWritten, nil
	case kafka.OutOfOrderSequenceNumber, kafka.UnknownProducerId, kafka.InvalidProducerEpoch, kafka.InvalidProducerIDMapping:
		// The broker has forgotten the producer or lost records. A broker that has not recognizes a producer's last five
		// batches, and this one was not recognized: it was not written.
		return resultNewID, code
	case kafka.MessageSizeTooLarge, kafka.RecordListTooLarge:
		return resultSplit, fmt.Errorf("%w: it exceeds the topic's max.message.bytes: %w", ErrTooLarge, code)
	case kafka.InvalidTimestamp:
		return resultSeparate, fmt.Errorf("%w: %w", ErrInvalidTimestamp, code)
	}
	if code.Temporary() || code == kafka.KafkaStorageError {
		return resultRetry, code
	}
	if answer.Message != "" {
		return resultFailed, fmt.Errorf("%w: %s", code, answer.Message)
	}
	return resultFailed, code
}
