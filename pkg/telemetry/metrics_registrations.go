package telemetry

import "github.com/prometheus/client_golang/prometheus"

// registrationMetrics say which webhooks are registered at Recharge.
type registrationMetrics struct {
	registered *prometheus.GaugeVec
	restored   *prometheus.CounterVec
	checks     *prometheus.CounterVec
}

func newRegistrationMetrics(r *prometheus.Registry) registrationMetrics {
	m := registrationMetrics{
		registered: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rechargeflow_registrations",
			Help: "Webhooks that are registered at Recharge, or should be, after the last check, by status. Only the process that checks exports them.",
		}, []string{"store", "status"}),
		restored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_registrations_restored_total",
			Help: "Webhooks that were missing or altered at Recharge and were registered again.",
		}, []string{"store", "status"}),
		checks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_registration_checks_total",
			Help: "Comparisons of the registered webhooks with the wanted ones, by outcome.",
		}, []string{"store", "outcome"}),
	}
	r.MustRegister(m.registered, m.restored, m.checks)
	return m
}

// Registrations sets the number of a store's registrations by status. Nil removes them: another process checks the store.
func (m *Metrics) Registrations(store string, counts map[string]int) {
	if counts == nil {
		m.registrations.registered.DeletePartialMatch(prometheus.Labels{"store": store})
		return
	}
	for status, count := range counts {
		m.registrations.registered.WithLabelValues(store, status).Set(float64(count))
	}
}

// RegistrationRestored counts a registration that was put back, by the status that it had.
func (m *Metrics) RegistrationRestored(store, was string) {
	m.registrations.restored.WithLabelValues(store, was).Inc()
}

// RegistrationCheck counts a check of a store's registrations: ok, failed or refused.
func (m *Metrics) RegistrationCheck(store, outcome string) {
	m.registrations.checks.WithLabelValues(store, outcome).Inc()
}
