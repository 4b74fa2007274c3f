package kafka_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/dirlock"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/embedded"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// commitTransaction commits a transaction with another client.
func commitTransaction(t *testing.T, brokers []string, topic string, values ...string) {
	t.Helper()
	endTransaction(t, brokers, topic, kgo.TryCommit, values...)
}

// abortTransaction aborts a transaction with another client.
func abortTransaction(t *testing.T, brokers []string, topic string, values ...string) {
	t.Helper()
	endTransaction(t, brokers, topic, kgo.TryAbort, values...)
}

func endTransaction(t *testing.T, brokers []string, topic string, end kgo.TransactionEndTry, values ...string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.TransactionalID("tx-"+topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.BeginTransaction())
	for _, value := range values {
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr())
	}
	require.NoError(t, client.EndTransaction(t.Context(), end))
}

func trialTopics(t testing.TB) admin.Spec {
	t.Helper()
	spec, err := admin.ParseTopics(topicsFile(t), admin.TopicOptions{SingleBroker: true, Partitions: 2})
	require.NoError(t, err)
	return spec
}

func startEmbedded(t testing.TB, dir string) *embedded.Broker {
	t.Helper()
	broker, err := embedded.Start(embedded.Config{Dir: dir, Topics: trialTopics(t)}, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	return broker
}

func TestEmbeddedRestart(t *testing.T) {
	dir := t.TempDir()
	first := startEmbedded(t, dir)
	cluster := kafka.Cluster{Brokers: first.Brokers()}
	produce(t, cluster, numbered("raw", 0, 5)...)
	assert.Len(t, consumeAll(t, cluster, quick("g", "raw"), 5), 5)
	produce(t, cluster, numbered("raw", 0, 3)...)
	before := kafkatest.All(t, first.Brokers()[0], "raw")
	require.NoError(t, first.Close())
	require.NoError(t, first.Close(), "closing twice is fine")

	second := startEmbedded(t, dir)
	cluster = kafka.Cluster{Brokers: second.Brokers()}
	assert.Equal(t, before, kafkatest.All(t, second.Brokers()[0], "raw"))
	assert.Equal(t, []string{"0", "1", "2"}, values(consumeAll(t, cluster, quick("g", "raw"), 3)), "offsets are kept")
	changes, err := admin.Plan(t.Context(), cluster, trialTopics(t))
	require.NoError(t, err)
	assert.Equal(t, []string{"ok", "ok", "ok", "ok"}, actions(changes))
}

func TestEmbeddedDirectoryIsLocked(t *testing.T) {
	dir := t.TempDir()
	first := startEmbedded(t, dir)
	_, err := embedded.Start(embedded.Config{Dir: dir}, zap.NewNop())
	require.ErrorIs(t, err, dirlock.ErrLocked)
	require.ErrorContains(t, err, dir)
	require.NoError(t, first.Close())
	startEmbedded(t, dir)
}

func TestEmbeddedValidatesConfig(t *testing.T) {
	for name, c := range map[string]struct {
		config embedded.Config
		want   string
	}{
		"all addresses":                {embedded.Config{Listen: "0.0.0.0:0"}, "not loopback"},
		"no host":                      {embedded.Config{Listen: ":9092"}, "not loopback"},
		"another machine":              {embedded.Config{Listen: "192.0.2.1:9092"}, "not loopback"},
		"no port":                      {embedded.Config{Listen: "127.0.0.1"}, "not host:port"},
		"a foreign advertised address": {embedded.Config{Advertise: "192.0.2.1:9092"}, "not loopback"},
		"a file as directory":          {embedded.Config{Dir: "/dev/null"}, "create directory"},
		"topics with replicas":         {embedded.Config{Topics: admin.Spec{Topics: []admin.TopicSpec{{Name: "a", Partitions: 1, Replication: 3}}}}, "topic a"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := embedded.Start(c.config, zap.NewNop())
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestEmbeddedPartitionCount(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, startEmbedded(t, dir).Close())
	spec, err := admin.ParseTopics(topicsFile(t), admin.TopicOptions{SingleBroker: true, Partitions: 3})
	require.NoError(t, err)
	_, err = embedded.Start(embedded.Config{Dir: dir, Topics: spec}, zap.NewNop())
	require.ErrorIs(t, err, admin.ErrRefused)
	startEmbedded(t, dir) // the directory was unlocked
}

const childVariable = "RECHARGEFLOW_TEST_CHILD_DIR"

// TestEmbeddedSurvivesKill: acknowledged records and committed offsets survive kill -9. A child process is killed while it
// produces, and every record that it reported as acknowledged must exist.
func TestEmbeddedSurvivesKill(t *testing.T) {
	if dir := os.Getenv(childVariable); dir != "" {
		produceUntilKilled(t, dir)
	}
	for _, enough := range []int{1, 100, 300} {
		t.Run(fmt.Sprint(enough), func(t *testing.T) {
			dir := t.TempDir()
			acknowledged := killAfter(t, dir, enough)

			broker := startEmbedded(t, dir)
			cluster := kafka.Cluster{Brokers: broker.Brokers()}
			got := values(kafkatest.All(t, broker.Brokers()[0], "raw"))
			require.GreaterOrEqual(t, len(got), 10+acknowledged)
			for i := range 10 + acknowledged {
				require.Equal(t, fmt.Sprint(i), got[i])
			}
			next := consumeAll(t, cluster, quick("g", "raw"), 1)
			assert.Equal(t, "10", string(next[0].Value), "the committed offset is kept")
			produce(t, cluster, kafka.Record{Topic: "raw", Partition: 0, Value: []byte("after")})
			got = values(kafkatest.All(t, broker.Brokers()[0], "raw"))
			assert.Equal(t, "after", got[len(got)-1])
		})
	}
}

// killAfter starts the child, kills it once it has acknowledged enough, and returns how many it had.
func killAfter(t *testing.T, dir string, enough int) int {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestEmbeddedSurvivesKill$")
	child.Env = append(os.Environ(), childVariable+"="+dir)
	output, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	acknowledged := 0
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if lines.Text() == "acknowledged" {
			acknowledged++
		}
		if acknowledged == enough {
			require.NoError(t, child.Process.Kill())
		}
	}
	require.Error(t, child.Wait(), "it was killed")
	require.GreaterOrEqual(t, acknowledged, enough, "output of the child: %s", lines.Text())
	return acknowledged
}

// produceUntilKilled is the child process: ten records that are consumed and committed, then one after the other.
func produceUntilKilled(t *testing.T, dir string) {
	broker := startEmbedded(t, dir)
	cluster := kafka.Cluster{Brokers: broker.Brokers()}
	produce(t, cluster, numbered("raw", 0, 10)...)
	consumeAll(t, cluster, quick("g", "raw"), 10)
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	for i := 10; ; i++ {
		require.NoError(t, producer.Produce(context.Background(), kafka.Record{Topic: "raw", Partition: 0, Value: fmt.Append(nil, i)}))
		fmt.Println("acknowledged")
	}
}

// TestBrokerRestart: producers and consumers continue after the broker has restarted, and nothing is lost.
func TestBrokerRestart(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Apache Kafka; run without -short")
	}
	broker := kafkatest.Real(t)
	cluster := broker.Cluster()
	topic := newTopic(t, cluster, 2)
	var handled collector
	r := run(t, cluster, quick(topic, topic), zap.NewNop(), handled.handle)
	producer := newProducer(t, cluster)
	require.NoError(t, producer.Produce(t.Context(), numbered(topic, 0, 5)...))
	eventually(t, func() bool { return handled.count() == 5 }, "records handled")

	broker.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	require.Error(t, producer.Produce(ctx, numbered(topic, 1, 1)...), "no broker acknowledges")
	broker.Restart()

	require.NoError(t, producer.Produce(t.Context(), numbered(topic, 1, 5)...))
	seen := func() int {
		different := make(map[string]bool)
		for _, record := range handled.all() {
			different[fmt.Sprint(record.Partition, string(record.Value))] = true
		}
		return len(different)
	}
	eventually(t, func() bool { return seen() == 10 }, "everything is handled")
	assertNoGaps(t, handled.all())
	assert.Zero(t, r.LostOffsets())
}

func TestEmbeddedFilesInDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "when", "missing")
	require.NoError(t, startEmbedded(t, dir).Close())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	assert.Equal(t, "kafka lock", strings.Join(names, " "))
}
