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

// TestTransactionsCommitOffsets: offsets are committed in transactions only. Otherwise they could overtake outputs, or go back.
func TestTransactionsCommitOffsets(t *testing.T) {
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

// transacts runs transactions under faults, and checks that each output exists once, in order, and the offset is behind all.
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

// TestTransactionsUnderFaults: whatever response is lost or an error, each output is committed once.
func TestTransactionsUnderFaults(t *testing.T) {
	steps := []kmsg.Key{kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.TxnOffsetCommit, kmsg.Produce, kmsg.EndTxn, kmsg.OffsetFetch}
	for _, step := range steps {
		t.Run(step.Name()+" responses are lost", func(t *testing.T) {
			t.Parallel()
			_, cluster, pool := faultyAndLossy(t)
			transacts(t, cluster, quick("g", "t"), func() { pool.lose(step, 2) })
		})
		for _, answer := range []*kerr.Error{kerr.UnknownServerError, kerr.NotCoordinator, kerr.CoordinatorLoadInProgress, kerr.ConcurrentTransactions, kerr.InvalidProducerEpoch} {
			t.Run(step.Name()+" fails with "+answer.Message, func(t *testing.T) {
				t.Parallel()
				fake, cluster := faulty(t)
				transacts(t, cluster, quick("g", "t"), func() { fake.Fault(kfake.Fault{Keys: []kmsg.Key{step}, Err: answer, Count: 2}) })
			})
		}
	}
}

// TestLateRequestsAreFenced: a request without a response may arrive late. Those that must not arrive in the next transaction are
// not retried with the same epoch.
func TestLateRequestsAreFenced(t *testing.T) {
	for _, step := range []kmsg.Key{kmsg.TxnOffsetCommit, kmsg.EndTxn} {
		t.Run(step.Name(), func(t *testing.T) {
			fake, cluster, pool := faultyAndLossy(t)
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
			pool.lose(step, 1)
			r := runTransactions(t, cluster, quick("g", "t"), zap.NewNop(), kafka.Transactions{Transform: passOn(out)})
			assertOutputs(t, cluster, out, 5)
			r.stop()
			assert.Equal(t, 1, pool.losses())
			mutex.Lock()
			defer mutex.Unlock()
			require.NotEmpty(t, epochs)
			for _, later := range epochs[1:] {
				assert.Greater(t, later, epochs[0])
			}
		})
	}
}

// TestUnknownOutcome: the transaction is committed, the response is lost, and later responses of the coordinator say nothing. The
// outcome is found in the committed offsets.
func TestUnknownOutcome(t *testing.T) {
	for name, applied := range map[string]bool{"it was committed": true, "it was not": false} {
		t.Run(name, func(t *testing.T) {
			fake, cluster, pool := faultyAndLossy(t)
			var ends atomic.Int64
			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.UnknownServerError, Count: 1, When: func(kmsg.Request) bool {
				return !applied || ends.Add(1) == 2
			}})
			if applied {
				pool.lose(kmsg.EndTxn, 1)
			}
			out := newTopic(t, cluster, 1)
			produce(t, cluster, numbered("t", 0, 5)...)
			ended := make(chan error, 10)
			r := runTransactions(t, cluster, quick("g", "t"), zap.NewNop(), kafka.Transactions{
				Transform: func(_ context.Context, records []kafka.Record) (kafka.TransformResult, error) {
					return kafka.TransformResult{Finished: len(records), Outputs: renamed(out, records), OnEnd: func(err error) { ended <- err }}, nil
				},
			})
			assertOutputs(t, cluster, out, 5)
			if !applied {
				require.Error(t, <-ended)
			}
			require.NoError(t, <-ended)
			r.stop()
			assertOutputs(t, cluster, out, 5)
			assert.Empty(t, ended)
		})
	}
}

// TestTransactionTimeout: a broker fences the producer of a transaction that is too old, as a new owner would. While the group
// counts it as a member, the consumer gets a new epoch.
func TestTransactionTimeout(t *testing.T) {
	for _, at := range []string{"partitions added", "offsets added", "outputs written"} {
		t.Run(at, func(t *testing.T) {
			_, cluster := faulty(t)
			config := quick("g", "t")
			var times atomic.Int64
			config.FaultPoint = func(name string) {
				if name == at && times.Add(1) <= 2 {
					fence(t, cluster, "g-0")
				}
			}
			transacts(t, cluster, config, func() {})
			assert.Greater(t, times.Load(), int64(2))
		})
	}
}

// TestOutputBatchTooLarge: outputs that together exceed max.message.bytes are sent in smaller batches.
func TestOutputBatchTooLarge(t *testing.T) {
	fake, cluster := faulty(t)
	require.NoError(t, fake.CreateTopic("small", 1, map[string]string{"max.message.bytes": "20000"}))
	produce(t, cluster, numbered("t", 0, 40)...)
	runTransactions(t, cluster, quick("g", "t"), zap.NewNop(), kafka.Transactions{
		Transform: func(_ context.Context, records []kafka.Record) (kafka.TransformResult, error) {
			done := kafka.TransformResult{Finished: len(records)}
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
