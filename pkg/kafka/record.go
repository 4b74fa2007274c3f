package kafka

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
)

// ByKey as the Partition of a record selects the partition by the record's key: Murmur2, as Java's default partitioner does. A
// record without a key (nil) goes to any partition.
const ByKey = -1

// MaxRecordBytes limits Record.Size. Brokers reject batches above 1,048,588 bytes by default
// (https://kafka.apache.org/documentation/#brokerconfigs_message.max.bytes).
const MaxRecordBytes = 900_000

// Record is a record of a topic, consumed or to be produced.
type Record struct {
	// Topic is the full name of the topic, with prefix.
	Topic string
	// Partition is the partition to produce to, which may be 0; ByKey selects it by the key.
	Partition int
	// Offset is assigned by the broker and ignored when producing.
	Offset int64
	// Key is nil for a record without a key.
	Key []byte
	// Value is nil for a tombstone.
	Value []byte
	// Headers keep their order; a key may occur more than once.
	Headers []Header
	// Time is the timestamp in milliseconds; zero when producing means now. Retention counts from it.
	Time time.Time
}

// Clone returns a copy that does not share the memory of a fetch response.
func (r Record) Clone() Record {
	r.Key, r.Value, r.Headers = bytes.Clone(r.Key), bytes.Clone(r.Value), slices.Clone(r.Headers)
	for i := range r.Headers {
		r.Headers[i].Key, r.Headers[i].Value = strings.Clone(r.Headers[i].Key), bytes.Clone(r.Headers[i].Value)
	}
	return r
}

// Header is one header of a record: Key string, Value []byte.
type Header = batch.Header

// Header returns the value of the first header with a key, "" if there is none.
func (r Record) Header(key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// Size is the size of the record in a batch, rounded up.
func (r Record) Size() int {
	const frame, headerFrame = 64, 16
	size := frame + len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		size += headerFrame + len(h.Key) + len(h.Value)
	}
	return size
}

func (r Record) validate() error {
	if r.Topic == "" {
		return errors.New("no topic given")
	}
	if r.Partition < ByKey {
		return fmt.Errorf("partition %d of topic %s is neither a partition nor ByKey", r.Partition, r.Topic)
	}
	if size := r.Size(); size > MaxRecordBytes {
		return fmt.Errorf("record for topic %s has %d bytes, at most %d are allowed: %w", r.Topic, size, MaxRecordBytes, ErrTooLarge)
	}
	return nil
}

// validateRecords checks records before any of them is sent.
func validateRecords(records []Record) error {
	for i, r := range records {
		if err := r.validate(); err != nil {
			return fmt.Errorf("produce record %d of %d: %w", i+1, len(records), err)
		}
	}
	return nil
}

// batchRecord returns the record as it is encoded in a batch.
func (r Record) batchRecord(now time.Time) batch.Record {
	at := r.Time
	if at.IsZero() {
		at = now
	}
	return batch.Record{Time: at.UnixMilli(), Key: r.Key, Value: r.Value, Headers: r.Headers}
}
