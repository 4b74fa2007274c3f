package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// stateMetrics are the metrics of the transformer's local state.
type stateMetrics struct {
	restore prometheus.Histogram
	rows    prometheus.Counter
	full    prometheus.Gauge
}

func newStateMetrics(r *prometheus.Registry) stateMetrics {
	s := stateMetrics{
		restore: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "rechargeflow_state_restore_seconds",
			Help:    "Time to restore the state of a partition that was assigned. Its webhooks wait meanwhile.",
			Buckets: []float64{0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900},
		}),
		rows: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rechargeflow_state_restored_rows_total",
			Help: "Rows read from recharge.state to restore partitions.",
		}),
		full: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rechargeflow_state_disk_full",
			Help: "1 while the disk of transformer.state_dir takes no writes.",
		}),
	}
	r.MustRegister(s.restore, s.rows, s.full)
	return s
}

// StateRestored observes that the state of one partition was restored, from so many rows of the changelog.
func (m *Metrics) StateRestored(rows int, took time.Duration) {
	m.state.restore.Observe(took.Seconds())
	m.state.rows.Add(float64(rows))
}

// StateDiskFull sets whether the disk of the local state takes no writes.
func (m *Metrics) StateDiskFull(full bool) { m.state.full.Set(number(full)) }

// StateDisk holds the sizes in bytes of the local state and of its file system.
type StateDisk struct {
	State, Free, Total uint64
}

// StateDisk exports the sizes that read returns at each scrape. read must not block. Call it once.
func (m *Metrics) StateDisk(read func() StateDisk) {
	for name, of := range map[string]struct {
		help  string
		bytes func(StateDisk) uint64
	}{
		"rechargeflow_state_bytes":            {"Size of the local copy of the state on disk.", func(d StateDisk) uint64 { return d.State }},
		"rechargeflow_state_disk_free_bytes":  {"Free space in the file system of transformer.state_dir.", func(d StateDisk) uint64 { return d.Free }},
		"rechargeflow_state_disk_total_bytes": {"Size of the file system of transformer.state_dir.", func(d StateDisk) uint64 { return d.Total }},
	} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: of.help}, func() float64 {
			return float64(of.bytes(read()))
		}))
	}
}

// ParkedCustomers exports the numbers of customers that read returns at each scrape, by store. Call it once.
func (m *Metrics) ParkedCustomers(read func() map[string]int) {
	m.registry.MustRegister(parkedCollector{read, prometheus.NewDesc("rechargeflow_parked_customers",
		"Customers whose records are parked until Recharge's API answers.", []string{"store"}, nil)})
}

// parkedCollector collects the numbers of customers with parked records at each scrape.
type parkedCollector struct {
	read func() map[string]int
	desc *prometheus.Desc
}

// Describe is part of prometheus.Collector.
func (c parkedCollector) Describe(out chan<- *prometheus.Desc) { out <- c.desc }

// Collect is part of prometheus.Collector.
func (c parkedCollector) Collect(out chan<- prometheus.Metric) {
	for store, customers := range c.read() {
		out <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(customers), store)
	}
}
