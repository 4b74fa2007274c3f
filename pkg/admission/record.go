package admission

import (
	"net/http"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// maxHeader is the longest signature or topic header that is stored. Recharge sends less than 200 bytes.
const maxHeader = 1 << 10

// Record returns the raw record of a webhook that arrived at a time with these headers. It has the memory of the body.
func (w Webhook) Record(topic string, h http.Header, at time.Time) kafka.Record {
	token := envelope.AddressTokenNone
	if w.AddressToken {
		token = envelope.AddressTokenValid
	}
	stored := recharge.StoredHeaders()
	headers := append(make([]kafka.Header, 0, 8+len(stored)),
		envelope.Header(envelope.HeaderRechargeTopic, string(w.Topic)),
		envelope.Header(envelope.HeaderStore, w.Store),
		envelope.Header(envelope.HeaderReceivedAt, at.UTC().Format(time.RFC3339Nano)),
		envelope.Header(envelope.HeaderDeliveryHash, recharge.DeliveryHash(w.Topic, w.Body)),
		envelope.Header(envelope.HeaderSource, envelope.SourceWebhook),
		envelope.Header(envelope.HeaderTraceparent, h.Get(envelope.HeaderTraceparent)),
		envelope.Header(envelope.HeaderVerifiedBy, string(w.Scheme)),
		envelope.Header(envelope.HeaderAddressToken, token),
	)
	for _, name := range stored {
		if value := h.Get(name); value != "" && len(value) <= maxHeader {
			headers = append(headers, envelope.Header(strings.ToLower(name), value))
		}
	}
	return kafka.Record{Topic: topic, Partition: kafka.ByKey, Key: []byte(w.Key), Value: w.Body, Headers: headers, Time: at}
}
