package kafka_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// grownTopicNotWritten: partitions are added under load. Each acknowledged record is there, each key in one partition only, and
// soon nothing is acknowledged. With IgnoreExtra keys keep their partitions.
func grownTopicNotWritten(t *testing.T, cluster kafka.Cluster) {
	const before, after = 3, 8
	topic := newTopic(t, cluster, before)
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{Partitions: kafka.PartitionCount{Count: before}})
	defer func() { require.NoError(t, producer.Close()) }()
	var mutex sync.Mutex
	acknowledged := map[string]bool{}
	var senders sync.WaitGroup
	for sender := range 4 {
		senders.Go(func() {
			for n := 0; ; n++ {
				value := fmt.Sprintf("%d/%d", sender, n)
				err := producer.Produce(t.Context(), kafka.Record{Topic: topic, Partition: kafka.ByKey, Key: fmt.Append(nil, n%50), Value: []byte(value)})
				if err != nil {
					assert.ErrorIs(t, err, kafka.ErrPartitionCount)
					return
				}
				mutex.Lock()
				acknowledged[value] = true
				mutex.Unlock()
			}
		})
	}
	eventually(t, func() bool {
		mutex.Lock()
		defer mutex.Unlock()
		return len(acknowledged) > 100
	}, "records are written")
	kafkatest.GrowTopic(t, cluster.Brokers[0], topic, after)
	senders.Wait()

	ignoring := kafka.NewProducer(cluster, kafka.ProducerConfig{Partitions: kafka.PartitionCount{Count: before, IgnoreExtra: true}})
	for n := range 50 {
		require.NoError(t, ignoring.Produce(t.Context(), kafka.Record{Topic: topic, Partition: kafka.ByKey, Key: fmt.Append(nil, n), Value: []byte("ignored")}))
	}
	require.NoError(t, ignoring.Close())
	partitions := map[string]int{}
	for _, r := range kafkatest.All(t, cluster.Brokers[0], topic) {
		delete(acknowledged, string(r.Value))
		if at, ok := partitions[string(r.Key)]; ok {
			assert.Equal(t, at, r.Partition, "key %s", r.Key)
		}
		partitions[string(r.Key)] = r.Partition
		assert.Less(t, r.Partition, before)
	}
	assert.Empty(t, acknowledged, "acknowledged and not there")
	assert.Len(t, partitions, 50)
}

// grownTopicInTransaction: an output by key waits, and nothing of its transaction is committed.
func grownTopicInTransaction(t *testing.T, cluster kafka.Cluster) {
	in, out := newTopic(t, cluster, 2), newTopic(t, cluster, 2)
	kafkatest.GrowTopic(t, cluster.Brokers[0], out, 4)
	produce(t, cluster, numbered(in, 0, 3)...)
	config := quick(in, in)
	config.Partitions = kafka.PartitionCount{Count: 2}
	failed := make(chan error, 100)
	r := runTransactions(t, cluster, config, zap.NewNop(), kafka.Transactions{
		Transform: func(_ context.Context, records []kafka.Record) (kafka.TransformResult, error) {
			outputs := []kafka.Record{{Topic: out, Value: []byte("beside")}}
			for _, each := range records {
				outputs = append(outputs, kafka.Record{Topic: out, Partition: kafka.ByKey, Key: []byte("key"), Value: each.Value})
			}
			return kafka.TransformResult{Finished: len(records), Outputs: outputs, OnEnd: func(err error) { failed <- err }}, nil
		},
	})
	require.ErrorIs(t, <-failed, kafka.ErrPartitionCount)
	r.stop()
	assert.Empty(t, kafkatest.All(t, cluster.Brokers[0], out))
	config.Partitions.IgnoreExtra = true
	runTransactions(t, cluster, config, zap.NewNop(), kafka.Transactions{Transform: passOn(out)})
	assert.Equal(t, upTo(3), values(kafkatest.Consume(t, cluster.Brokers[0], out, 3)))
}

// grownTopicNotRead: a consumer goes on with its partitions, and reports the others.
func grownTopicNotRead(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 2)
	config := quick(topic, topic)
	config.Partitions = kafka.PartitionCount{Count: 2}
	var c collector
	r := run(t, cluster, config, zap.NewNop(), c.handle)
	produce(t, cluster, numbered(topic, 1, 2)...)
	eventually(t, func() bool { return c.count() == 2 }, "records are handled")
	assert.Empty(t, r.Status().Extra)
	kafkatest.GrowTopic(t, cluster.Brokers[0], topic, 4)
	eventually(t, func() bool { return assert.ObjectsAreEqual([]int{2, 3}, r.Status().Extra) }, "the added partitions are reported")
	produce(t, cluster, append(numbered(topic, 3, 2), numbered(topic, 0, 2)...)...)
	eventually(t, func() bool { return c.count() == 4 }, "the others are handled")
	for _, handled := range c.all() {
		assert.Less(t, handled.Partition, 2)
	}
}

// inspectsTopics: a deleted topic, added partitions, missing replicas and shorter retention are found, and what is more is not.
func inspectsTopics(t *testing.T, cluster kafka.Cluster) {
	topic := func(configs map[string]string) admin.TopicSpec {
		spec := admin.TopicSpec{Name: newTopic(t, cluster, 1) + "-inspected", Partitions: 2, Replication: 1, Configs: configs}
		_, err := admin.Apply(t.Context(), cluster, admin.Spec{Topics: []admin.TopicSpec{spec}})
		require.NoError(t, err)
		return spec
	}
	fine := topic(map[string]string{"retention.ms": "-1", "retention.bytes": "-1"})
	fine.Configs = map[string]string{"retention.ms": "1000000", "retention.bytes": "-1"}
	gone, grown, changed := topic(nil), topic(nil), topic(map[string]string{"retention.ms": "1000000", "cleanup.policy": "delete"})
	changed.Configs = map[string]string{"retention.ms": "2000000", "cleanup.policy": "compact"}
	changed.Replication = 2
	need := admin.Requirements{Topics: []admin.TopicSpec{fine, gone, grown, changed}, Partitions: kafka.PartitionCount{Count: 2}}
	kafkatest.DeleteTopic(t, cluster.Brokers[0], gone.Name)
	kafkatest.GrowTopic(t, cluster.Brokers[0], grown.Name, 3)
	find := func() []admin.Finding {
		findings, err := admin.Inspect(t.Context(), cluster, need)
		require.NoError(t, err)
		return findings
	}
	var findings []admin.Finding
	eventually(t, func() bool {
		findings = find()
		return len(findings) == 5
	}, "everything is found")
	assert.Equal(t, []admin.Finding{
		{Topic: gone.Name, Kind: admin.KindMissing, Text: "topic " + gone.Name + " is missing: `rechargeflow topics apply` creates it"},
		{Topic: grown.Name, Kind: admin.KindPartitions, Text: "topic " + grown.Name + " has 3 partitions, not 2 (kafka.partitions), and Kafka can't remove partitions: " +
			"set kafka.extra_partitions to ignore to leave the new ones unused, if nothing else writes to the topic"},
		{Topic: changed.Name, Kind: admin.KindReplicas, Text: "partition 0 of topic " + changed.Name +
			" has 1 replicas, not 2: add replicas with kafka-reassign-partitions, or change kafka.durability"},
		{Topic: changed.Name, Kind: admin.KindConfig, Text: "topic " + changed.Name + ` has cleanup.policy "delete", not "compact": ` + "`rechargeflow topics apply` changes it"},
		{Topic: changed.Name, Kind: admin.KindConfig, Text: "topic " + changed.Name + ` has retention.ms "1000000", not "2000000": ` + "`rechargeflow topics apply` changes it"},
	}, findings)

	var unmet *admin.CheckError
	require.ErrorAs(t, admin.Check(t.Context(), cluster, need), &unmet)
	assert.Contains(t, unmet.Permanent, findings[1].Text, "a process does not start")
	need.Partitions.IgnoreExtra = true
	assert.Len(t, find(), 4)
	need.Partitions = kafka.PartitionCount{Count: 4}
	assert.Contains(t, find()[0].Text, "has 2 partitions, not 4 (kafka.partitions): set the number with which the topics were created")
}
