package envelope

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/schemas"
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
	Source     string // of a raw record: how it entered; "" for other outputs
}

// record encodes o, caused by raw. It goes to raw's partition whatever its key, which keeps a customer's records in order. A raw
// record goes to the partition of its key: it is for another state.
func (o Output) record(raw kafka.Record) (kafka.Record, error) {
	value, err := Encode(o.Value)
	if err != nil {
		return kafka.Record{}, fmt.Errorf("encode %s: %w", o.Subject, err)
	}
	key := cmp.Or(o.Key, o.CustomerID)
	if o.ID == "" { // a row has no fact of its own
		o.ID = fmt.Sprintf("%s/%d/%d", key, raw.Partition, raw.Offset)
	}
	record := kafka.Record{
		Topic:     o.Topic,
		Partition: raw.Partition,
		Key:       []byte(o.Store + "/" + key),
		Value:     value,
		Headers: []kafka.Header{
			Header(HeaderCESpecVersion, "1.0"),
			Header(HeaderCEID, o.ID),
			Header(HeaderCEType, typePrefix+o.Subject),
			Header(HeaderCESource, "/stores/"+o.Store),
			Header(HeaderCETime, o.At.UTC().Format(time.RFC3339Nano)),
			Header(HeaderCESubject, "customer/"+o.CustomerID),
			Header(HeaderCEDataSchema, schemas.URN(o.Subject)),
			Header(HeaderContentType, "application/json"),
			Header(HeaderStore, o.Store),
			Header(HeaderReceivedAt, raw.Header(HeaderReceivedAt)),
			Header(HeaderTraceparent, raw.Header(HeaderTraceparent)),
			Header(HeaderRawTopic, raw.Topic),
			Header(HeaderRawPartition, strconv.Itoa(raw.Partition)),
			Header(HeaderRawOffset, strconv.FormatInt(raw.Offset, 10)),
		},
	}
	if o.Source != "" {
		record.Partition, record.Headers = kafka.ByKey, append(record.Headers, Header(HeaderSource, o.Source))
	}
	return record, nil
}

// Records encodes outputs caused by raw. An error comes with the reason to reject raw: an output can't be encoded or is too
// large.
func Records(outputs []Output, raw kafka.Record) ([]kafka.Record, reason.Reason, error) {
	records := make([]kafka.Record, 0, len(outputs))
	for _, o := range outputs {
		record, err := o.record(raw)
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
