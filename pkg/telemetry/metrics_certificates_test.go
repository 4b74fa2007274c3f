package telemetry_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// certificatesOf returns the lines about certificates of the metrics page.
func certificatesOf(m *telemetry.Metrics) (lines []string) {
	page := httptest.NewRecorder()
	m.Handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(page.Body.String()) {
		if rest, found := strings.CutPrefix(line, "rechargeflow_certificate_expiry_timestamp_seconds"); found {
			lines = append(lines, strings.TrimSpace(rest))
		}
	}
	return lines
}

// The certificate of a destination is the one that the last call saw, and is forgotten a day after it: it may have been replaced since.
// That of a broker stays, because its connections do.
func TestCertificates(t *testing.T) {
	m := telemetry.NewMetrics()
	now := time.Now()
	m.KafkaCertificate("kafka-1", time.Unix(100, 0))
	m.DestinationCertificate("sms", "sms.example.com", time.Unix(200, 0), now.Add(-25*time.Hour))
	m.DestinationCertificate("recharge", "api.example.com", time.Unix(300, 0), now.Add(-23*time.Hour))
	broker, recharge := `{name="kafka-1",use="kafka_broker"} 100`, `{name="api.example.com",use="recharge"} 300`
	assert.ElementsMatch(t, []string{broker, recharge}, certificatesOf(m))
	m.DestinationCertificate("sms", "sms.example.com", time.Unix(400, 0), now)
	assert.ElementsMatch(t, []string{broker, recharge, `{name="sms.example.com",use="sms"} 400`}, certificatesOf(m))
}
