package telemetry

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Certificate is a certificate and when it expires.
type Certificate struct {
	Use     string // kafka_client, kafka_ca or kafka_broker
	Name    string // the host of a broker, else empty
	Expires time.Time
}

// certificates collects certificates at each scrape: those of files, which may be replaced, and those that brokers presented
// last.
type certificates struct {
	desc *prometheus.Desc

	mu        sync.Mutex
	files     func() []Certificate
	presented map[string]time.Time
}

func newCertificates(r *prometheus.Registry) *certificates {
	c := &certificates{
		desc: prometheus.NewDesc("rechargeflow_certificate_expiry_timestamp_seconds",
			"Unix time at which a certificate expires: that of a file, or the first to expire in the chain that a broker presented.",
			[]string{"use", "name"}, nil),
		files:     func() []Certificate { return nil },
		presented: map[string]time.Time{},
	}
	r.MustRegister(c)
	return c
}

// Describe is part of prometheus.Collector.
func (c *certificates) Describe(out chan<- *prometheus.Desc) { out <- c.desc }

// Collect is part of prometheus.Collector.
func (c *certificates) Collect(out chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.files()
	for broker, expires := range c.presented {
		all = append(all, Certificate{Use: "kafka_broker", Name: broker, Expires: expires})
	}
	for _, each := range all {
		out <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(each.Expires.Unix()), each.Use, each.Name)
	}
}

// Certificates exports the certificates that read returns at each scrape. Use and Name together are unique.
func (m *Metrics) Certificates(read func() []Certificate) {
	m.certificates.mu.Lock()
	defer m.certificates.mu.Unlock()
	m.certificates.files = read
}

// KafkaCertificate exports when the certificate expires that a broker presented to a new connection.
func (m *Metrics) KafkaCertificate(broker string, expires time.Time) {
	m.certificates.mu.Lock()
	defer m.certificates.mu.Unlock()
	m.certificates.presented[broker] = expires
}
