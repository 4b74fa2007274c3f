package telemetry

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// newResponses returns the histogram of the gateway's answers. Its buckets are narrow up to the 5 s after which Recharge gives up.
func newResponses() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "rechargeflow_gateway_response_seconds",
		Help:    "Time from a request to any answer of the gateway, by status. Recharge times out after 5 s.",
		Buckets: []float64{0.005, 0.025, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 10},
	}, []string{"status"})
}

func newCallbacks() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rechargeflow_callbacks_total",
		Help: "Callbacks of SMS providers by kind and outcome. The kind is empty for refused ones, the reason for accepted ones.",
	}, []string{"store", "kind", "outcome", "reason"})
}

func newUnknownTopics() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rechargeflow_unknown_topics_total",
		Help: "Accepted webhooks whose address has a topic that Recharge does not have, by the topic that it resembles most, none if there is no such topic.",
	}, []string{"store", "nearest"})
}

// UnknownTopic counts an accepted webhook of a topic that Recharge does not have. The nearest topic is one of Recharge's, or "".
func (m *Metrics) UnknownTopic(store, nearest string) {
	m.unknown.WithLabelValues(store, cmp.Or(nearest, "none")).Inc()
}

// Callback counts a callback of an SMS provider. All labels are from closed lists.
func (m *Metrics) Callback(store, kind, outcome, why string) {
	m.callback.WithLabelValues(store, kind, outcome, why).Inc()
}

// Response observes the time to an answer of the gateway, accepted or refused.
func (m *Metrics) Response(status int, took time.Duration) {
	label := "other"
	if slices.Contains([]int{200, 400, 401, 404, 405, 413, 431, 500, 501, 503}, status) {
		label = strconv.Itoa(status)
	}
	m.response.WithLabelValues(label).Observe(took.Seconds())
}

// GatewayLimits exports what unverified callers take from the gateway: open connections, connections closed because of the limit, and
// bytes of bodies in memory. Call it once.
func (m *Metrics) GatewayLimits(connections func() int, evicted, bodyBytes func() int64) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "rechargeflow_gateway_connections", Help: "Open connections to the gateway, at most gateway.max_connections.",
		}, func() float64 { return float64(connections()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "rechargeflow_gateway_connections_evicted_total", Help: "Connections that were closed because of gateway.max_connections.",
		}, func() float64 { return float64(evicted()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "rechargeflow_gateway_body_bytes", Help: "Bytes of bodies in memory, at most gateway.body_memory.",
		}, func() float64 { return float64(bodyBytes()) }),
	)
}
