package kafka_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
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

// transacts passes records on under faults, and wants each output once, in order, and the offset behind all.
func transacts(t *testing.T, cluster kafka.Cluster, config kafka.ConsumerConfig, misbehave func()) {
	t.Helper()
	out := newTopic(t, cluster, 2)
	for partition := range 2 {
		produce(t, cluster, numbered("t", partition, 40)...)
	}
	misbehave()
	config.MaxBatch = 7
	r := runTransactions(t, cluster, config, zap.NewNop(), kafka.Transactions{Transform: passOn(out)})
	assert.Equal(t, append(upTo(40), upTo(40)...), values(kafkatest.Consume(t, cluster.Brokers[0], out, 80)))
	r.stop()
	for partition := range 2 {
		offset, metadata := committedOf(t, cluster, "g", "t", partition)
		assert.EqualValues(t, 40, offset)
		assert.Contains(t, metadata, "transaction ")
	}
}

// Whatever answer is lost on its way, or is an error, each output is visible once.
func TestTransactionsUnderFaults(t *testing.T) {
	steps := []kmsg.Key{kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.TxnOffsetCommit, kmsg.Produce, kmsg.EndTxn, kmsg.OffsetFetch}
	for _, step := range steps {
		t.Run(step.Name()+" answers get lost", func(t *testing.T) {
			t.Parallel()
			_, cluster, connections := faultyAndLossy(t)
			transacts(t, cluster, quick("g", "t"), func() { connections.lose(step, 2) })
		})
		for _, answer := range []*kerr.Error{kerr.UnknownServerError, kerr.NotCoordinator, kerr.CoordinatorLoadInProgress, kerr.ConcurrentTransactions, kerr.InvalidProducerEpoch} {
			t.Run(step.Name()+" is answered "+answer.Message, func(t *testing.T) {
				t.Parallel()
				fake, cluster := faulty(t)
				transacts(t, cluster, quick("g", "t"), func() { fake.Fault(kfake.Fault{Keys: []kmsg.Key{step}, Err: answer, Count: 2}) })
			})
		}
	}
}

// A request whose answer is lost may arrive later than it should. Those that could do harm in the next transaction are not
// sent again by the same epoch: another comes first.
func TestWhatMayComeLateIsFenced(t *testing.T) {
	for _, step := range []kmsg.Key{kmsg.TxnOffsetCommit, kmsg.EndTxn} {
		t.Run(step.Name(), func(t *testing.T) {
			fake, cluster, connections := faultyAndLossy(t)
			var mutex sync.Mutex
			var epochs []int16 // of one transactional id
			fake.ControlKey(int16(step), func(request kmsg.Request) (kmsg.Response, error, bool) {
				fake.KeepControl()
				mutex.Lock()
				defer mutex.Unlock()
				switch r := request.(type) {
				case *kmsg.TxnOffsetCommitRequest:
					epochs = append(epochs, r.ProducerEpoch)
				case *kmsg.EndTxnRequest:
					epochs = append(epochs, r.ProducerEpoch)
				}
				return nil, nil, false
			})
			out := newTopic(t, cluster, 1)
			produce(t, cluster, numbered("t", 0, 5)...)
			connections.lose(step, 1)
			r := runTransactions(t, cluster, quick("g", "t"), zap.NewNop(), kafka.Transactions{Transform: passOn(out)})
			assertOutputs(t, cluster, out, 5)
			r.stop()
			assert.Equal(t, 1, connections.losses())
			mutex.Lock()
			defer mutex.Unlock()
			require.NotEmpty(t, epochs)
			for _, later := range epochs[1:] {
				assert.Greater(t, later, epochs[0])
			}
		})
	}
}

// The worst: the transaction is committed, the answer is lost, and asked again the coordinator says what says nothing. What
// became of it is seen in the offsets.
func TestAnUnclearEndIsCleared(t *testing.T) {
	for name, applied := range map[string]bool{"it was committed": true, "it was not": false} {
		t.Run(name, func(t *testing.T) {
			fake, cluster, connections := faultyAndLossy(t)
			var ends atomic.Int64
			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.UnknownServerError, Count: 1, When: func(kmsg.Request) bool {
				return !applied || ends.Add(1) == 2
			}})
			if applied {
				connections.lose(kmsg.EndTxn, 1)
			}
			out := newTopic(t, cluster, 1)
			produce(t, cluster, numbered("t", 0, 5)...)
			told := make(chan error, 10)
			r := runTransactions(t, cluster, quick("g", "t"), zap.NewNop(), kafka.Transactions{
				Transform: func(_ context.Context, records []kafka.Record) (kafka.Transformed, error) {
					return kafka.Transformed{Done: len(records), Outputs: renamed(out, records), Ended: func(err error) { told <- err }}, nil
				},
			})
			assertOutputs(t, cluster, out, 5)
			if !applied {
				require.Error(t, <-told)
			}
			require.NoError(t, <-told)
			r.stop()
			assertOutputs(t, cluster, out, 5)
			assert.Empty(t, told)
		})
	}
}

// A broker that finds a transaction too old takes its id away, as a successor would: it is the member's again as long as the
// group counts it in.
func TestATransactionTheBrokerEnded(t *testing.T) {
	for _, at := range []string{"partitions added", "offsets added", "outputs written"} {
		t.Run(at, func(t *testing.T) {
			_, cluster := faulty(t)
			config := quick("g", "t")
			var times atomic.Int64
			config.Step = func(name string) {
				if name == at && times.Add(1) <= 2 {
					fence(t, cluster, "g-0")
				}
			}
			transacts(t, cluster, config, func() {})
			assert.Greater(t, times.Load(), int64(2))
		})
	}
}

// Outputs that their topic finds too large together go in smaller batches.
func TestOutputsThatATopicFindsTooLarge(t *testing.T) {
	fake, cluster := faulty(t)
	require.NoError(t, fake.CreateTopic("small", 1, map[string]string{"max.message.bytes": "20000"}))
	produce(t, cluster, numbered("t", 0, 40)...)
	runTransactions(t, cluster, quick("g", "t"), zap.NewNop(), kafka.Transactions{
		Transform: func(_ context.Context, records []kafka.Record) (kafka.Transformed, error) {
			done := kafka.Transformed{Done: len(records)}
			for _, r := range records {
				done.Outputs = append(done.Outputs, kafka.Record{Topic: "small", Value: fmt.Append(nil, string(r.Value), strings.Repeat("x", 3000))})
			}
			return done, nil
		},
	})
	got := kafkatest.Consume(t, cluster.Brokers[0], "small", 40)
	for i, r := range got {
		assert.Equal(t, fmt.Sprint(i), strings.TrimRight(string(r.Value), "x"))
	}
	assert.Len(t, got, 40)
}
