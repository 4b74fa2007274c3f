package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// conditionMetrics say what should be there, and what is wrong with it.
type conditionMetrics struct {
	configured  *prometheus.GaugeVec
	lastWebhook *prometheus.GaugeVec
	retention   *prometheus.GaugeVec
	trouble     *prometheus.GaugeVec
}

func newConditionMetrics(r *prometheus.Registry) conditionMetrics {
	c := conditionMetrics{
		configured: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rechargeflow_group_configured",
			Help: "1 for each consumer group of the configuration. Every process exports all of them, whatever its roles.",
		}, []string{"role", "group"}),
		lastWebhook: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rechargeflow_last_webhook_timestamp_seconds",
			Help: "Unix time at which the gateway last accepted a webhook of the store; 0 if it has accepted none since its start.",
		}, []string{"store"}),
		retention: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rechargeflow_topic_retention_seconds",
			Help: "How long the built-in topics file keeps records of the topic.",
		}, []string{"topic"}),
		trouble: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rechargeflow_topic_trouble",
			Help: "1 while the topic is missing, has another number of partitions, or has settings that lose records.",
		}, []string{"topic", "kind"}),
	}
	r.MustRegister(c.configured, c.lastWebhook, c.retention, c.trouble)
	return c
}

// StoreConfigured exports a store whose webhooks the gateway accepts, before its first webhook.
func (m *Metrics) StoreConfigured(store string) { m.condition.lastWebhook.WithLabelValues(store) }

// StoreRemoved ends what StoreConfigured exports.
func (m *Metrics) StoreRemoved(store string) { m.condition.lastWebhook.DeleteLabelValues(store) }

// TopicRetention exports how long a topic keeps records.
func (m *Metrics) TopicRetention(topic string, keeps time.Duration) {
	m.condition.retention.WithLabelValues(topic).Set(keeps.Seconds())
}

// TopicTrouble sets whether a topic differs from what the roles need. Kinds are missing, partitions, replicas and config.
func (m *Metrics) TopicTrouble(topic, kind string, is bool) {
	m.condition.trouble.WithLabelValues(topic, kind).Set(number(is))
}

// Ready exports whether the process is ready, for one of its roles. read must not block. Call it once per role.
func (m *Metrics) Ready(role string, read func() bool) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "rechargeflow_ready",
		Help:        "1 if /readyz of the process answers 200. In a process with the gateway only the gateway decides.",
		ConstLabels: prometheus.Labels{"role": role},
	}, func() float64 { return number(read()) }))
}

// number is the value of a gauge for a condition.
func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
