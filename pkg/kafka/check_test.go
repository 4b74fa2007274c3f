package kafka_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// unmet is what Check finds missing; an error of another kind counts as something to wait for.
func unmet(t *testing.T, cluster kafka.Cluster, topics ...kafka.TopicSpec) kafka.Unmet {
	t.Helper()
	err := kafka.Check(t.Context(), cluster, kafka.Requirements{Topics: topics})
	var found *kafka.Unmet
	switch {
	case err == nil:
		return kafka.Unmet{}
	case errors.As(err, &found):
		return *found
	}
	return kafka.Unmet{Awaited: []string{err.Error()}}
}

// checksTopics is part of the conformance of brokers.
func checksTopics(t *testing.T, cluster kafka.Cluster) {
	name := newTopic(t, cluster, 1) + "-checked"
	_, err := kafka.Apply(t.Context(), cluster, kafka.Spec{Topics: []kafka.TopicSpec{
		{Name: name, Partitions: 1, Replication: 1, Configs: map[string]string{"min.insync.replicas": "1"}},
	}})
	require.NoError(t, err)
	want := kafka.TopicSpec{Name: name, Replication: 1, Configs: map[string]string{"cleanup.policy": "compact", "min.insync.replicas": "2"}}
	absent := kafka.TopicSpec{Name: name + "-absent", Partitions: 1, Replication: 1, Configs: map[string]string{"cleanup.policy": "delete"}}
	var found kafka.Unmet
	eventually(t, func() bool {
		found = unmet(t, cluster, want, absent)
		return len(found.Awaited) == 3
	}, "what is there is seen")
	assert.Empty(t, found.Final)
	assert.Equal(t, []string{
		"topic " + name + ` has cleanup.policy "delete", not "compact": ` + "`rechargeflow topics apply` changes it",
		"topic " + name + ` has min.insync.replicas "1", not "2": ` + "`rechargeflow topics apply` changes it",
		"topic " + absent.Name + " is missing: `rechargeflow topics apply` makes it",
	}, found.Awaited)

	applied := want
	applied.Partitions = 1
	_, err = kafka.Apply(t.Context(), cluster, kafka.Spec{Topics: []kafka.TopicSpec{applied, absent}})
	require.NoError(t, err)
	eventually(t, func() bool { return len(unmet(t, cluster, want, absent).Awaited) == 0 }, "what was applied is seen")

	more := kafka.TopicSpec{Name: newTopic(t, cluster, 3), Replication: 1}
	twice := kafka.TopicSpec{Name: name, Replication: 2}
	assert.Equal(t, []string{
		"partition 0 of topic " + name + " has 1 replicas, not 2: add some with kafka-reassign-partitions, or ask for less (kafka.durability)",
		"topics have different numbers of partitions (1: " + name + "; 3: " + more.Name + "), and must have the same: rebuild into fresh topics",
	}, unmet(t, cluster, twice, more).Final)
}

// A broker of a future Kafka, or of a past one.
func TestCheckNamesWhatABrokerDoesNotTake(t *testing.T) {
	fake, cluster := faulty(t)
	fake.ControlKey(int16(kmsg.ApiVersions), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		answer := kmsg.NewPtrApiVersionsResponse()
		for key := range int16(40) {
			offer := kmsg.ApiVersionsResponseApiKey{ApiKey: key, MaxVersion: 9}
			switch kmsg.Key(key) {
			case kmsg.Fetch:
				offer.MinVersion, offer.MaxVersion = 12, 18
			case kmsg.SyncGroup:
				offer.MinVersion = 3
			case kmsg.Produce:
				offer.MaxVersion = 2
			case kmsg.EndTxn:
				continue
			}
			answer.ApiKeys = append(answer.ApiKeys, offer)
		}
		return answer, nil, true
	})
	found := unmet(t, cluster, kafka.TopicSpec{Name: "absent"})
	broker := "broker " + cluster.Brokers[0]
	assert.Equal(t, []string{
		broker + " takes Produce requests up to version 2, not 8: take a newer Apache Kafka",
		broker + " takes Fetch requests from version 12 on, not 11: take a newer rechargeflow",
		broker + " does not take EndTxn requests at all: take a newer Apache Kafka",
		broker + " takes SyncGroup requests from version 3 on, not 0: take a newer rechargeflow",
	}, found.Final)
	assert.Len(t, found.Awaited, 1, "everything at once")
	assert.Equal(t, "kafka is not ready for us: "+found.Final[0], found.Error()[:len("kafka is not ready for us: ")+len(found.Final[0])])
}

func TestCheckSaysWhenBrokersDoNotAnswer(t *testing.T) {
	err := kafka.Check(t.Context(), kafka.Cluster{Brokers: []string{"127.0.0.1:1"}}, kafka.Requirements{})
	require.ErrorContains(t, err, "check kafka: ask for brokers: ")
	var found *kafka.Unmet
	require.NotErrorAs(t, err, &found)
	require.ErrorContains(t, kafka.Check(t.Context(), kafka.Cluster{}, kafka.Requirements{}), "no Kafka brokers")
}

// Each of three brokers is asked, and a topic on all of them is what durability wants.
func TestCheckThree(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three brokers; run without -short")
	}
	c := kafkatest.Three(t)
	topic := c.Topic(6)
	want := kafka.TopicSpec{Name: topic, Replication: 3, Configs: map[string]string{"cleanup.policy": "delete", "min.insync.replicas": "2"}}
	require.NoError(t, kafka.Check(t.Context(), c.Cluster(), kafka.Requirements{Topics: []kafka.TopicSpec{want}}))
	c.Broker(2).Kill()
	eventually(t, func() bool {
		return kafka.Check(t.Context(), c.Cluster(), kafka.Requirements{Topics: []kafka.TopicSpec{want}}) == nil
	}, "a broker that is gone is not asked, and its topics still have three replicas")
}
