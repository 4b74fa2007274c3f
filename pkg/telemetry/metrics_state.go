package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// stateMetrics are the metrics of the roles' local state.
type stateMetrics struct {
	restore *prometheus.HistogramVec
	rows    *prometheus.CounterVec
	full    *prometheus.GaugeVec
}

func newStateMetrics(r *prometheus.Registry) stateMetrics {
	s := stateMetrics{
		restore: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rechargeflow_state_restore_seconds",
			Help:    "Time to restore the state of a partition that was assigned. Its records wait meanwhile.",
			Buckets: []float64{0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900},
		}, []string{"role"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_state_restored_rows_total",
			Help: "Rows read from the role's changelog to restore partitions.",
		}, []string{"role"}),
		full: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rechargeflow_state_disk_full",
			Help: "1 while the disk of the role's state directory takes no writes.",
		}, []string{"role"}),
	}
	r.MustRegister(s.restore, s.rows, s.full)
	return s
}

// RoleState has the metrics of one role's local state.
type RoleState struct {
	metrics *Metrics
	role    string
}

// State returns the metrics of a role's local state.
func (m *Metrics) State(role string) RoleState {
	m.state.full.WithLabelValues(role).Set(0)
	return RoleState{metrics: m, role: role}
}

// StateRestored observes that the state of one partition was restored, from so many rows of the changelog.
func (s RoleState) StateRestored(rows int, took time.Duration) {
	s.metrics.state.restore.WithLabelValues(s.role).Observe(took.Seconds())
	s.metrics.state.rows.WithLabelValues(s.role).Add(float64(rows))
}

// StateDiskFull sets whether the disk of the local state takes no writes.
func (s RoleState) StateDiskFull(full bool) {
	s.metrics.state.full.WithLabelValues(s.role).Set(number(full))
}

// StateDisk holds the sizes in bytes of the local state and of its file system.
type StateDisk struct {
	State, Free, Total uint64
}

// Disk exports the sizes that read returns at each scrape. read must not block. Call it once.
func (s RoleState) Disk(read func() StateDisk) {
	for name, of := range map[string]struct {
		help  string
		bytes func(StateDisk) uint64
	}{
		"rechargeflow_state_bytes":            {"Size of the local copy of the role's state on disk.", func(d StateDisk) uint64 { return d.State }},
		"rechargeflow_state_disk_free_bytes":  {"Free space in the file system of the role's state directory.", func(d StateDisk) uint64 { return d.Free }},
		"rechargeflow_state_disk_total_bytes": {"Size of the file system of the role's state directory.", func(d StateDisk) uint64 { return d.Total }},
	} {
		options := prometheus.GaugeOpts{Name: name, Help: of.help, ConstLabels: prometheus.Labels{"role": s.role}}
		s.metrics.registry.MustRegister(prometheus.NewGaugeFunc(options, func() float64 { return float64(of.bytes(read())) }))
	}
}

// ParkedCustomers exports the numbers of customers that read returns at each scrape, by store. A second call
// takes the place of the first.
func (m *Metrics) ParkedCustomers(read func() map[string]int) {
	m.replace(parkedCollector{read, prometheus.NewDesc("rechargeflow_parked_customers",
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
