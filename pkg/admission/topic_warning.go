package admission

import (
	"strings"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// WarnOfTopic logs that Recharge does not have the topic of an accepted webhook, and calls unknown with the topic that it resembles most,
// "" for none. It also logs that the webhook's own header names another topic: that header is not signed, so its value must not be
// logged.
func WarnOfTopic(r kafka.Record, log *zap.Logger, unknown func(store, nearest string)) {
	store, topic := r.Header(envelope.HeaderStore), recharge.Topic(r.Header(envelope.HeaderRechargeTopic))
	fields := []zap.Field{zap.String("store", store), zap.String(envelope.HeaderRechargeTopic, string(topic))}
	if !topic.Known() {
		nearest := string(topic.Nearest())
		unknown(store, nearest)
		log.Warn("topic of the address is unknown, webhook has no effect until it is repaired", append(fields, zap.String("nearest", nearest))...)
	}
	if named := r.Header(strings.ToLower(recharge.HeaderTopic)); named != "" && named != string(topic) {
		log.Warn("topic header differs from the URL path, using the path", fields...)
	}
}
