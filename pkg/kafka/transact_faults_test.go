package kafka_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// An offset that is committed beside the transaction could be ahead of its outputs, or rewind what it committed.
func TestTransactionsCommitOffsetsInNoOtherWay(t *testing.T) {
	fake, cluster := faulty(t)
	beside := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Observe: true, Count: -1})
	out := newTopic(t, cluster, 2)
	runTransactions(t, cluster, quick("g", "t"), zap.NewNop(), kafka.Transactions{Transform: passOn(out)})
	abortTransaction(t, cluster.Brokers, "t", "aborted") // moves the position without a record
	produce(t, cluster, numbered("t", 0, 3)...)
	abortTransaction(t, cluster.Brokers, "t", "aborted")
	produce(t, cluster, numbered("t", 1, 1)...)
	assert.Equal(t, []string{"0", "1", "2", "0"}, values(kafkatest.Consume(t, cluster.Brokers[0], out, 4)))
	assert.Zero(t, beside.Hits())
}
