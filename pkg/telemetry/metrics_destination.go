package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// destinationMetrics are the metrics of HTTP calls to other systems.
type destinationMetrics struct {
	calls   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

func newDestinationMetrics(r *prometheus.Registry) destinationMetrics {
	d := destinationMetrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_destination_calls_total",
			Help: "HTTP calls to other systems by outcome. Each attempt is a call.",
		}, []string{"destination", "store", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rechargeflow_destination_call_seconds",
			Help:    "Time from the start of a call until the status of its answer. Without the store, which would multiply the series.",
			Buckets: []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30},
		}, []string{"destination", "outcome"}),
	}
	r.MustRegister(d.calls, d.seconds)
	return d
}

// Call observes an HTTP call to a destination for a store. The outcome is from the closed list of httpclient.Outcome.
func (m *Metrics) Call(destination, store, outcome string, took time.Duration) {
	m.destinations.calls.WithLabelValues(destination, store, outcome).Inc()
	m.destinations.seconds.WithLabelValues(destination, outcome).Observe(took.Seconds())
}
