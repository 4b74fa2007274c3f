//go:build bench

package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/embedded"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// target is one way to run the product: roles in processes of their own beside a broker, or all roles in one process
// with the embedded broker, as in a trial.
type target struct {
	name    string
	brokers []string // none: the embedded one
}

// TestBench runs every benchmark on Apache Kafka and on the embedded broker. ONLY names some of them, separated by commas: their
// results are printed, but not written.
func TestBench(t *testing.T) {
	now := time.Now()
	r := newReport(now)
	apache, embedded := target{"Apache Kafka 4.3", kafkatest.Real(t).Cluster().Brokers}, target{"embedded", nil}
	both := []target{apache, embedded}
	only := os.Getenv("ONLY")
	for _, b := range []struct {
		name string
		run  func()
	}{
		{"producer", func() { benchProducer(t, r, both) }},
		{"transactions", func() { benchPassThrough(t, r, both) }},
		{"compression", func() { benchCompression(t, r, apache) }},
		{"ingest", func() { benchIngest(t, r, both) }},
		{"transform", func() { benchTransform(t, r, both) }},
		{"streams", func() { benchStreams(t, r, apache) }},
		{"state", func() { benchState(t, r, both) }},
		{"tracking", func() { benchTracking(t, r, both) }},
		{"sms", func() { benchSMS(t, r, both) }},
		{"links", func() { benchLinks(t, r, both) }},
		{"stores", func() { benchStores(t, r, apache) }},
		{"customer", func() { benchCustomer(t, r, both) }},
		{"endtoend", func() { benchEndToEnd(t, r, both) }},
		{"soak", func() { benchSoak(t, r, apache) }},
	} {
		if only == "" || slices.Contains(strings.Split(only, ","), b.name) {
			began := time.Now()
			b.run()
			t.Logf("%s: %s", b.name, time.Since(began).Round(time.Second))
		}
	}
	if only != "" {
		r.print(t)
		return
	}
	r.keep(t, now)
}

// binary builds one of the repository's programs.
func binary(t *testing.T, directory string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(directory))
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, directory).CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

// newLab is the built binary on a target, with topics and groups of its own.
func newLab(t *testing.T, on target) *lab.Lab {
	t.Helper()
	l, err := lab.New(t.TempDir(), binary(t, "../../cmd/rechargeflow"))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	l.Brokers, l.Prefix, l.LogLevel = on.brokers, lab.RandomPrefix("bench"), "warn"
	if len(on.brokers) > 0 {
		require.NoError(t, l.ApplyTopics(t.Context()))
	}
	return l
}

// start runs roles, each in a process of its own; beside the embedded broker always all of them, in one.
func start(t *testing.T, l *lab.Lab, roles ...string) (processes []*lab.Process, stop func()) {
	t.Helper()
	run := func(roles ...string) {
		p, err := l.Start(t.Context(), roles...)
		require.NoError(t, err)
		t.Cleanup(p.Kill)
		processes = append(processes, p)
	}
	if len(l.Brokers) == 0 {
		run()
	} else {
		for _, role := range roles {
			run(role)
		}
	}
	return processes, func() {
		for _, p := range processes {
			require.NoError(t, p.Stop(30*time.Second))
		}
	}
}

// clusterOf is the brokers of a target for what is measured in this process: the embedded broker is in it, too, and keeps
// its records in a directory.
func clusterOf(t *testing.T, on target) kafka.Cluster {
	t.Helper()
	if len(on.brokers) > 0 {
		return kafka.Cluster{Brokers: on.brokers, ClientID: "bench"}
	}
	broker, err := embedded.Start(embedded.Config{Dir: t.TempDir()}, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	return kafka.Cluster{Brokers: broker.Brokers(), ClientID: "bench"}
}

// stageCluster is clusterOf with the product's topics.
func stageCluster(t *testing.T, on target, prefix string) kafka.Cluster {
	t.Helper()
	cluster := clusterOf(t, on)
	spec, err := admin.ParseTopics(configs.Topics(), admin.TopicOptions{Prefix: prefix, SingleBroker: true})
	require.NoError(t, err)
	_, err = admin.Apply(t.Context(), cluster, spec)
	require.NoError(t, err)
	return cluster
}
