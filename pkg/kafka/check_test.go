package kafka_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// unmet returns the findings of Check. Another error counts as one that may go away.
func unmet(t *testing.T, cluster kafka.Cluster, topics ...admin.TopicSpec) admin.CheckError {
	t.Helper()
	err := admin.Check(t.Context(), cluster, admin.Requirements{Topics: topics})
	var found *admin.CheckError
	switch {
	case err == nil:
		return admin.CheckError{}
	case errors.As(err, &found):
		return *found
	}
	return admin.CheckError{Waiting: []string{err.Error()}}
}

// checksTopics is a conformance case.
func checksTopics(t *testing.T, cluster kafka.Cluster) {
	name := newTopic(t, cluster, 1) + "-checked"
	_, err := admin.Apply(t.Context(), cluster, admin.Spec{Topics: []admin.TopicSpec{
		{Name: name, Partitions: 1, Replication: 1, Configs: map[string]string{"min.insync.replicas": "1"}},
	}})
	require.NoError(t, err)
	want := admin.TopicSpec{Name: name, Replication: 1, Configs: map[string]string{"cleanup.policy": "compact", "min.insync.replicas": "2"}}
	absent := admin.TopicSpec{Name: name + "-absent", Partitions: 1, Replication: 1, Configs: map[string]string{"cleanup.policy": "delete"}}
	var found admin.CheckError
	eventually(t, func() bool {
		found = unmet(t, cluster, want, absent)
		return len(found.Waiting) == 3
	}, "what is there is seen")
	assert.Empty(t, found.Permanent)
	assert.Equal(t, []string{
		"topic " + name + ` has cleanup.policy "delete", not "compact": ` + "`rechargeflow topics apply` changes it",
		"topic " + name + ` has min.insync.replicas "1", not "2": ` + "`rechargeflow topics apply` changes it",
		"topic " + absent.Name + " is missing: `rechargeflow topics apply` creates it",
	}, found.Waiting)

	applied := want
	applied.Partitions = 1
	_, err = admin.Apply(t.Context(), cluster, admin.Spec{Topics: []admin.TopicSpec{applied, absent}})
	require.NoError(t, err)
	eventually(t, func() bool { return len(unmet(t, cluster, want, absent).Waiting) == 0 }, "what was applied is seen")

	more := admin.TopicSpec{Name: newTopic(t, cluster, 3), Replication: 1}
	twice := admin.TopicSpec{Name: name, Replication: 2}
	assert.Equal(t, []string{
		"partition 0 of topic " + name + " has 1 replicas, not 2: add replicas with kafka-reassign-partitions, or change kafka.durability",
		"topics have different numbers of partitions (1: " + name + "; 3: " + more.Name + "), must have the same: rebuild into fresh topics",
	}, unmet(t, cluster, twice, more).Permanent)

	own := admin.TopicSpec{Name: more.Name, Replication: 1, Partitions: 3, OwnPartitions: true}
	assert.Empty(t, unmet(t, cluster, applied, own).Permanent, "a topic with its own number of partitions")
	own.Partitions = 1
	assert.Equal(t, []string{"topic " + more.Name + " has 3 partitions, must have 1: create it again with `rechargeflow topics apply`"},
		unmet(t, cluster, applied, own).Permanent)
}

// TestCheckVersions: a broker of a future or past Kafka.
func TestCheckVersions(t *testing.T) {
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
	found := unmet(t, cluster, admin.TopicSpec{Name: "absent"})
	broker := "broker " + cluster.Brokers[0]
	assert.Equal(t, []string{
		broker + " supports Produce requests up to version 2, not 8: use a newer Apache Kafka",
		broker + " supports Fetch requests from version 12 on, not 11: use a newer rechargeflow",
		broker + " does not support EndTxn requests: use a newer Apache Kafka",
		broker + " supports SyncGroup requests from version 3 on, not 0: use a newer rechargeflow",
	}, found.Permanent)
	assert.Len(t, found.Waiting, 1, "everything at once")
	assert.Equal(t, "kafka does not meet the requirements: "+found.Permanent[0], found.Error()[:len("kafka does not meet the requirements: ")+len(found.Permanent[0])])
}

func TestCheckWithoutBrokers(t *testing.T) {
	err := admin.Check(t.Context(), kafka.Cluster{Brokers: []string{"127.0.0.1:1"}}, admin.Requirements{})
	require.ErrorContains(t, err, "check kafka: fetch metadata: ")
	var found *admin.CheckError
	require.NotErrorAs(t, err, &found)
	require.ErrorContains(t, admin.Check(t.Context(), kafka.Cluster{}, admin.Requirements{}), "no Kafka brokers")
}

// TestCheckThree: every broker is checked, and replication is read from all of them.
func TestCheckThree(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three brokers; run without -short")
	}
	c := kafkatest.Three(t)
	topic := c.Topic(6)
	want := admin.TopicSpec{Name: topic, Replication: 3, Configs: map[string]string{"cleanup.policy": "delete", "min.insync.replicas": "2"}}
	require.NoError(t, admin.Check(t.Context(), c.Cluster(), admin.Requirements{Topics: []admin.TopicSpec{want}}))
	c.Broker(2).Kill()
	eventually(t, func() bool {
		return admin.Check(t.Context(), c.Cluster(), admin.Requirements{Topics: []admin.TopicSpec{want}}) == nil
	}, "a dead broker is not checked, and its topics still have three replicas")
}
