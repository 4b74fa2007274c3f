package kafka

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
)

// ByKey as the Partition of a record to be produced lets the key choose: Murmur2, as Java's default partitioner does.
// A record without a key (nil) goes to any partition.
const ByKey = -1

// MaxRecordBytes is the most a record may weigh: key, value and headers together. Brokers refuse batches above
// 1,048,588 bytes by default (https://kafka.apache.org/documentation/#brokerconfigs_message.max.bytes).
const MaxRecordBytes = 900_000

// Record is one record of a topic, read or to be produced.
type Record struct {
	// Topic is the topic's whole name, prefix included.
	Topic string
	// Partition is taken as given when producing, zero included; ByKey lets the key choose.
	Partition int
	// Offset is set by the broker and ignored when producing.
	Offset int64
	// Key is nil for a record without a key.
	Key []byte
	// Value is nil for a tombstone.
	Value []byte
	// Headers keep their order; a key may occur more than once.
	Headers []Header
	// Time has milliseconds; zero when producing means now. Retention counts from it.
	Time time.Time
}

// clone is a record that doesn't keep the answer in memory which it came in.
func (r Record) clone() Record {
	r.Key, r.Value, r.Headers = bytes.Clone(r.Key), bytes.Clone(r.Value), slices.Clone(r.Headers)
	for i := range r.Headers {
		r.Headers[i].Key, r.Headers[i].Value = strings.Clone(r.Headers[i].Key), bytes.Clone(r.Headers[i].Value)
	}
	return r
}

// Header is one header of a record: Key string, Value []byte.
type Header = batch.Header

// Header returns the value of the first header of that key, "" when there is none.
func (r Record) Header(key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// Size is what the record counts against MaxRecordBytes: what it takes in a batch, rounded up.
func (r Record) Size() int {
	const frame, headerFrame = 64, 16
	weight := frame + len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		weight += headerFrame + len(h.Key) + len(h.Value)
	}
	return weight
}
