package configs_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

type alertRule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

type alertRules struct {
	Groups []struct {
		Name  string      `yaml:"name"`
		Rules []alertRule `yaml:"rules"`
	} `yaml:"groups"`
}

// The alerts ask for metrics and labels that a process exports; one that asks for others never fires.
func TestAlertsAskForWhatThereIs(t *testing.T) {
	raw, err := os.ReadFile("prometheus-rules.yml")
	require.NoError(t, err)
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	decoder.KnownFields(true)
	var file alertRules
	require.NoError(t, decoder.Decode(&file))
	page := metricsPage()
	asked := map[string]bool{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			assert.Contains(t, []string{"page", "ticket"}, rule.Labels["severity"], rule.Alert)
			assert.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
			assert.NotEmpty(t, rule.Annotations["description"], rule.Alert)
			for _, name := range regexp.MustCompile(`\b(?:rechargeflow|kafka)_\w+`).FindAllString(rule.Expr, -1) {
				asked[name] = true
				assert.Regexp(t, `(?m)^`+name+`[{ ]`, page, rule.Alert)
			}
			for _, label := range regexp.MustCompile(`(\w+)(?:=|!=)~?"`).FindAllStringSubmatch(rule.Expr, -1) {
				assert.Contains(t, page, label[1]+`="`, rule.Alert)
			}
			for _, by := range regexp.MustCompile(`by \(([^)]*)\)`).FindAllStringSubmatch(rule.Expr, -1) {
				for _, label := range regexp.MustCompile(`\w+`).FindAllString(by[1], -1) {
					assert.Contains(t, page, label+`="`, rule.Alert)
				}
			}
		}
	}
	for _, name := range []string{
		"kafka_consumergroup_group_lag_seconds", "rechargeflow_store_paused", "rechargeflow_lost_records_total", "rechargeflow_records_total",
	} {
		assert.True(t, asked[name], "no alert on %s", name)
	}
}

// metricsPage is what Prometheus gets from a process in which everything happened once.
func metricsPage() string {
	m := telemetry.NewMetrics()
	m.Record("tracking", "acme", "rejected", "refused")
	m.Paused("tracking", "acme", false)
	m.Waiting("tracking", "rechargeflow.tracking.acme", 0)
	m.Lost("rechargeflow.tracking.acme", func() int64 { return 0 })
	m.Stuck("rechargeflow.tracking.acme", func() int { return 0 })
	m.Lags(func() telemetry.LagReport {
		return telemetry.LagReport{Cluster: "c", Lags: []telemetry.Lag{{Group: "rechargeflow.tracking.acme", Topic: "recharge.events"}}}
	})
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	return answer.Body.String()
}
