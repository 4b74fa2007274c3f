package configs_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry/telemetrytest"
)

// docs/metrics.md lists each exported metric with its type and labels, and no others.
func TestMetricsPage(t *testing.T) {
	page, err := os.ReadFile("../docs/metrics.md")
	require.NoError(t, err)
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)(?:{([\\w,]+)})?` \\| (\\w+) \\| [A-Z0-9].+ \\|$").FindAllStringSubmatch(string(page), -1) {
		labels := strings.Split(row[2], ",")
		slices.Sort(labels)
		documented[row[1]] = row[3] + " " + strings.Join(labels, ",")
	}
	assert.Equal(t, exportedMetrics(), documented)
}

// exportedMetrics maps the names of the product's metrics to their type and labels.
func exportedMetrics() map[string]string {
	metrics := telemetrytest.Page()
	exported := map[string]string{}
	for _, found := range regexp.MustCompile(`(?m)^# TYPE ((?:rechargeflow|kafka)_\w+) (\w+)$`).FindAllStringSubmatch(metrics, -1) {
		series := regexp.MustCompile(`(?m)^` + found[1] + `(?:_bucket)?(?:{(.*)})? `).FindStringSubmatch(metrics)
		var labels []string
		for _, label := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(series[1], -1) {
			if label[1] != "le" {
				labels = append(labels, label[1])
			}
		}
		slices.Sort(labels)
		exported[found[1]] = found[2] + " " + strings.Join(labels, ",")
	}
	return exported
}
