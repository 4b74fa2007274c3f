package kafka_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// TestBrokerKilledAfterEndTxn kills the only broker when it has answered EndTxn, before it has written all markers. It does not write
// them after its start. Each output must be readable once, in order, and nothing may be left open.
func TestBrokerKilledAfterEndTxn(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Apache Kafka; run without -short")
	}
	const partitions, kills, more = 6, 2, 200
	c := kafkatest.One(t, kafkatest.WithProxies(), kafkatest.WithSession(4*time.Second))
	cluster, in, out := c.Cluster(), c.Topic(partitions), c.Topic(partitions)
	var armed atomic.Bool
	killed, read := make(chan struct{}), 0
	config := quick(in, in)
	config.FaultPoint = func(name string) {
		if name == "transaction ended" && armed.CompareAndSwap(true, false) {
			c.Broker(1).Kill()
			killed <- struct{}{}
		}
	}
	runTransactions(t, cluster, config, zap.NewNop(), kafka.Transactions{
		Outputs: []string{out},
		Transform: func(_ context.Context, records []kafka.Record) (kafka.TransformResult, error) {
			records = records[:min(len(records), 5)] // many transactions
			return kafka.TransformResult{Finished: len(records), Outputs: renamed(out, records)}, nil
		},
	})
	for range kills {
		var records []kafka.Record
		for partition := range partitions {
			for i := read; i < read+more; i++ {
				records = append(records, kafka.Record{Topic: in, Partition: partition, Value: []byte(strconv.Itoa(i))})
			}
		}
		produce(t, cluster, records...)
		read += more
		armed.Store(true)
		<-killed
		c.Broker(1).Restart()
		for partition := range partitions {
			require.Eventually(t, func() bool {
				offset, _ := committedOf(t, cluster, in, in, partition)
				return offset == int64(read)
			}, time.Minute, 50*time.Millisecond, "partition %d is handled", partition)
		}
	}
	records := byPartition(kafkatest.All(t, cluster.Brokers[0], out))
	for partition := range partitions {
		assert.Equal(t, upTo(read), values(records[partition]), "partition %d", partition)
	}
}

// TestIdleTransactionHangs leaves the last transaction of an idle process open in a partition of its outputs, as a broker does that loses its
// marker. What it wrote must become readable although the process has nothing more to write.
func TestIdleTransactionHangs(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Apache Kafka; run without -short")
	}
	const group = "idle"
	c := kafkatest.One(t)
	cluster, in, out := c.Cluster(), c.Topic(1), c.Topic(1)
	runTransactions(t, cluster, quick(group, in), zap.NewNop(), kafka.Transactions{
		Outputs: []string{out}, Transform: passOn(out), PunctuateEvery: time.Second,
		Punctuate: func(context.Context, int) (kafka.TransformResult, error) { return kafka.TransformResult{}, nil },
	})
	readable := func(want int) {
		t.Helper()
		require.Eventually(t, func() bool { return len(kafkatest.All(t, cluster.Brokers[0], out)) == want }, time.Minute, 100*time.Millisecond)
	}
	produce(t, cluster, numbered(in, 0, 5)...)
	readable(5)
	leaveOpen(t, cluster, group+"-0", out)
	require.Len(t, kafkatest.All(t, cluster.Brokers[0], out), 5, "its transaction hangs")
	readable(6)
	produce(t, cluster, numbered(in, 0, 5)...)
	readable(11)
}

// leaveOpen writes a record to partition 0 of a topic as a part of a transaction of which the coordinator knows nothing.
func leaveOpen(t *testing.T, cluster kafka.Cluster, id, topic string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Brokers...), kgo.MaxVersions(kversion.V3_7_0())) // topics by name
	require.NoError(t, err)
	defer client.Close()
	trustProducers(t, client)

	describe := kmsg.NewPtrDescribeProducersRequest()
	describe.Topics = []kmsg.DescribeProducersRequestTopic{{Topic: topic, Partitions: []int32{0}}}
	described, err := describe.RequestWith(t.Context(), client)
	require.NoError(t, err)
	active := described.Topics[0].Partitions[0].ActiveProducers
	require.Len(t, active, 1)

	var encoder batch.Encoder
	encoder.Reset(batch.None, 0)
	encoder.Add(batch.Record{Time: time.Now().UnixMilli(), Value: []byte("hangs")})
	records, err := encoder.Finish(batch.Producer{
		ID: active[0].ProducerID, Epoch: int16(active[0].ProducerEpoch), Sequence: active[0].LastSequence + 1, Transactional: true,
	})
	require.NoError(t, err)
	produce := kmsg.NewPtrProduceRequest()
	produce.Acks, produce.TransactionID, produce.TimeoutMillis = -1, &id, 5000
	produce.Topics = []kmsg.ProduceRequestTopic{{Topic: topic, Partitions: []kmsg.ProduceRequestTopicPartition{{Partition: 0, Records: records}}}}
	require.EventuallyWithT(t, func(c *assert.CollectT) { // until the broker has the setting of trustProducers
		produced, err := client.SeedBrokers()[0].RetriableRequest(t.Context(), produce)
		require.NoError(c, err)
		require.NoError(c, kerr.ErrorForCode(produced.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode)) //nolint:forcetypeassert // the answer to it
	}, 30*time.Second, 100*time.Millisecond)
}

// trustProducers makes brokers accept records of a transaction without asking its coordinator.
func trustProducers(t *testing.T, client *kgo.Client) {
	t.Helper()
	off := "false"
	alter := kmsg.NewPtrIncrementalAlterConfigsRequest()
	alter.Resources = []kmsg.IncrementalAlterConfigsRequestResource{{
		ResourceType: kmsg.ConfigResourceTypeBroker, // no name: of all brokers
		Configs:      []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: "transaction.partition.verification.enable", Value: &off}},
	}}
	altered, err := alter.RequestWith(t.Context(), client)
	require.NoError(t, err)
	require.NoError(t, kerr.ErrorForCode(altered.Resources[0].ErrorCode))
}

// TestEndedAsDecided: what is left open gets the outcome that the coordinator has decided.
func TestEndedAsDecided(t *testing.T) {
	for state, commit := range map[string]bool{
		"CompleteCommit": true, "PrepareCommit": true, "Empty": true, "CompleteAbort": false, "PrepareAbort": false, "Ongoing": false,
	} {
		t.Run(state, func(t *testing.T) {
			fake, cluster := faulty(t)
			fake.ControlKey(int16(kmsg.DescribeTransactions), func(request kmsg.Request) (kmsg.Response, error, bool) {
				fake.KeepControl()
				answer := kmsg.NewDescribeTransactionsResponse()
				found := kmsg.NewDescribeTransactionsResponseTransactionState()
				found.TransactionalID, found.State = request.(*kmsg.DescribeTransactionsRequest).TransactionalIDs[0], state //nolint:forcetypeassert // by its key
				answer.TransactionStates = append(answer.TransactionStates, found)
				return &answer, nil, true
			})
			ends := make(chan bool, 100)
			fake.ControlKey(int16(kmsg.EndTxn), func(request kmsg.Request) (kmsg.Response, error, bool) {
				fake.KeepControl()
				ends <- request.(*kmsg.EndTxnRequest).Commit //nolint:forcetypeassert // by its key
				return nil, nil, false
			})
			runTransactions(t, cluster, quick("g", "t"), zap.NewNop(), kafka.Transactions{Transform: passOn("t")})
			assert.Equal(t, commit, <-ends)
			assert.Equal(t, commit, <-ends) // of the other partition
		})
	}
}

// TestTransactionsOfOldBrokers: brokers before Kafka 3.0 can't describe a transaction.
func TestTransactionsOfOldBrokers(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "in", "out"), kfake.MaxVersions(kversion.V2_8_0()))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	cluster := kafka.Cluster{Brokers: fake.ListenAddrs()}
	produce(t, cluster, numbered("in", 0, 5)...)
	runTransactions(t, cluster, quick("g", "in"), zap.NewNop(), kafka.Transactions{Transform: passOn("out"), Outputs: []string{"out"}})
	assertOutputs(t, cluster, "out", 5)
}

func byPartition(records []kafka.Record) map[int][]kafka.Record {
	parts := map[int][]kafka.Record{}
	for _, r := range records {
		parts[r.Partition] = append(parts[r.Partition], r)
	}
	return parts
}
