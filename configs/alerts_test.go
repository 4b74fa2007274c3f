package configs_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry/telemetrytest"
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
		Name     string      `yaml:"name"`
		Interval string      `yaml:"interval"`
		Rules    []alertRule `yaml:"rules"`
	} `yaml:"groups"`
}

func readAlerts(t *testing.T) (rules []alertRule) {
	t.Helper()
	raw, err := os.ReadFile("prometheus-rules.yml")
	require.NoError(t, err)
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	decoder.KnownFields(true)
	var file alertRules
	require.NoError(t, decoder.Decode(&file))
	for _, group := range file.Groups {
		rules = append(rules, group.Rules...)
	}
	return rules
}

// Alerts use only metrics and labels that a process exports: others never fire.
func TestAlertsUseExportedMetrics(t *testing.T) {
	page := telemetrytest.Page() + `job="" instance=""` // which Prometheus adds
	used := map[string]bool{}
	for _, rule := range readAlerts(t) {
		for _, name := range regexp.MustCompile(`\b(?:rechargeflow|kafka)_\w+`).FindAllString(withoutStrings(rule.Expr), -1) {
			used[name] = true
			assert.Regexp(t, `(?m)^`+name+`[{ ]`, page, rule.Alert)
		}
		for _, label := range regexp.MustCompile(`(\w+)(?:=|!=)~?"`).FindAllStringSubmatch(rule.Expr, -1) {
			assert.Contains(t, page, label[1]+`="`, rule.Alert)
		}
		for _, by := range regexp.MustCompile(`(?:by|on|group_left) \(([^)]*)\)`).FindAllStringSubmatch(rule.Expr, -1) {
			for _, label := range regexp.MustCompile(`\w+`).FindAllString(by[1], -1) {
				assert.Contains(t, page, label+`="`, rule.Alert)
			}
		}
	}
	for _, name := range []string{
		"kafka_consumergroup_group_lag_seconds", "rechargeflow_store_paused", "rechargeflow_lost_records_total", "rechargeflow_records_total",
		"rechargeflow_topic_trouble", "rechargeflow_state_disk_full",
	} {
		assert.True(t, used[name], "no alert on %s", name)
	}
}

func withoutStrings(expr string) string {
	return regexp.MustCompile(`"[^"]*"`).ReplaceAllString(expr, `""`)
}

// Each alert says what is wrong, how urgent it is, and where its page is.
func TestAlertsAreComplete(t *testing.T) {
	for _, rule := range readAlerts(t) {
		assert.Regexp(t, `^Rechargeflow[A-Z]\w+$`, rule.Alert)
		assert.Contains(t, []string{"page", "ticket"}, rule.Labels["severity"], rule.Alert)
		assert.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
		assert.NotEmpty(t, rule.Annotations["description"], rule.Alert)
		assert.Equal(t, "https://github.com/rechargeflow/rechargeflow/blob/main/docs/runbooks/"+rule.Alert+".md", rule.Annotations["runbook_url"])
		assert.Len(t, rule.Annotations, 3, rule.Alert)
	}
}

// Each alert has a page, each page is that of an alert, and all have the same parts.
func TestRunbooks(t *testing.T) {
	const directory = "../docs/runbooks"
	var alerts, pages []string
	for _, rule := range readAlerts(t) {
		if len(alerts) == 0 || alerts[len(alerts)-1] != rule.Alert {
			alerts = append(alerts, rule.Alert)
		}
	}
	files, err := filepath.Glob(directory + "/*.md")
	require.NoError(t, err)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		pages = append(pages, name)
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Regexp(t, `(?s)^# `+name+"\n\n## What it means\n\n.+\n## At risk, and by when\n\n.+\n## Look\n\n```sh\n.+```\n\n## End it\n\n1\\. .+$", string(content), name)
		for _, link := range regexp.MustCompile(`\]\((\w+\.md)\)`).FindAllStringSubmatch(string(content), -1) {
			assert.FileExists(t, filepath.Join(directory, link[1]), name)
		}
	}
	assert.ElementsMatch(t, alerts, pages)
}

// The stories of prometheus-rules-test.yml and prometheus-rules-long-test.yml: what fires then, and what stays quiet.
func TestAlertStories(t *testing.T) {
	promtool := findPromtool(t)
	for _, arguments := range [][]string{
		{"check", "rules", "prometheus-rules.yml"}, // with the templates of annotations
		{"test", "rules", "prometheus-rules-test.yml"},
		{"test", "rules", "prometheus-rules-long-test.yml"},
	} {
		t.Run(arguments[len(arguments)-1], func(t *testing.T) {
			t.Parallel()
			output, err := exec.CommandContext(t.Context(), promtool, arguments...).CombinedOutput()
			require.NoError(t, err, "%s", output)
		})
	}
}

// Each alert fires in a story that stays broken for hours, and in one that has just broken.
func TestEachAlertHasAStory(t *testing.T) {
	for _, file := range []string{"prometheus-rules-test.yml", "prometheus-rules-long-test.yml"} {
		stories, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, rule := range readAlerts(t) {
			if file == "prometheus-rules-test.yml" && strings.HasSuffix(rule.Alert, "Silent") && strings.HasPrefix(rule.Alert, "RechargeflowStore") { // compares weeks
				continue
			}
			assert.Contains(t, string(stories), `alertname="`+rule.Alert+`"`, file)
		}
	}
}

// findPromtool returns the path of promtool, from the PATH or as `make promtool` has put it into .bin.
func findPromtool(t *testing.T) string {
	t.Helper()
	own, err := filepath.Abs("../.bin/promtool")
	require.NoError(t, err)
	for _, path := range []string{own, "promtool"} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	t.Skip("no promtool: `make promtool` fetches it where there is apt-get")
	return ""
}
