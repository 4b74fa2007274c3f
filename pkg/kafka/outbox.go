package kafka

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// outbox is what is on its way to one partition. It has one batch under way at a time, so that order is kept whatever
// has to be sent again. Its queue and busy are guarded by the producer's mutex; the rest belongs to whoever made it busy.
type outbox struct {
	wire.Partition
	queue []parcel
	busy  bool // in a lane, or waiting to be tried again

	id       identity
	useless  bool  // the id: a broker does not know it, or nobody knows which sequence it is at
	sequence int32 // of the next batch
	sealed   *sealed
	retry    backoff
	most     int // bytes of a batch; zero until a broker found one too large
	encoder  batch.Encoder
}

// sealed is a batch whose bytes stay what they are until somebody knows what became of it.
type sealed struct {
	parcels []parcel
	bytes   []byte // nil until the partition has a producer id
	since   time.Time
}

func (s *sealed) size() int {
	size := 0
	for _, one := range s.parcels {
		size += one.size
	}
	return size
}

// take removes the parcels of the next batch from the queue, and those that nobody waits for any more. The producer's
// mutex is held.
func (o *outbox) take() (batched, forgotten []parcel) {
	wanted := o.queue[:0] // in place
	size, n := 0, 0
	for _, one := range o.queue {
		if one.call.over {
			forgotten = append(forgotten, one)
			n++
			continue
		}
		if size += one.size; len(wanted) > 0 && size > o.limit() {
			break
		}
		wanted = append(wanted, one)
		n++
	}
	clear(o.queue[len(wanted):n])
	batched, o.queue = slices.Clip(wanted), o.queue[n:]
	if len(o.queue) == 0 {
		o.queue = nil
	}
	return batched, forgotten
}

func (o *outbox) limit() int {
	if o.most > 0 {
		return o.most
	}
	return maxBatchBytes
}

// seal gives the batch its bytes.
func (o *outbox) seal(compression Compression) error {
	o.encoder.Reset(compression.codec(), compressFrom)
	for _, one := range o.sealed.parcels {
		o.encoder.Add(one.record)
	}
	bytes, err := o.encoder.Finish(o.stamp())
	o.sealed.bytes = bytes
	return err
}

func (o *outbox) stamp() batch.Producer {
	return batch.Producer{ID: o.id.producer, Epoch: o.id.epoch, Sequence: o.sequence}
}

// written moves on behind the batch. Sequences begin again at zero after 2^31-1.
func (o *outbox) written() {
	o.sequence = int32((int64(o.sequence) + int64(len(o.sealed.parcels))) & math.MaxInt32)
	o.sealed = nil
	o.retry.reset()
}

// refused gives the batch up. It may have been written after all, and a batch after it with the same sequence would be taken
// for a copy: the sequence to go on with is unknown.
func (o *outbox) refused() {
	o.useless = true
	o.sealed = nil
	o.retry.reset()
}

// unseal puts the batch's records back, to be sent in smaller batches from now on.
func (o *outbox) unseal() {
	o.most = o.sealed.size() / 2
	o.queue = append(o.sealed.parcels, o.queue...)
	o.sealed = nil
}

// tell lets the callers know, should they give up, why it takes so long.
func (o *outbox) tell(why error) {
	if o.sealed != nil {
		for _, one := range o.sealed.parcels {
			one.call.why = why
		}
	}
	for _, one := range o.queue {
		one.call.why = why
	}
}

// verdict is what an answer means for a batch.
type verdict int

const (
	written verdict = iota
	again           // the same bytes
	renew           // the same records, under a new producer id
	smaller         // fewer records in a batch
	refused         // never
)

// judge reads an answer. The error says why the batch isn't written yet, or never will be.
func judge(answer wire.ProduceAnswer) (verdict, error) {
	code := kafka.Error(answer.Code)
	switch code {
	case 0, kafka.DuplicateSequenceNumber: // an earlier try was written
		return written, nil
	case kafka.OutOfOrderSequenceNumber, kafka.UnknownProducerId, kafka.InvalidProducerEpoch, kafka.InvalidProducerIDMapping:
		// The broker forgot us, or lost what it had. It knows the last five batches of a producer, so this one is not among
		// them: it was not written.
		return renew, code
	case kafka.MessageSizeTooLarge, kafka.RecordListTooLarge:
		return smaller, fmt.Errorf("%w: the topic takes less (max.message.bytes): %w", ErrTooLarge, code)
	}
	if code.Temporary() || code == kafka.KafkaStorageError {
		return again, code
	}
	if answer.Message != "" {
		return refused, fmt.Errorf("%w: %s", code, answer.Message)
	}
	return refused, code
}
