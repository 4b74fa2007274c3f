package configs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// The queries of the dashboards are valid PromQL: promtool checks them as recording rules.
func TestDashboardQueriesAreValid(t *testing.T) {
	promtool := findPromtool(t)
	type recording struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	var rules []recording
	files, err := filepath.Glob("grafana/dashboards/*.json")
	require.NoError(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		var board struct {
			Panels []struct {
				Targets []struct{ Expr string }
			}
		}
		require.NoError(t, json.Unmarshal(content, &board))
		for _, panel := range board.Panels {
			for _, target := range panel.Targets {
				query := strings.NewReplacer("$__rate_interval", "1m", "$store", ".*").Replace(target.Expr)
				rules = append(rules, recording{Record: fmt.Sprintf("query:%d", len(rules)), Expr: query})
			}
		}
	}
	require.Greater(t, len(rules), 30)
	content, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboards", "rules": rules}}})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "rules.yml")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	output, err := exec.CommandContext(t.Context(), promtool, "check", "rules", path).CombinedOutput()
	require.NoError(t, err, "%s", output)
}
