package pipeline

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// Headers of every record. Those of CloudEvents follow its Kafka binding, binary
// mode: https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md
const (
	HeaderStore       = "store"
	HeaderReceivedAt  = "received_at" // when the gateway took the webhook, RFC 3339, UTC
	HeaderTraceparent = "traceparent"

	HeaderID          = "ce_id"
	HeaderType        = "ce_type"
	HeaderSource      = "ce_source"
	HeaderSpecVersion = "ce_specversion"
	HeaderTime        = "ce_time"
	HeaderSubject     = "ce_subject"
	HeaderDataSchema  = "ce_dataschema"
	HeaderContentType = "content-type"
)

// Headers of a raw webhook; the signature headers lie beside them, in lower case.
const (
	HeaderTopic        = "recharge_topic"
	HeaderDeliveryHash = "delivery_hash" // SHA-256 of topic and body: Recharge gives no delivery id
	HeaderOrigin       = "source"        // how the body came to us, one of the origins below
)

// The origins of a raw record.
const (
	OriginWebhook  = "webhook"
	OriginBackfill = "backfill" // a webhook that was missed
	OriginLookup   = "lookup"   // an answer of Recharge's API
	OriginImport   = "import"   // a customer who was there before us
)

// Headers by which an output names the raw webhook it came from.
const (
	HeaderRawTopic     = "raw_topic"
	HeaderRawPartition = "raw_partition"
	HeaderRawOffset    = "raw_offset"
)

const typePrefix = "rechargeflow."

// The ce_type of what lies in recharge.sms-triggers.
const (
	TypeTrigger    = typePrefix + schemas.SMSTrigger
	TypeRevocation = typePrefix + schemas.SMSRevocation
)

func header(key, value string) kafka.Header {
	return kafka.Header{Key: key, Value: []byte(value)}
}

// receivedAt is when the webhook behind r was taken.
func receivedAt(r kafka.Record) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, r.Header(HeaderReceivedAt))
	if err != nil {
		return time.Time{}, fmt.Errorf("read header %s: %w", HeaderReceivedAt, err)
	}
	return at, nil
}

// output is a value on its way to Kafka.
type output struct {
	topic      string
	subject    string // which schema it follows
	id         string
	store      string
	customerID string
	at         time.Time
	value      any    // nil takes a row out of a table
	key        string // behind the store's; the customer's where empty
}

// record makes the record for o, caused by raw. It goes to raw's partition
// whatever its key: that is where the customer's order is kept.
func (o output) record(raw kafka.Record) (kafka.Record, error) {
	value, err := encode(o.value)
	if err != nil {
		return kafka.Record{}, fmt.Errorf("encode %s: %w", o.subject, err)
	}
	key := cmp.Or(o.key, o.customerID)
	if o.id == "" { // a row: it has no fact of its own
		o.id = fmt.Sprintf("%s/%d/%d", key, raw.Partition, raw.Offset)
	}
	return kafka.Record{
		Topic:     o.topic,
		Partition: raw.Partition,
		Key:       []byte(o.store + "/" + key),
		Value:     value,
		Headers: []kafka.Header{
			header(HeaderSpecVersion, "1.0"),
			header(HeaderID, o.id),
			header(HeaderType, typePrefix+o.subject),
			header(HeaderSource, "/stores/"+o.store),
			header(HeaderTime, o.at.UTC().Format(time.RFC3339Nano)),
			header(HeaderSubject, "customer/"+o.customerID),
			header(HeaderDataSchema, schemas.URN(o.subject)),
			header(HeaderContentType, "application/json"),
			header(HeaderStore, o.store),
			header(HeaderReceivedAt, raw.Header(HeaderReceivedAt)),
			header(HeaderTraceparent, raw.Header(HeaderTraceparent)),
			header(HeaderRawTopic, raw.Topic),
			header(HeaderRawPartition, strconv.Itoa(raw.Partition)),
			header(HeaderRawOffset, strconv.FormatInt(raw.Offset, 10)),
		},
	}, nil
}

// encode writes "<" as it is: escaped for HTML, it would take six bytes. Nothing is a tombstone.
func encode(value any) ([]byte, error) {
	if value == nil {
		return nil, nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// outputs lists what a decision writes: events, then triggers, then revocations.
func outputs(topics Topics, d subscriber.Decision) []output {
	var out []output
	for _, e := range d.Events {
		out = append(out, output{topic: topics.Events(), subject: string(e.Type), id: e.ID, store: e.Store, customerID: e.RechargeCustomerID, at: e.OccurredAt, value: e})
	}
	for _, t := range d.Triggers {
		out = append(out, output{topic: topics.Triggers(), subject: schemas.SMSTrigger, id: t.ID, store: t.Store, customerID: t.RechargeCustomerID, at: t.OccurredAt, value: t})
	}
	for _, r := range d.Revocations {
		out = append(out, output{topic: topics.Triggers(), subject: schemas.SMSRevocation, id: r.ID, store: r.Store, customerID: r.RechargeCustomerID, at: r.OccurredAt, value: r})
	}
	return out
}
