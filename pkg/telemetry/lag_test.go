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

// What is exported is what the process has at that moment: a partition that went to another process goes from the page.
func TestLags(t *testing.T) {
	report := telemetry.LagReport{Cluster: "c1", Lags: []telemetry.Lag{
		{Group: "g", Topic: "a", Partition: 0, Committed: 7, Records: 3, Age: 90 * time.Second},
		{Group: "g", Topic: "a", Partition: 1, Committed: -1, Records: 2, Age: 1500 * time.Millisecond},
		{Group: "g", Topic: "b", Partition: 0, Committed: 9},
	}}
	m := telemetry.NewMetrics()
	m.Lags(func() telemetry.LagReport { return report })
	assert.Equal(t, []string{
		`kafka_consumergroup_group_lag{cluster_name="c1",group="g",partition="0",topic="a"} 3`,
		`kafka_consumergroup_group_lag{cluster_name="c1",group="g",partition="0",topic="b"} 0`,
		`kafka_consumergroup_group_lag{cluster_name="c1",group="g",partition="1",topic="a"} 2`,
		`kafka_consumergroup_group_lag_seconds{cluster_name="c1",group="g",partition="0",topic="a"} 90`,
		`kafka_consumergroup_group_lag_seconds{cluster_name="c1",group="g",partition="0",topic="b"} 0`,
		`kafka_consumergroup_group_lag_seconds{cluster_name="c1",group="g",partition="1",topic="a"} 1.5`,
		`kafka_consumergroup_group_max_lag_seconds{cluster_name="c1",group="g"} 90`,
		`kafka_consumergroup_group_offset{cluster_name="c1",group="g",partition="0",topic="a"} 7`,
		`kafka_consumergroup_group_offset{cluster_name="c1",group="g",partition="0",topic="b"} 9`,
		`kafka_consumergroup_group_offset{cluster_name="c1",group="g",partition="1",topic="a"} -1`,
		`kafka_consumergroup_group_topic_sum_lag{cluster_name="c1",group="g",topic="a"} 5`,
		`kafka_consumergroup_group_topic_sum_lag{cluster_name="c1",group="g",topic="b"} 0`,
	}, lagLines(m))
	report.Lags = report.Lags[2:]
	assert.Len(t, lagLines(m), 5)
	report = telemetry.LagReport{}
	assert.Empty(t, lagLines(m))
}

func lagLines(m *telemetry.Metrics) []string {
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	var lines []string
	for line := range strings.Lines(answer.Body.String()) {
		if strings.HasPrefix(line, "kafka_") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
