package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// reloadMetrics say whether the process has the configuration of its files. The first two are named as those of Prometheus and
// Alertmanager.
type reloadMetrics struct {
	successful, at, pending prometheus.Gauge
}

func newReloadMetrics(r *prometheus.Registry) reloadMetrics {
	m := reloadMetrics{
		successful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rechargeflow_config_last_reload_successful",
			Help: "1 if the configuration could be taken up when it was loaded last, 0 if the one before stays in force.",
		}),
		at: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rechargeflow_config_last_reload_success_timestamp_seconds",
			Help: "Unix time at which a configuration was last taken up, at the start or later.",
		}),
		pending: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rechargeflow_config_restart_pending",
			Help: "Changed keys of the configuration that the process takes up at its next start. The log and /readyz name them.",
		}),
	}
	r.MustRegister(m.successful, m.at, m.pending)
	return m
}

// Reloaded sets that a configuration was taken up, except of so many keys that need a restart.
func (m *Metrics) Reloaded(at time.Time, pending int) {
	m.reload.successful.Set(1)
	m.reload.at.Set(float64(at.UnixMilli()) / 1000)
	m.reload.pending.Set(float64(pending))
}

// ReloadFailed sets that a configuration could not be taken up.
func (m *Metrics) ReloadFailed() { m.reload.successful.Set(0) }
