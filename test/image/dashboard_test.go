package image_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry/telemetrytest"
)

// dashboard is the start page; the others are beside it.
const dashboard = "configs/grafana/dashboards/rechargeflow.json"

// board is a dashboard, as far as it can be wrong without Grafana's saying so.
type board struct {
	UID, Title string
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

// readDashboards returns all dashboards by the names of their files.
func readDashboards(t *testing.T) map[string]board {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, filepath.Dir(dashboard), "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 3)
	all := map[string]board{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var b board
		require.NoError(t, json.NewDecoder(bytes.NewReader(raw)).Decode(&b))
		all[filepath.Base(file)] = b
	}
	return all
}

// sources are the data sources of all parts of a dashboard.
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

// queries are those of a dashboard, by their purpose.
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

// TestDashboardsAskForWhatThereIs compares the queries of all dashboards with the names and labels on a metrics page, and every
// metric of the product with the queries: none is missing there.
func TestDashboardsAskForWhatThereIs(t *testing.T) {
	page, queried := telemetrytest.Page(), map[string]bool{}
	for file, b := range readDashboards(t) {
		for title, queries := range b.queries() {
			require.NotEmpty(t, queries, title)
			for _, query := range queries {
				for _, name := range regexp.MustCompile(`\b(rechargeflow|kafka|process|go)_\w+`).FindAllString(query, -1) {
					queried[regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")] = true
					assert.Regexp(t, `(?m)^`+name+`[{ ]`, page, "%s, %s: %s", file, title, query)
				}
				for _, label := range labels(query) {
					assert.Regexp(t, `\b`+label+`="`, page+`job="" service="" instance=""`, "%s, %s: %s", file, title, query)
				}
			}
		}
	}
	for _, metric := range regexp.MustCompile(`(?m)^# TYPE (rechargeflow_\w+)`).FindAllStringSubmatch(page, -1) {
		if metric[1] != "rechargeflow_build_info" { // for humans
			assert.True(t, queried[metric[1]], "no panel shows %s", metric[1])
		}
	}
}

// TestDashboardsHaveNames: each has an id of its own, that of its file, and a title.
func TestDashboardsHaveNames(t *testing.T) {
	for file, b := range readDashboards(t) {
		assert.Equal(t, file, b.UID+".json")
		assert.True(t, strings.HasPrefix(b.Title, "Rechargeflow: "), b.Title)
	}
}

// labels are those that a query selects or sums by.
func labels(query string) []string {
	var all []string
	for _, found := range regexp.MustCompile(`(\w+)(?:=|!=)~?"|(?:by|on) \(([^)]+)\)`).FindAllStringSubmatch(query, -1) {
		all = append(all, strings.FieldsFunc(found[1]+found[2], func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	return all
}

// TestPanelsDoNotOverlap: Grafana would push them apart.
func TestPanelsDoNotOverlap(t *testing.T) {
	for file, b := range readDashboards(t) {
		taken, ids := map[[2]int]string{}, map[int]string{}
		for _, p := range b.Panels {
			assert.Empty(t, ids[p.ID], "%s: %s has the id of another panel", file, p.Title)
			ids[p.ID] = p.Title
			assert.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
			for x := range p.GridPos.W {
				for y := range p.GridPos.H {
					at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
					assert.Empty(t, taken[at], "%s: %s lies over another panel", file, p.Title)
					taken[at] = p.Title
				}
			}
		}
	}
}
