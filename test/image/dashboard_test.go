package image_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// TestDashboardAsksForWhatThereIs compares the dashboard's queries with the names and labels on a metrics page.
func TestDashboardAsksForWhatThereIs(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(root, "configs", "grafana", "dashboards", "rechargeflow.json"))
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(raw, &dashboard))
	page := metricsPage()
	asked := 0
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			for _, name := range regexp.MustCompile(`\b(rechargeflow|process|go)_\w+`).FindAllString(target.Expr, -1) {
				asked++
				assert.Regexp(t, `(?m)^`+name+`[{ ]`, page, "%s: %s", panel.Title, target.Expr)
			}
			for _, label := range regexp.MustCompile(`(\w+)(?:=|!=)~?"`).FindAllStringSubmatch(target.Expr, -1) {
				assert.Regexp(t, `\b`+label[1]+`="`, page+`job="" service=""`, "%s: %s", panel.Title, target.Expr)
			}
		}
	}
	assert.Greater(t, asked, 10)
}

// metricsPage is what Prometheus gets from a process in which everything happened once.
func metricsPage() string {
	m := telemetry.NewMetrics()
	m.Record("gateway", "acme", "accepted", "")
	m.Ingest("acme", time.Millisecond)
	m.EndToEnd("tracking", "acme", time.Second)
	m.Paused("tracking", "acme", false)
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	return answer.Body.String()
}
