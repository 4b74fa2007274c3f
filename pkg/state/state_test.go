package state_test

import (
	"crypto/rand"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/state"
)

func TestMain(m *testing.M) {
	if os.Getenv(childDir) != "" {
		child()
		return
	}
	_ = flag.Set("rapid.checks", "40") // a check opens some twenty stores; the command line overrides this
	goleak.VerifyTestMain(m)
}

const patience = 30 * time.Second

// changelog makes a topic as recharge.state is.
func changelog(t testing.TB, cluster kafka.Cluster, partitions int, settings ...string) string {
	t.Helper()
	configs := map[string]string{"cleanup.policy": "compact", "delete.retention.ms": "604800000"}
	for i := 0; i < len(settings); i += 2 {
		configs[settings[i]] = settings[i+1]
	}
	return topic(t, cluster, "state-"+strings.ToLower(rand.Text()), partitions, configs)
}

func topic(t testing.TB, cluster kafka.Cluster, name string, partitions int, configs map[string]string) string {
	t.Helper()
	_, err := admin.Apply(t.Context(), cluster, admin.Spec{Topics: []admin.TopicSpec{
		{Name: name, Partitions: partitions, Replication: 1, Configs: configs},
	}})
	require.NoError(t, err)
	return name
}

// opened is a store that is closed with the test.
func opened(t testing.TB, config state.Config) *state.Store {
	t.Helper()
	s, err := state.Open(config)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// owner is a process that has a partition.
type owner struct {
	t testing.TB
	*state.Partition
	store    *state.Store
	producer *kafka.Producer
}

func own(t testing.TB, config state.Config, number int) *owner {
	t.Helper()
	store := opened(t, config)
	producer := kafka.NewProducer(config.Cluster, kafka.ProducerConfig{})
	t.Cleanup(func() { assert.NoError(t, producer.Close()) })
	o := &owner{t: t, store: store, Partition: store.Partition(number), producer: producer}
	require.NoError(t, o.TakeOver(t.Context()))
	return o
}

// visible writes an overlay's rows to the changelog, as a committed transaction does.
func (o *owner) visible(overlay *state.Overlay) {
	o.t.Helper()
	rows, err := overlay.Rows()
	require.NoError(o.t, err)
	require.NoError(o.t, o.producer.Produce(o.t.Context(), rows...))
}

// set makes a transaction of keys and values in turn; "" deletes.
func (o *owner) set(pairs ...string) {
	o.t.Helper()
	overlay := o.Begin()
	for i := 0; i < len(pairs); i += 2 {
		overlay.Set([]byte(pairs[i]), value(pairs[i+1]))
	}
	o.visible(overlay)
	overlay.Apply()
}

func value(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text)
}

// all are all rows, read by scan and by key.
func (o *owner) all() map[string]string {
	o.t.Helper()
	overlay := o.Begin()
	defer overlay.Drop()
	found := contents(overlay, "")
	_, err := overlay.Rows()
	require.NoError(o.t, err)
	return found
}

func contents(overlay *state.Overlay, prefix string) map[string]string {
	found := map[string]string{}
	for key, value := range overlay.Scan([]byte(prefix)) {
		found[string(key)] = string(value)
	}
	return found
}

// fold is the state of a changelog partition, without reserved rows.
func fold(t testing.TB, cluster kafka.Cluster, topic string, partition int) map[string]string {
	t.Helper()
	reader, err := kafka.NewTopicReader(cluster, topic)
	require.NoError(t, err)
	defer reader.Close()
	spans, err := reader.OffsetRanges(t.Context(), partition)
	require.NoError(t, err)
	rows := map[string]string{}
	for r, err := range reader.Read(t.Context(), partition, spans[partition]) {
		require.NoError(t, err)
		switch {
		case r.Key[0] == 0:
		case r.Value == nil:
			delete(rows, string(r.Key))
		default:
			rows[string(r.Key)] = string(r.Value)
		}
	}
	return rows
}

// copyDir copies a directory as it would be left if its process were killed now.
func copyDir(t testing.TB, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	for range 100 { // files may be removed while they are copied
		if os.CopyFS(to, os.DirFS(dir)) == nil {
			return to
		}
		require.NoError(t, os.RemoveAll(to))
	}
	require.Fail(t, "directory can't be copied")
	return ""
}

func keysOf(records []kafka.Record) []string {
	var keys []string
	for _, r := range records {
		keys = append(keys, string(r.Key))
	}
	return keys
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

func quiet(dir, topic string, cluster kafka.Cluster) state.Config {
	return state.Config{Dir: dir, Topic: topic, Cluster: cluster, Log: zap.NewNop(), AdvanceEvery: 20 * time.Millisecond}
}
