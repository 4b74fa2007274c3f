package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// linkMetrics are those of short links.
type linkMetrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	clicks   *prometheus.CounterVec
	dropped  *prometheus.CounterVec
}

func newLinkMetrics(registry *prometheus.Registry) linkMetrics {
	m := linkMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_link_requests_total",
			Help: "Requests for short links by outcome: redirected, head, expired, unknown, refused, unavailable, probe.",
		}, []string{"store", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rechargeflow_link_response_seconds",
			Help:    "Time to the answer to a request for a short link.",
			Buckets: []float64{0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1},
		}, []string{}),
		clicks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_link_clicks_total",
			Help: "Clicks on short links that were written to Kafka, by the sign that a program made them; the sign is empty for those of people.",
		}, []string{"store", "sign"}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_link_clicks_dropped_total",
			Help: "Clicks on short links that were not written, by reason. The customer was led on.",
		}, []string{"store", "reason"}),
	}
	registry.MustRegister(m.requests, m.seconds, m.clicks, m.dropped)
	return m
}

// LinkRequest counts and times an answer to a request for a short link. Store and outcome are from closed lists.
func (m *Metrics) LinkRequest(store, outcome string, took time.Duration) {
	m.links.requests.WithLabelValues(store, outcome).Inc()
	m.links.seconds.WithLabelValues().Observe(took.Seconds())
}

// LinkClick counts a click that was written to Kafka. The sign is "" for one of a person.
func (m *Metrics) LinkClick(store, sign string) { m.links.clicks.WithLabelValues(store, sign).Inc() }

// LinkClickDropped counts a click that was not written.
func (m *Metrics) LinkClickDropped(store, why string) {
	m.links.dropped.WithLabelValues(store, why).Inc()
}

// Links exports how many short links are in memory. Call it once.
func (m *Metrics) Links(read func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "rechargeflow_links", Help: "Short links that the process has in memory.",
	}, func() float64 { return float64(read()) }))
}

// LinkConnections exports what callers take from the port of short links: open connections, and those closed because of the limit. Call it
// once.
func (m *Metrics) LinkConnections(open func() int, evicted func() int64) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "rechargeflow_link_connections", Help: "Open connections to the port of short links, at most links.max_connections.",
		}, func() float64 { return float64(open()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "rechargeflow_link_connections_evicted_total", Help: "Connections to the port of short links that were closed because of links.max_connections.",
		}, func() float64 { return float64(evicted()) }),
	)
}
