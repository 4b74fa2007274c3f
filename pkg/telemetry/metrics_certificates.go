package telemetry

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Certificate is a certificate and when it expires.
type Certificate struct {
	Use     string // kafka_client, kafka_ca, kafka_broker or a destination
	Name    string // the host of a broker or a destination, else empty
	Expires time.Time
}

// forgetDestination is how long a destination's certificate is exported after the last call. It may be replaced meanwhile, and only
// a new connection shows that.
const forgetDestination = 24 * time.Hour

// certificates collects certificates at each scrape: those of files, which may be replaced, and those that brokers and destinations
// presented last.
type certificates struct {
	desc *prometheus.Desc

	mu        sync.Mutex
	files     func() []Certificate
	presented map[server]presented
}

type server struct{ use, name string }

type presented struct{ expires, seen time.Time } // seen is zero for a broker

func newCertificates(r *prometheus.Registry) *certificates {
	c := &certificates{
		desc: prometheus.NewDesc("rechargeflow_certificate_expiry_timestamp_seconds",
			"Unix time at which a certificate expires: that of a file, or of the chain that a broker or a destination presented.",
			[]string{"use", "name"}, nil),
		files:     func() []Certificate { return nil },
		presented: map[server]presented{},
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
	for by, last := range c.presented {
		if last.seen.IsZero() || time.Since(last.seen) < forgetDestination {
			all = append(all, Certificate{Use: by.use, Name: by.name, Expires: last.expires})
		}
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
	m.certificates.present(server{"kafka_broker", broker}, presented{expires: expires})
}

// DestinationCertificate exports when the certificate expires that a destination's host presented to the
// connection of a call. The connection may be older than the call.
func (m *Metrics) DestinationCertificate(destination, host string, expires, seen time.Time) {
	m.certificates.present(server{destination, host}, presented{expires, seen})
}

func (c *certificates) present(by server, p presented) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.presented[by] = p
}
