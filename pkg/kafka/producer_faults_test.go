package kafka_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// Whatever comes instead of an answer, each record is stored once and in order.
func TestEachRecordIsWrittenOnce(t *testing.T) {
	answer := func(err *kerr.Error) func(*kfake.Cluster) {
		return func(fake *kfake.Cluster) {
			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: err, Count: 3})
		}
	}
	for name, misbehave := range map[string]func(*kfake.Cluster){
		"request timed out, after it was applied": answer(kerr.RequestTimedOut),
		"too few replicas, after it was applied":  answer(kerr.NotEnoughReplicasAfterAppend),
		"too few replicas, before it was applied": answer(kerr.NotEnoughReplicas),
		"another leader": answer(kerr.NotLeaderForPartition),
		"no leader":      answer(kerr.LeaderNotAvailable),
		"unknown topic, until metadata are everywhere": answer(kerr.UnknownTopicOrPartition),
		"storage error": answer(kerr.KafkaStorageError),
		"sequence out of order, since records were lost": answer(kerr.OutOfOrderSequenceNumber),
		"producer id unknown, since it was too long ago": answer(kerr.UnknownProducerID),
		"producer epoch too old":                         answer(kerr.InvalidProducerEpoch),
		"no producer id yet": func(fake *kfake.Cluster) {
			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.CoordinatorLoadInProgress, Count: 3})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, cluster := faulty(t)
			misbehave(fake)
			producer := newProducer(t, cluster)
			for i := range 20 {
				require.NoError(t, producer.Produce(t.Context(), kafka.Record{Topic: "t", Partition: i % 2, Value: fmt.Append(nil, i)}))
			}
			var want []string
			for i := range 20 {
				want = append(want, fmt.Sprint((2*i)%20+i/10))
			}
			assert.Equal(t, want, values(kafkatest.All(t, cluster.Brokers[0], "t")))
		})
	}
}

// A batch that was given up may have been written: the next one must not look like it to the broker, which would
// take it for a copy.
func TestABatchAfterOneThatFailedIsWritten(t *testing.T) {
	for _, unclear := range []*kerr.Error{kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend} {
		t.Run(unclear.Message, func(t *testing.T) {
			fake, cluster := faulty(t)
			fake.Fault(
				kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: unclear},
				kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed},
			)
			producer := newProducer(t, cluster)
			record := kafka.Record{Topic: "t", Value: []byte("failed, and yet written")}
			require.ErrorContains(t, producer.Produce(t.Context(), record), "Authorization")
			record.Value = []byte("acknowledged")
			require.NoError(t, producer.Produce(t.Context(), record))
			assert.Contains(t, values(kafkatest.All(t, cluster.Brokers[0], "t")), "acknowledged")
		})
	}
}
