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
)

const patience = 20 * time.Second

// Topic creates a topic with a name of its own, one replica and the broker's default settings. Every broker of the
// cluster knows it when Topic returns.
func Topic(t testing.TB, addr string, partitions int) string {
	t.Helper()
	name := newTopic(t, clusterAt(addr), kafka.TopicSpec{Partitions: partitions, Replication: 1})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, await(ctx, func(ctx context.Context) error { return allKnow(ctx, addr, name, partitions) }))
	return name
}

// newTopic gives the topic its name.
func newTopic(t testing.TB, cluster kafka.Cluster, spec kafka.TopicSpec) string {
	t.Helper()
	spec.Name = "test-" + strings.ToLower(rand.Text())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := kafka.Apply(ctx, cluster, kafka.Spec{Topics: []kafka.TopicSpec{spec}})
	require.NoError(t, err)
	return spec.Name
}

// All returns a topic's records from the first to where it ends now: partition by partition, each in order.
func All(t testing.TB, addr, topic string) []kafka.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	records, err := kafka.ReadAll(ctx, clusterAt(addr), topic)
	require.NoError(t, err)
	return records
}

// Consume waits until a topic has at least want records and returns all it has, in the order of All. It fails the test
// after 20 seconds.
func Consume(t testing.TB, addr, topic string, want int) []kafka.Record {
	t.Helper()
	var records []kafka.Record
	deadline := time.Now().Add(patience)
	for len(records) < want {
		records = All(t, addr, topic)
		require.Falsef(t, len(records) < want && time.Now().After(deadline),
			"topic %s has %d records, want %d", topic, len(records), want)
	}
	return records
}

// DeleteTopic deletes a topic, and returns when the broker does not know it any more: one of that name can be made then.
func DeleteTopic(t testing.TB, addr, topic string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
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
