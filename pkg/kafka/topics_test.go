package kafka_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
)

// topicsFile returns the topics file of admin's tests.
func topicsFile(t testing.TB) []byte {
	t.Helper()
	content, err := os.ReadFile("admin/testdata/topics.yaml")
	require.NoError(t, err)
	return content
}

// actions returns the changes as lines, without the topics' names.
func actions(changes []admin.Change) []string {
	var lines []string
	for _, change := range changes {
		_, line, _ := strings.Cut(change.String(), ": ")
		lines = append(lines, line)
	}
	return lines
}

func topicsPlannedAndApplied(t *testing.T, cluster kafka.Cluster) {
	prefix := newTopic(t, cluster, 1) + "."
	options := admin.TopicOptions{Prefix: prefix, SingleBroker: true, Partitions: 2}
	spec, err := admin.ParseTopics(topicsFile(t), options)
	require.NoError(t, err)

	changes, err := admin.Plan(t.Context(), cluster, spec)
	require.NoError(t, err)
	assert.Equal(t, []string{"create", "create", "create", "create"}, actions(changes))
	for range 2 {
		_, err = admin.Apply(t.Context(), cluster, spec)
		require.NoError(t, err)
		eventually(t, func() bool { // some of several brokers have it a moment later
			changes, err := admin.Plan(t.Context(), cluster, spec)
			return err == nil && slices.Equal(actions(changes), []string{"ok", "ok", "ok", "ok"})
		}, "the topics are there")
	}

	spec.Topics[0].Configs["retention.ms"] = "86400000"
	spec.Topics[0].Configs["segment.bytes"] = "33554432"
	spec.Topics[1].Replication = 3
	changes, err = admin.Apply(t.Context(), cluster, spec)
	require.NoError(t, err)
	lines := actions(changes)
	require.Len(t, lines, 5)
	assert.Equal(t, `config retention.ms from "34560000000" to "86400000"`, lines[0])
	assert.Regexp(t, `config segment.bytes from "\d+" to "33554432"`, lines[1])
	assert.Contains(t, lines[2], "report: partition 0 has 1 replicas, not 3")
	eventually(t, func() bool { // the broker has it a moment after the controller
		changes, err := admin.Plan(t.Context(), cluster, spec)
		return err == nil && changes[0].Action == admin.ActionOK && changes[1].Action == admin.ActionReport
	}, "the change is there")
}

func partitionCountRefused(t *testing.T, cluster kafka.Cluster) {
	prefix := newTopic(t, cluster, 1) + "."
	parse := func(partitions int) admin.Spec {
		spec, err := admin.ParseTopics(topicsFile(t), admin.TopicOptions{Prefix: prefix, SingleBroker: true, Partitions: partitions})
		require.NoError(t, err)
		return spec
	}
	two, three := parse(2), parse(3)
	_, err := admin.Apply(t.Context(), cluster, admin.Spec{Topics: two.Topics[:1]})
	require.NoError(t, err)
	eventually(t, func() bool { // each broker has it a moment after the controller
		for range 6 {
			changes, err := admin.Plan(t.Context(), cluster, two)
			if err != nil || changes[0].Action != admin.ActionOK {
				return false
			}
		}
		return true
	}, "the topic is there")

	three.Topics[0].Configs["retention.ms"] = "1000"
	changes, err := admin.Apply(t.Context(), cluster, three)
	require.ErrorIs(t, err, admin.ErrRefused)
	require.ErrorContains(t, err, "it has 2 partitions, not 3")
	require.ErrorContains(t, err, "rebuild into fresh topics instead")
	assert.Len(t, changes, 5)

	changes, err = admin.Plan(t.Context(), cluster, two)
	require.NoError(t, err)
	assert.Equal(t, []string{"ok", "create", "create", "create"}, actions(changes), "nothing was changed")
}
