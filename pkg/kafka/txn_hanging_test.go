package kafka_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
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
