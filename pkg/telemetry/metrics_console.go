package telemetry

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// consoleMetrics are those of the console.
type consoleMetrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	logins   *prometheus.CounterVec
}

func newConsoleMetrics(registry *prometheus.Registry) consoleMetrics {
	m := consoleMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_console_requests_total",
			Help: "Requests to the console by the pattern of their address, method and status.",
		}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rechargeflow_console_response_seconds",
			Help:    "Time to the answer of the console by the pattern of the address. A stream of events ends with its reader.",
			Buckets: []float64{0.005, 0.025, 0.1, 0.25, 1, 5, 30},
		}, []string{"route"}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_console_logins_total", Help: "Attempts to log in to the console by outcome.",
		}, []string{"outcome"}),
	}
	registry.MustRegister(m.requests, m.seconds, m.logins)
	return m
}

// ConsoleRequest counts and times an answer of the console. Route and method are from closed lists.
func (m *Metrics) ConsoleRequest(route, method string, status int, took time.Duration) {
	m.console.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	m.console.seconds.WithLabelValues(route).Observe(took.Seconds())
}

// ConsoleLogin counts an attempt to log in to the console. The outcome is from a closed list.
func (m *Metrics) ConsoleLogin(outcome string) { m.console.logins.WithLabelValues(outcome).Inc() }

// ConsoleReading exports how far the console has read the topics: offsets that it has not read, and the age of what it knows. Call it once.
func (m *Metrics) ConsoleReading(unread func() int64, age func() time.Duration) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "rechargeflow_console_unread_records", Help: "Offsets of the topics that the console has not read yet.",
		}, func() float64 { return float64(unread()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "rechargeflow_console_reading_age_seconds", Help: "Time since the console knew the ends of all topics. It grows while brokers do not answer.",
		}, func() float64 { return age().Seconds() }),
	)
}

// ConsoleConnections exports what callers take from the port of the console: open connections, and those closed because of the limit. Call it once.
func (m *Metrics) ConsoleConnections(open func() int, evicted func() int64) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "rechargeflow_console_connections", Help: "Open connections to the port of the console, at most console.max_connections.",
		}, func() float64 { return float64(open()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "rechargeflow_console_connections_evicted_total", Help: "Connections to the port of the console that were closed because of console.max_connections.",
		}, func() float64 { return float64(evicted()) }),
	)
}
