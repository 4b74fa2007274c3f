package image_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

const dashboard = "configs/grafana/dashboards/rechargeflow.json"

// board is the dashboard, as far as it can be wrong without Grafana's saying so.
type board struct {
	Templating struct {
		List []struct {
			Name       string
			Datasource source
			Query      struct{ Query string }
		}
	}
	Panels []panel
}

type panel struct {
	ID         int
	Title      string
	Datasource source
	GridPos    struct{ X, Y, W, H int }
	Targets    []struct {
		Expr       string
		Datasource source
	}
}

type source struct{ Type, UID string }

func readDashboard(t *testing.T) board {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, dashboard))
	require.NoError(t, err)
	var b board
	require.NoError(t, json.NewDecoder(bytes.NewReader(raw)).Decode(&b))
	return b
}

// sources are what all parts of the dashboard ask.
func (b board) sources() []source {
	var all []source
	for _, variable := range b.Templating.List {
		all = append(all, variable.Datasource)
	}
	for _, p := range b.Panels {
		all = append(all, p.Datasource)
		for _, target := range p.Targets {
			all = append(all, target.Datasource)
		}
	}
	return all
}

// queries are what the dashboard asks, each under what it is for.
func (b board) queries() map[string][]string {
	all := map[string][]string{}
	for _, variable := range b.Templating.List {
		all["$"+variable.Name] = []string{variable.Query.Query}
	}
	for _, p := range b.Panels {
		for _, target := range p.Targets {
			all[p.Title] = append(all[p.Title], target.Expr)
		}
	}
	return all
}

// TestDashboardAsksForWhatThereIs compares the dashboard's queries with the names and labels on a metrics page, and every
// metric of the product with the queries: none is missing there.
func TestDashboardAsksForWhatThereIs(t *testing.T) {
	page, asked := metricsPage(), map[string]bool{}
	for title, queries := range readDashboard(t).queries() {
		require.NotEmpty(t, queries, title)
		for _, query := range queries {
			for _, name := range regexp.MustCompile(`\b(rechargeflow|kafka|process|go)_\w+`).FindAllString(query, -1) {
				asked[regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")] = true
				assert.Regexp(t, `(?m)^`+name+`[{ ]`, page, "%s: %s", title, query)
			}
			for _, label := range labels(query) {
				assert.Regexp(t, `\b`+label+`="`, page+`job="" service=""`, "%s: %s", title, query)
			}
		}
	}
	for _, metric := range regexp.MustCompile(`(?m)^# TYPE (rechargeflow_\w+)`).FindAllStringSubmatch(page, -1) {
		if metric[1] != "rechargeflow_build_info" { // for who asks which version runs
			assert.True(t, asked[metric[1]], "no panel shows %s", metric[1])
		}
	}
}

// labels are those that a query selects or sums by.
func labels(query string) []string {
	var all []string
	for _, found := range regexp.MustCompile(`(\w+)(?:=|!=)~?"|by \(([^)]+)\)`).FindAllStringSubmatch(query, -1) {
		all = append(all, strings.FieldsFunc(found[1]+found[2], func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	return all
}

// TestPanelsDoNotOverlap: Grafana would push them apart.
func TestPanelsDoNotOverlap(t *testing.T) {
	taken, ids := map[[2]int]string{}, map[int]string{}
	for _, p := range readDashboard(t).Panels {
		assert.Empty(t, ids[p.ID], "%s has the id of another panel", p.Title)
		ids[p.ID] = p.Title
		assert.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				assert.Empty(t, taken[at], "%s lies over another panel", p.Title)
				taken[at] = p.Title
			}
		}
	}
}

// metricsPage is what Prometheus gets from a process in which everything happened once.
func metricsPage() string {
	m := telemetry.NewMetrics()
	m.Record("gateway", "acme", "accepted", "")
	m.Ingest("acme", time.Millisecond)
	m.EndToEnd("tracking", "acme", time.Second)
	m.Paused("tracking", "acme", false)
	m.Waiting("tracking", "rechargeflow.tracking.acme", 0)
	m.Lost("rechargeflow.tracking.acme", func() int64 { return 0 })
	m.Rejoins("rechargeflow.tracking.acme", func() int64 { return 0 })
	m.Stuck("rechargeflow.tracking.acme", func() int { return 0 })
	m.Lookup("acme", "identity", "found")
	m.LookupsPending("acme", 0)
	m.Build(telemetry.Version{})
	m.Lags(func() telemetry.LagReport {
		return telemetry.LagReport{Lags: []telemetry.Lag{{Group: "rechargeflow.tracking.acme", Topic: "recharge.events"}}}
	})
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	return answer.Body.String()
}
