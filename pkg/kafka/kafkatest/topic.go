package kafkatest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
)

const timeout = 20 * time.Second

// Topic creates a topic with a random name, one replica and the broker's default settings. Every broker of the cluster knows
// it when Topic returns.
func Topic(t testing.TB, addr string, partitions int) string {
	t.Helper()
	name := newTopic(t, clusterAt(addr), admin.TopicSpec{Partitions: partitions, Replication: 1})
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	require.NoError(t, await(ctx, func(ctx context.Context) error { return checkLeadersEverywhere(ctx, addr, name, partitions) }))
	return name
}

// newTopic creates a topic with a random name.
func newTopic(t testing.TB, cluster kafka.Cluster, spec admin.TopicSpec) string {
	t.Helper()
	spec.Name = "test-" + strings.ToLower(rand.Text())
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	_, err := admin.Apply(ctx, cluster, admin.Spec{Topics: []admin.TopicSpec{spec}})
	require.NoError(t, err)
	return spec.Name
}

// All is ReadAll for a broker's address.
func All(t testing.TB, addr, topic string) []kafka.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	records, err := ReadAll(ctx, clusterAt(addr), topic)
	require.NoError(t, err)
	return records
}

// Consume waits until a topic has at least want records and returns all of them, in the order of All. It fails the test
// after 20 seconds.
func Consume(t testing.TB, addr, topic string, want int) []kafka.Record {
	t.Helper()
	var records []kafka.Record
	deadline := time.Now().Add(timeout)
	for len(records) < want {
		records = All(t, addr, topic)
		require.Falsef(t, len(records) < want && time.Now().After(deadline),
			"topic %s has %d records, want %d", topic, len(records), want)
	}
	return records
}

// DeleteTopic deletes a topic and returns when the broker does not know it any more, so that it can be created again.
func DeleteTopic(t testing.TB, addr, topic string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	client, done := clientAt(addr)
	defer done()
	answer, err := client.DeleteTopics(ctx, &kafkago.DeleteTopicsRequest{Topics: []string{topic}})
	require.NoError(t, err)
	require.NoError(t, answer.Errors[topic])
	require.NoError(t, await(ctx, func(ctx context.Context) error {
		all, err := partitions(ctx, addr)
		for _, p := range all {
			if p.Topic == topic {
				return fmt.Errorf("broker %s still knows topic %s", addr, topic)
			}
		}
		return err
	}))
}

// GrowTopic adds partitions to a topic and returns when the broker knows leaders of all of them.
func GrowTopic(t testing.TB, addr, topic string, partitions int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	client, done := clientAt(addr)
	defer done()
	answer, err := client.CreatePartitions(ctx, &kafkago.CreatePartitionsRequest{
		Topics: []kafkago.TopicPartitionsConfig{{Name: topic, Count: int32(partitions)}},
	})
	require.NoError(t, err)
	require.NoError(t, answer.Errors[topic])
	require.NoError(t, await(ctx, func(ctx context.Context) error { return checkLeadersEverywhere(ctx, addr, topic, partitions) }))
}
