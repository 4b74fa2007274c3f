package lookup

import (
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// Record encodes an API response as a raw record. It has the same key as the customer's webhooks, so it goes to the same
// partition.
func Record(topic string, l recharge.Lookup) (kafka.Record, error) {
	value, err := envelope.Encode(l)
	if err != nil {
		return kafka.Record{}, fmt.Errorf("encode lookup: %w", err)
	}
	return kafka.Record{
		Topic: topic, Partition: kafka.ByKey, Key: []byte(l.Store + "/" + l.CustomerID), Value: value, Time: l.AnsweredAt,
		Headers: []kafka.Header{
			envelope.Header(envelope.HeaderStore, l.Store),
			envelope.Header(envelope.HeaderReceivedAt, l.AnsweredAt.UTC().Format(time.RFC3339Nano)),
			envelope.Header(envelope.HeaderSource, envelope.SourceLookup),
			envelope.Header(envelope.HeaderCEDataSchema, schemas.URN(schemas.Lookup)),
			envelope.Header(envelope.HeaderContentType, "application/json"),
			envelope.Header(envelope.HeaderTraceparent, telemetry.EnsureTraceparent(l.Traceparent)),
		},
	}, nil
}
