package telemetry

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the metrics of one process, in their own registry.
//
// Label values must come from closed lists: roles, the configured stores, outcomes and reasons. An unchecked store name from a
// URL would let callers create an unlimited number of series.
type Metrics struct {
	registry *prometheus.Registry
	records  *prometheus.CounterVec
	ingest   *prometheus.HistogramVec
	response *prometheus.HistogramVec
	callback *prometheus.CounterVec
	unknown  *prometheus.CounterVec
	endToEnd *prometheus.HistogramVec
	paused   *prometheus.GaugeVec
	texts    *prometheus.CounterVec
	waiting  *prometheus.GaugeVec
	lookups  *prometheus.CounterVec
	pending  *prometheus.GaugeVec
	fields   *prometheus.CounterVec
	build    *prometheus.GaugeVec

	kafka        kafkaMetrics
	destinations destinationMetrics
	state        stateMetrics
	condition    conditionMetrics
	certificates *certificates
	groups       *groups

	registrations registrationMetrics
	reload        reloadMetrics
	links         linkMetrics
	console       consoleMetrics
}

// NewMetrics registers all metrics, and those of Go and of the process.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_records_total",
			Help: "Records by outcome. The reason is empty for outcomes that have none.",
		}, []string{"role", "store", "outcome", "reason"}),
		ingest: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rechargeflow_ingest_seconds",
			Help:    "Time from the arrival of a webhook to its response. Recharge times out after 5 s.",
			Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5},
		}, []string{"store"}),
		response: newResponses(),
		callback: newCallbacks(),
		unknown:  newUnknownTopics(),
		endToEnd: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rechargeflow_end_to_end_seconds",
			Help:    "Time from the arrival of a webhook until the role has processed the record that it led to.",
			Buckets: []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600},
		}, []string{"role", "store"}),
		paused: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rechargeflow_store_paused",
			Help: "1 while the role processes no records of the store, because its destination refuses all of them.",
		}, []string{"role", "store"}),
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rechargeflow_waiting_partitions",
			Help: "Partitions whose next record waits for another system. The log and /readyz name it.",
		}, []string{"role", "group"}),
		texts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_texts_total",
			Help: "Changes of text messages, by their new status.",
		}, []string{"store", "flow", "status", "reason"}),
		lookups: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_lookups_total",
			Help: "Lookup requests to Recharge's API by outcome. Failed ones are repeated.",
		}, []string{"store", "kind", "outcome"}),
		pending: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rechargeflow_lookups_pending",
			Help: "Lookup requests without an answer, including those that are not due yet.",
		}, []string{"store"}),
		fields: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_unreadable_fields_total",
			Help: "Fields of webhooks that could not be read and were left out, because no decision needs them.",
		}, []string{"store", "resource", "field"}),
		build: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rechargeflow_build_info",
			Help: "Always 1. The labels name the build.",
		}, []string{"version", "commit", "go"}),
	}
	m.registry.MustRegister(m.records, m.ingest, m.response, m.callback, m.unknown, m.endToEnd, m.paused, m.texts, m.waiting, m.lookups, m.pending, m.fields, m.build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.kafka, m.destinations = newKafkaMetrics(m.registry), newDestinationMetrics(m.registry)
	m.state, m.condition = newStateMetrics(m.registry), newConditionMetrics(m.registry)
	m.certificates = newCertificates(m.registry)
	m.registrations, m.reload = newRegistrationMetrics(m.registry), newReloadMetrics(m.registry)
	m.links = newLinkMetrics(m.registry)
	m.console = newConsoleMetrics(m.registry)
	m.groups = &groups{past: map[string]int64{}, read: map[string]func() int64{}}
	return m
}

// accepted is the outcome of a webhook that the gateway has stored: see stage.KindAccepted.
const accepted = "accepted"

// Record counts one record. Outcome and reason are from the closed list of the pipeline.
func (m *Metrics) Record(role, store, outcome, reason string) {
	m.records.WithLabelValues(role, store, outcome, reason).Inc()
	if outcome == accepted {
		m.condition.lastWebhook.WithLabelValues(store).SetToCurrentTime()
	}
}

// Ingest observes the time from the arrival of a webhook to its response.
func (m *Metrics) Ingest(store string, d time.Duration) {
	m.ingest.WithLabelValues(store).Observe(d.Seconds())
}

// EndToEnd observes the time from the arrival of a webhook until a role has processed a record caused by it. The trace ID of a
// valid traceparent becomes an exemplar, which a scrape in the OpenMetrics format gets: it leads from a slow webhook to its log lines.
func (m *Metrics) EndToEnd(role, store string, d time.Duration, traceparent string) {
	histogram := m.endToEnd.WithLabelValues(role, store)
	exemplars, ok := histogram.(prometheus.ExemplarObserver)
	if trace := traceID(traceparent); ok && trace != "" {
		exemplars.ObserveWithExemplar(d.Seconds(), prometheus.Labels{"trace_id": trace})
		return
	}
	histogram.Observe(d.Seconds())
}

// Paused sets whether a role has paused the records of a store.
func (m *Metrics) Paused(role, store string, paused bool) {
	m.paused.WithLabelValues(role, store).Set(number(paused))
}

// Text counts a change of a text message. All labels are from closed lists.
func (m *Metrics) Text(store, flow, status, reason string) {
	m.texts.WithLabelValues(store, flow, status, reason).Inc()
}

// Waiting sets the number of a group's partitions in which a record waits for another system.
func (m *Metrics) Waiting(role, group string, partitions int) {
	m.waiting.WithLabelValues(role, group).Set(float64(partitions))
}

// Lookup counts one lookup request.
func (m *Metrics) Lookup(store, kind, outcome string) {
	m.lookups.WithLabelValues(store, kind, outcome).Inc()
}

// LookupsPending sets the number of a store's lookup requests without a response.
func (m *Metrics) LookupsPending(store string, requests int) {
	m.pending.WithLabelValues(store).Set(float64(requests))
}

// UnreadableField counts a field that was left out. The field is one that the decoder knows.
func (m *Metrics) UnreadableField(store, resource, field string) {
	m.fields.WithLabelValues(store, resource, field).Inc()
}

// Build sets the build info of the process.
func (m *Metrics) Build(v Version) {
	m.build.WithLabelValues(v.Version, v.Commit, v.Go).Set(1)
}

// replace registers a collector in place of the one with the same names and labels, if there is one.
func (m *Metrics) replace(c prometheus.Collector) {
	m.registry.Unregister(c)
	m.registry.MustRegister(c)
}

// Handler returns the handler for Prometheus scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, EnableOpenMetrics: true})
}
