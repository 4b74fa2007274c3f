package admin_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
)

// topicsFile returns the topics file of the tests.
func topicsFile(t testing.TB) string {
	t.Helper()
	content, err := os.ReadFile("testdata/topics.yaml")
	require.NoError(t, err)
	return string(content)
}

func TestParseTopics(t *testing.T) {
	spec, err := admin.ParseTopics([]byte(topicsFile(t)), admin.TopicOptions{Prefix: "x."})
	require.NoError(t, err)
	dead := map[string]string{
		"cleanup.policy": "delete", "retention.ms": "129600000", "retention.bytes": "-1", "min.insync.replicas": "2",
	}
	assert.Equal(t, admin.Spec{Topics: []admin.TopicSpec{
		{Name: "x.raw", Partitions: 12, Replication: 3, Configs: map[string]string{
			"cleanup.policy": "delete", "retention.ms": "34560000000", "retention.bytes": "-1", "min.insync.replicas": "2",
		}},
		{Name: "x.state", Partitions: 12, Replication: 3, Configs: map[string]string{
			"cleanup.policy": "compact", "retention.ms": "-1", "retention.bytes": "-1", "min.insync.replicas": "2",
			"segment.bytes": "67108864", "min.cleanable.dirty.ratio": "0.1", "delete.retention.ms": "604800000",
		}},
		{Name: "x.dead.a", Partitions: 12, Replication: 3, Configs: dead},
		{Name: "x.dead.b", Partitions: 12, Replication: 3, Configs: dead},
	}}, spec)

	single, err := admin.ParseTopics([]byte(topicsFile(t)), admin.TopicOptions{SingleBroker: true, Partitions: 2})
	require.NoError(t, err)
	assert.Equal(t, 1, single.Topics[0].Replication)
	assert.Equal(t, 2, single.Topics[0].Partitions)
	assert.Equal(t, "1", single.Topics[0].Configs["min.insync.replicas"])

	own, err := admin.ParseTopics([]byte(topicsFile(t)+"  - {name: one, partitions: 1, policy: compact}\n"), admin.TopicOptions{Partitions: 2})
	require.NoError(t, err)
	one := own.Topics[len(own.Topics)-1]
	assert.Equal(t, []any{"one", 1, true}, []any{one.Name, one.Partitions, one.OwnPartitions}, "a topic with its own number of partitions")
}

func TestParseTopicsErrors(t *testing.T) {
	for _, c := range []struct{ name, old, changed, want string }{
		{"not YAML", "partitions: 12", "partitions: [", "parse topics"},
		{"an unknown key", "roles:", "rolls:", "rolls"},
		{"no partitions", "partitions: 12", "partitions: 0", "partitions is 0"},
		{"partitions of a topic", "policy: compact", "partitions: -1, policy: compact", "topic 2 (state): partitions is -1"},
		{"no replicas", "replication: 3", "replication: 0", "replication is 0"},
		{"too many in sync", "min_insync_replicas: 2", "min_insync_replicas: 4", "between 1 and replication"},
		{"no policy", "policy: compact, ", "", `policy is ""`},
		{"an unknown policy", "policy: compact", "policy: shrink", "must be delete or compact"},
		{"no retention", ", retention: 400d", "", "retention"},
		{"no duration", "400d", "400 days", "400 days"},
		{"a retention of 0", "400d", "0d", "0d"},
		{"a retention that overflows", "400d", "99999999999999999999d", "duration"},
		{"retention of a compacted topic", "policy: compact", "policy: compact, retention: 3d", "not allowed with"},
		{"no size", "64MiB", "64 megs", "64 megs"},
		{"a reserved setting", "segment.bytes: 64MiB", "retention.ms: 1d", "set policy, retention"},
		{"an invalid name", "name: raw", "name: raw/webhooks", "not a valid topic name"},
		{"a duplicate name", "name: state", "name: raw", "duplicate name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := strings.Replace(topicsFile(t), c.old, c.changed, 1)
			require.NotEqual(t, topicsFile(t), changed)
			_, err := admin.ParseTopics([]byte(changed), admin.TopicOptions{})
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func FuzzParseTopics(f *testing.F) {
	f.Add([]byte(topicsFile(f)))
	f.Add([]byte("partitions: 1\nreplication: 1\nmin_insync_replicas: 1\ntopics: [{name: a, policy: compact}]"))
	f.Add([]byte("topics: [{name: '{role}'}]"))
	f.Fuzz(func(t *testing.T, content []byte) {
		spec, err := admin.ParseTopics(content, admin.TopicOptions{})
		if err != nil {
			return
		}
		for _, topic := range spec.Topics {
			assert.NotEmpty(t, topic.Name)
			assert.Positive(t, topic.Partitions)
			assert.NotEmpty(t, topic.Configs["retention.ms"])
		}
	})
}
