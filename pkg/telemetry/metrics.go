package telemetry

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the numbers of one process, in a registry of their own.
//
// Label values must come from closed lists: roles, the configured stores, outcomes and reasons. A store
// name taken from a URL before it is checked would let strangers grow the registry without bound.
type Metrics struct {
	registry *prometheus.Registry
	records  *prometheus.CounterVec
	ingest   *prometheus.HistogramVec
	endToEnd *prometheus.HistogramVec
	paused   *prometheus.GaugeVec
	waiting  *prometheus.GaugeVec
	lookups  *prometheus.CounterVec
	asks     *prometheus.GaugeVec
	build    *prometheus.GaugeVec
}

// NewMetrics registers everything that Metrics counts, and Go's and the process's own numbers.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_records_total",
			Help: "Records by what became of them. The reason is empty where the outcome says all.",
		}, []string{"role", "store", "outcome", "reason"}),
		ingest: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rechargeflow_ingest_seconds",
			Help:    "Time from a webhook's arrival to its answer. Recharge gives up after 5 s.",
			Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5},
		}, []string{"store"}),
		endToEnd: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rechargeflow_end_to_end_seconds",
			Help:    "Time from a webhook's arrival to the role being done with what came of it.",
			Buckets: []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600},
		}, []string{"role", "store"}),
		paused: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rechargeflow_store_paused",
			Help: "1 while the role takes no work of the store, because its destination refuses all.",
		}, []string{"role", "store"}),
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rechargeflow_waiting_partitions",
			Help: "Partitions whose next record waits for something outside; the log and /readyz say for what.",
		}, []string{"role", "group"}),
		lookups: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_lookups_total",
			Help: "Questions to Recharge's API by what came of them; those that brought no answer are asked again.",
		}, []string{"store", "asked_for", "outcome"}),
		asks: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rechargeflow_lookups_pending",
			Help: "Questions to Recharge's API that have no answer yet, those that are not due yet among them.",
		}, []string{"store"}),
		build: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rechargeflow_build_info",
			Help: "Always 1; the labels tell which build runs.",
		}, []string{"version", "commit", "go"}),
	}
	m.registry.MustRegister(m.records, m.ingest, m.endToEnd, m.paused, m.waiting, m.lookups, m.asks, m.build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Record counts one record. Outcome and reason are from the closed list of the pipeline.
func (m *Metrics) Record(role, store, outcome, reason string) {
	m.records.WithLabelValues(role, store, outcome, reason).Inc()
}

// Ingest notes how long a webhook took from its arrival to its answer.
func (m *Metrics) Ingest(store string, d time.Duration) {
	m.ingest.WithLabelValues(store).Observe(d.Seconds())
}

// EndToEnd notes how long ago the webhook arrived whose consequence the role is now done with.
func (m *Metrics) EndToEnd(role, store string, d time.Duration) {
	m.endToEnd.WithLabelValues(role, store).Observe(d.Seconds())
}

// Paused notes whether the role takes no work of the store at present.
func (m *Metrics) Paused(role, store string, paused bool) {
	value := 0.0
	if paused {
		value = 1
	}
	m.paused.WithLabelValues(role, store).Set(value)
}

// Waiting sets in how many partitions of a group a record waits.
func (m *Metrics) Waiting(role, group string, partitions int) {
	m.waiting.WithLabelValues(role, group).Set(float64(partitions))
}

// Lookup counts one question to Recharge's API.
func (m *Metrics) Lookup(store, askedFor, outcome string) {
	m.lookups.WithLabelValues(store, askedFor, outcome).Inc()
}

// LookupsPending sets how many questions of a store have no answer yet.
func (m *Metrics) LookupsPending(store string, asks int) {
	m.asks.WithLabelValues(store).Set(float64(asks))
}

// Build notes which build runs.
func (m *Metrics) Build(v Version) {
	m.build.WithLabelValues(v.Version, v.Commit, v.Go).Set(1)
}

// Lost exports how many records a group passed over because retention had deleted them before they were
// read. It is called once per group, when the process starts.
func (m *Metrics) Lost(group string, read func() int64) {
	m.count("rechargeflow_lost_records_total", "Records deleted by retention before they were read. Anything but 0 is an incident.", group, read)
}

// Rejoins exports how often the process joined a group anew since it heard nothing of it for too long.
func (m *Metrics) Rejoins(group string, read func() int64) {
	m.count("rechargeflow_rejoins_total", "Times that a group was joined anew, since nothing was heard of it for too long.", group, read)
}

// Stuck exports in how many partitions of a group the work does not come to an end, or was halted.
func (m *Metrics) Stuck(group string, read func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "rechargeflow_stuck_partitions",
		Help:        "Partitions whose work does not come to an end, or that were halted; /readyz says why.",
		ConstLabels: prometheus.Labels{"group": group},
	}, func() float64 { return float64(read()) }))
}

func (m *Metrics) count(name, help, group string, read func() int64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: name, Help: help, ConstLabels: prometheus.Labels{"group": group},
	}, func() float64 { return float64(read()) }))
}

// Handler answers a scrape by Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}
