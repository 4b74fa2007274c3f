package admission

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Position returns the partition and the offset of a raw record as the header repair_of has them.
func Position(raw kafka.Record) string { return fmt.Sprintf("%d/%d", raw.Partition, raw.Offset) }

// Retopic returns a webhook that came under a wrong topic as a raw record of another topic, to be published at a time. It keeps its
// body and its time of receipt, gets the key that the gateway would have given it, and names the record that it repeats. The error says why
// the body can't be one of the topic.
func Retopic(raw kafka.Record, to recharge.Topic, now time.Time) (kafka.Record, error) {
	found, valid := recharge.Inspect(to, raw.Value)
	switch {
	case !valid:
		return kafka.Record{}, errors.New("the body is not a JSON document")
	case found.OtherResource != "":
		return kafka.Record{}, fmt.Errorf("the body is that of the resource %s", found.OtherResource)
	}
	headers := slices.DeleteFunc(slices.Clone(raw.Headers), func(h kafka.Header) bool {
		return slices.Contains([]string{envelope.HeaderRechargeTopic, envelope.HeaderDeliveryHash, envelope.HeaderSource, envelope.HeaderRepairOf}, h.Key)
	})
	headers = append(headers,
		envelope.Header(envelope.HeaderRechargeTopic, string(to)),
		envelope.Header(envelope.HeaderDeliveryHash, recharge.DeliveryHash(to, raw.Value)),
		envelope.Header(envelope.HeaderSource, envelope.SourceOperator),
		envelope.Header(envelope.HeaderRepairOf, Position(raw)),
	)
	address := Address{Store: raw.Header(envelope.HeaderStore), Resource: to.Resource()}
	return kafka.Record{Topic: raw.Topic, Partition: kafka.ByKey, Key: []byte(address.key(found)), Value: raw.Value, Headers: headers, Time: now}, nil
}
