package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Texting is whom a store may text, and what an operator has paused.
type Texting struct {
	Store   string
	Consent string          // the setting sms.consent
	Numbers map[string]int  // by opted_in and opted_out
	Paused  map[string]bool // by flow
}

// texting collects Texting at each scrape.
type texting struct {
	numbers, paused *prometheus.Desc
	read            func() []Texting
}

// Texting exports what read returns at each scrape. A second call takes the place of the first.
func (m *Metrics) Texting(read func() []Texting) {
	m.replace(texting{
		numbers: prometheus.NewDesc("rechargeflow_consent_numbers",
			"Phone numbers that have opted in or out, by the store's setting sms.consent.", []string{"store", "consent", "status"}, nil),
		paused: prometheus.NewDesc("rechargeflow_flow_paused", "1 while an operator has paused the texts of a flow.", []string{"store", "flow"}, nil),
		read:   read,
	})
}

// Describe is part of prometheus.Collector.
func (t texting) Describe(out chan<- *prometheus.Desc) { out <- t.numbers; out <- t.paused }

// Collect is part of prometheus.Collector.
func (t texting) Collect(out chan<- prometheus.Metric) {
	for _, each := range t.read() {
		for status, numbers := range each.Numbers {
			out <- prometheus.MustNewConstMetric(t.numbers, prometheus.GaugeValue, float64(numbers), each.Store, each.Consent, status)
		}
		for flow, paused := range each.Paused {
			out <- prometheus.MustNewConstMetric(t.paused, prometheus.GaugeValue, map[bool]float64{true: 1}[paused], each.Store, flow)
		}
	}
}
