//go:build bench

package bench

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// target is one broker to measure on.
type target struct {
	name    string
	cluster kafka.Cluster
}

// TestBench runs every benchmark on Apache Kafka and on the embedded broker.
func TestBench(t *testing.T) {
	now := time.Now()
	r := newReport(now)
	targets := []target{
		{"Apache Kafka 4.3", kafkatest.Real(t).Cluster()},
		{"embedded", kafkatest.Embedded(t).Cluster()},
	}
	benchIngest(t, r, targets)
	benchTransform(t, r, targets)
	benchTracking(t, r, targets)
	benchEndToEnd(t, r, targets)
	r.keep(t, now)
}

// topics makes the topics under a prefix of their own.
func topics(t *testing.T, cluster kafka.Cluster, prefix string) {
	t.Helper()
	spec, err := kafka.ParseTopics(configs.Topics(), kafka.TopicOptions{Prefix: prefix, Single: true})
	require.NoError(t, err)
	_, err = kafka.Apply(t.Context(), cluster, spec)
	require.NoError(t, err)
}

// newLab is the built binary on a broker, with topics of its own.
func newLab(t *testing.T, on target, prefix string) *lab.Lab {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "rechargeflow")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/rechargeflow").CombinedOutput()
	require.NoError(t, err, string(out))
	l, err := lab.New(t.TempDir(), binary)
	require.NoError(t, err)
	t.Cleanup(l.Close)
	l.Brokers, l.Prefix, l.LogLevel = on.cluster.Brokers, prefix, "warn"
	topics(t, on.cluster, prefix)
	return l
}
