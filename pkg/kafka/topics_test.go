package kafka_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

const topicsFile = `
partitions: 12
replication: 3
min_insync_replicas: 2
roles: [a, b]
topics:
  - {name: raw, policy: delete, retention: 400d}
  - {name: state, policy: compact, config: {segment.bytes: 64MiB, min.cleanable.dirty.ratio: 0.1, delete.retention.ms: 7d}}
  - {name: "dead.{role}", policy: delete, retention: 36h}
`

func TestParseTopics(t *testing.T) {
	spec, err := kafka.ParseTopics([]byte(topicsFile), kafka.TopicOptions{Prefix: "x."})
	require.NoError(t, err)
	dead := map[string]string{
		"cleanup.policy": "delete", "retention.ms": "129600000", "retention.bytes": "-1", "min.insync.replicas": "2",
	}
	assert.Equal(t, kafka.Spec{Topics: []kafka.TopicSpec{
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

	single, err := kafka.ParseTopics([]byte(topicsFile), kafka.TopicOptions{Single: true, Partitions: 2})
	require.NoError(t, err)
	assert.Equal(t, 1, single.Topics[0].Replication)
	assert.Equal(t, 2, single.Topics[0].Partitions)
	assert.Equal(t, "1", single.Topics[0].Configs["min.insync.replicas"])
}

func TestParseTopicsSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, old, changed, says string }{
		{"not YAML", "partitions: 12", "partitions: [", "parse topics"},
		{"an unknown key", "roles:", "rolls:", "rolls"},
		{"no partitions", "partitions: 12", "partitions: 0", "partitions is 0"},
		{"no replicas", "replication: 3", "replication: 0", "replication is 0"},
		{"too many in sync", "min_insync_replicas: 2", "min_insync_replicas: 4", "between 1 and replication"},
		{"no policy", "policy: compact, ", "", `policy is ""`},
		{"a strange policy", "policy: compact", "policy: shrink", "must be delete or compact"},
		{"no retention", ", retention: 400d", "", "retention"},
		{"no duration", "400d", "400 days", "400 days"},
		{"a retention of nothing", "400d", "0d", "0d"},
		{"a retention beyond all bounds", "400d", "99999999999999999999d", "duration"},
		{"retention of a compacted topic", "policy: compact", "policy: compact, retention: 3d", "no sense"},
		{"no size", "64MiB", "64 megs", "64 megs"},
		{"a setting twice", "segment.bytes: 64MiB", "retention.ms: 1d", "set policy, retention"},
		{"an illegal name", "name: raw", "name: raw/webhooks", "no topic name"},
		{"a name twice", "name: state", "name: raw", "twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := strings.Replace(topicsFile, c.old, c.changed, 1)
			require.NotEqual(t, topicsFile, changed)
			_, err := kafka.ParseTopics([]byte(changed), kafka.TopicOptions{})
			assert.ErrorContains(t, err, c.says)
		})
	}
}

func FuzzParseTopics(f *testing.F) {
	f.Add([]byte(topicsFile))
	f.Add([]byte("partitions: 1\nreplication: 1\nmin_insync_replicas: 1\ntopics: [{name: a, policy: compact}]"))
	f.Add([]byte("topics: [{name: '{role}'}]"))
	f.Fuzz(func(t *testing.T, content []byte) {
		spec, err := kafka.ParseTopics(content, kafka.TopicOptions{})
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

// actions are the changes as lines, without the topics' names.
func actions(changes []kafka.Change) []string {
	var lines []string
	for _, change := range changes {
		_, line, _ := strings.Cut(change.String(), ": ")
		lines = append(lines, line)
	}
	return lines
}

func topicsPlannedAndApplied(t *testing.T, cluster kafka.Cluster) {
	prefix := newTopic(t, cluster, 1) + "."
	options := kafka.TopicOptions{Prefix: prefix, Single: true, Partitions: 2}
	spec, err := kafka.ParseTopics([]byte(topicsFile), options)
	require.NoError(t, err)

	changes, err := kafka.Plan(t.Context(), cluster, spec)
	require.NoError(t, err)
	assert.Equal(t, []string{"create", "create", "create", "create"}, actions(changes))
	for range 2 {
		_, err = kafka.Apply(t.Context(), cluster, spec)
		require.NoError(t, err)
		eventually(t, func() bool { // of several brokers some know a moment later
			changes, err := kafka.Plan(t.Context(), cluster, spec)
			return err == nil && slices.Equal(actions(changes), []string{"ok", "ok", "ok", "ok"})
		}, "the topics are there")
	}

	spec.Topics[0].Configs["retention.ms"] = "86400000"
	spec.Topics[0].Configs["segment.bytes"] = "33554432"
	spec.Topics[1].Replication = 3
	changes, err = kafka.Apply(t.Context(), cluster, spec)
	require.NoError(t, err)
	lines := actions(changes)
	require.Len(t, lines, 5)
	assert.Equal(t, `config retention.ms from "34560000000" to "86400000"`, lines[0])
	assert.Regexp(t, `config segment.bytes from "\d+" to "33554432"`, lines[1])
	assert.Contains(t, lines[2], "report: partition 0 has 1 replicas, not 3")
	eventually(t, func() bool { // the controller knows at once, the broker a moment later
		changes, err := kafka.Plan(t.Context(), cluster, spec)
		return err == nil && changes[0].Action == kafka.ActionOK && changes[1].Action == kafka.ActionReport
	}, "the change is there")
}

func partitionCountRefused(t *testing.T, cluster kafka.Cluster) {
	prefix := newTopic(t, cluster, 1) + "."
	parse := func(partitions int) kafka.Spec {
		spec, err := kafka.ParseTopics([]byte(topicsFile), kafka.TopicOptions{Prefix: prefix, Single: true, Partitions: partitions})
		require.NoError(t, err)
		return spec
	}
	two, three := parse(2), parse(3)
	_, err := kafka.Apply(t.Context(), cluster, kafka.Spec{Topics: two.Topics[:1]})
	require.NoError(t, err)

	three.Topics[0].Configs["retention.ms"] = "1000"
	changes, err := kafka.Apply(t.Context(), cluster, three)
	require.ErrorIs(t, err, kafka.ErrRefused)
	require.ErrorContains(t, err, "it has 2 partitions, not 3")
	require.ErrorContains(t, err, "rebuild into fresh topics instead")
	assert.Len(t, changes, 5)

	changes, err = kafka.Plan(t.Context(), cluster, two)
	require.NoError(t, err)
	assert.Equal(t, []string{"ok", "create", "create", "create"}, actions(changes), "nothing was changed")
}
