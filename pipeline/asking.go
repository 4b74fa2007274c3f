package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/lookup"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// NewAsker asks Recharge's API what the transformer wants to know and can't know.
// Each answer enters as a webhook does: through the raw topic, in its customer's order.
//
//	in         what the transformer's state says is wanted, readers by store
//	out        recharge.webhooks, source lookup; the value is a recharge.Lookup
//	guarantee  an ask is done when its answer is in the topic; who takes a partition
//	           over asks anew what still is wanted
//	on failure again, after a pause, without end: nothing but its customer waits
func NewAsker(run Runtime, readers map[string]lookup.Reader) *lookup.Asker {
	return lookup.New(lookup.Config{
		Readers: readers, Role: string(RoleTransformer), Now: run.Now, Log: run.Log, Metrics: run.Metrics,
		Keep: func(ctx context.Context, a lookup.Answer) error {
			record, err := LookupRecord(run.Topics.Webhooks(), a)
			if err != nil {
				return err
			}
			return run.Producer.Produce(ctx, record)
		},
	})
}

// LookupRecord is an answer as a raw record. It has the key of its customer's webhooks, and so goes to their partition.
func LookupRecord(topic string, a lookup.Answer) (kafka.Record, error) {
	value, err := encode(a.Lookup)
	if err != nil {
		return kafka.Record{}, fmt.Errorf("encode lookup: %w", err)
	}
	return kafka.Record{
		Topic: topic, Partition: kafka.ByKey, Key: []byte(a.Store + "/" + a.CustomerID), Value: value, Time: a.At,
		Headers: []kafka.Header{
			header(HeaderStore, a.Store),
			header(HeaderReceivedAt, a.At.UTC().Format(time.RFC3339Nano)),
			header(HeaderOrigin, OriginLookup),
			header(HeaderDataSchema, schemas.URN(schemas.Lookup)),
			header(HeaderContentType, "application/json"),
			header(HeaderTraceparent, telemetry.EnsureTraceparent(a.Traceparent)),
		},
	}, nil
}
