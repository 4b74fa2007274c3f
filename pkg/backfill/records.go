package backfill

import (
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// CustomerRecord returns the raw record of a customer with all subscriptions, as Recharge's API listed them at l.ListedAt. l.Store and
// l.AnsweredAt must be set.
func CustomerRecord(topic string, l recharge.Lookup) (kafka.Record, error) {
	value, err := envelope.Encode(l)
	if err != nil {
		return kafka.Record{}, fmt.Errorf("encode customer %s: %w", l.CustomerID, err)
	}
	r := record(topic, l.Store, l.CustomerID, l.AnsweredAt, envelope.SourceImport, value)
	r.Headers = append(r.Headers, envelope.Header(envelope.HeaderCEDataSchema, schemas.URN(schemas.Lookup)))
	return r, nil
}

// Resource is a resource that was read from Recharge's API.
type Resource struct {
	Store      string
	CustomerID string
	// Topic is that of the webhook whose body is the same: {resource}/updated, or customer/deleted for a customer that Recharge does not
	// know any more.
	Topic  recharge.Topic
	Body   []byte
	ReadAt time.Time
	// FactsSince is the earliest time of the facts that it may show; zero for none.
	FactsSince time.Time
}

// ResourceRecord returns the raw record of a resource.
func ResourceRecord(topic string, r Resource) kafka.Record {
	to := record(topic, r.Store, r.CustomerID, r.ReadAt, envelope.SourceBackfill, r.Body)
	to.Headers = append(to.Headers, envelope.Header(envelope.HeaderRechargeTopic, string(r.Topic)))
	if !r.FactsSince.IsZero() {
		to.Headers = append(to.Headers, envelope.Header(envelope.HeaderFactsSince, r.FactsSince.UTC().Format(time.RFC3339Nano)))
	}
	return to
}

// record has the key of the customer's webhooks, so it goes to their partition.
func record(topic, store, customer string, at time.Time, source string, value []byte) kafka.Record {
	return kafka.Record{
		Topic: topic, Partition: kafka.ByKey, Key: []byte(store + "/" + customer), Value: value, Time: at,
		Headers: []kafka.Header{
			envelope.Header(envelope.HeaderStore, store),
			envelope.Header(envelope.HeaderReceivedAt, at.UTC().Format(time.RFC3339Nano)),
			envelope.Header(envelope.HeaderSource, source),
			envelope.Header(envelope.HeaderContentType, "application/json"),
			envelope.Header(envelope.HeaderTraceparent, telemetry.EnsureTraceparent("")),
		},
	}
}
