package envelope

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// Output is a value to be written to Kafka.
type Output struct {
	Topic      string
	Subject    string // the schema of the value
	ID         string // of the fact; "" for a row of a table
	Store      string
	CustomerID string
	At         time.Time
	Value      any    // nil is a tombstone
	Key        string // after the store; the customer where empty
	Source     string // of a raw record that the transformer writes: how it entered; "" for other outputs, which have that of their raw record
}

// Appender is a value that appends itself as JSON, as Encode would encode it.
type Appender interface {
	AppendJSON(b []byte) ([]byte, error)
}

// Records encodes outputs caused by raw. An error comes with the reason to reject raw: an output can't be encoded or is too
// large.
func (a *Arena) Records(outputs []Output, raw kafka.Record) ([]kafka.Record, reason.Reason, error) {
	records := make([]kafka.Record, 0, len(outputs))
	for _, o := range outputs {
		record, err := a.record(o, raw)
		if err != nil {
			return nil, reason.Malformed, err
		}
		if err := deadletter.CheckSize(record); err != nil {
			return nil, reason.TooLarge, err
		}
		records = append(records, record)
	}
	return records, "", nil
}

// record encodes o, caused by raw. It goes to raw's partition whatever its key, which keeps a customer's records in order. A raw
// record goes to the partition of its key: it is for another state.
func (a *Arena) record(o Output, raw kafka.Record) (kafka.Record, error) {
	a.reserve()
	value, err := a.encode(o.Value)
	if err != nil {
		return kafka.Record{}, fmt.Errorf("encode %s: %w", o.Subject, err)
	}
	key := cmp.Or(o.Key, o.CustomerID)
	partition, offset := a.number(int64(raw.Partition)), a.number(raw.Offset)
	id := a.text(o.ID)
	if o.ID == "" { // a row has no fact of its own
		id = a.text(key, "/", string(partition), "/", string(offset))
	}
	a.headers = append(a.headers[len(a.headers):],
		kafka.Header{Key: HeaderCESpecVersion, Value: a.text("1.0")},
		kafka.Header{Key: HeaderCEID, Value: id},
		kafka.Header{Key: HeaderCEType, Value: a.text(typePrefix, o.Subject)},
		kafka.Header{Key: HeaderCESource, Value: a.text("/stores/", o.Store)},
		kafka.Header{Key: HeaderCETime, Value: a.time(o.At)},
		kafka.Header{Key: HeaderCESubject, Value: a.text("customer/", o.CustomerID)},
		kafka.Header{Key: HeaderCEDataSchema, Value: a.urn(o.Subject)},
		kafka.Header{Key: HeaderContentType, Value: a.text("application/json")},
		kafka.Header{Key: HeaderStore, Value: a.text(o.Store)},
		kafka.Header{Key: HeaderReceivedAt, Value: valueOf(raw, HeaderReceivedAt)},
		kafka.Header{Key: HeaderTraceparent, Value: valueOf(raw, HeaderTraceparent)},
		kafka.Header{Key: HeaderRawTopic, Value: a.text(raw.Topic)},
		kafka.Header{Key: HeaderRawPartition, Value: partition},
		kafka.Header{Key: HeaderRawOffset, Value: offset},
		kafka.Header{Key: HeaderSource, Value: valueOf(raw, HeaderSource)},
	)
	record := kafka.Record{Topic: o.Topic, Partition: raw.Partition, Key: a.text(o.Store, "/", key), Value: value}
	if o.Source != "" {
		record.Partition, a.headers[headersPerRecord-1].Value = kafka.ByKey, a.text(o.Source)
	}
	record.Headers = slices.Clip(a.headers)
	return record, nil
}

// valueOf returns a header's value, which is empty if there is none.
func valueOf(r kafka.Record, key string) []byte {
	for _, h := range r.Headers {
		if h.Key == key && h.Value != nil {
			return h.Value
		}
	}
	return []byte{}
}

// Encode encodes a value as JSON, and nil as a tombstone. "<" is not escaped for HTML, which would take six bytes.
func Encode(value any) ([]byte, error) {
	if value == nil {
		return nil, nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}
