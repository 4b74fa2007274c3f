package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// diary records what happens to the partition numbers of a consumer, in order.
type diary struct {
	mutex sync.Mutex
	lines map[int][]string
}

func (d *diary) note(number int, line string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.lines == nil {
		d.lines = map[int][]string{}
	}
	d.lines[number] = append(d.lines[number], line)
}

func (d *diary) of(number int) []string {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return slices.Clone(d.lines[number])
}

func (d *diary) has(number int, line string) bool { return slices.Contains(d.of(number), line) }

// transactions writes each record to output and notes all calls.
func (d *diary) transactions(output string) kafka.Transactions {
	return kafka.Transactions{
		TakeOver: func(_ context.Context, number int) error { d.note(number, "taken over"); return nil },
		Release:  func(number int) { d.note(number, "released") },
		Transform: func(_ context.Context, records []kafka.Record) (kafka.TransformResult, error) {
			number := records[0].Partition
			out := kafka.TransformResult{Finished: len(records), OnEnd: func(err error) { d.note(number, fmt.Sprint("visible ", err == nil)) }}
			for _, r := range records {
				d.note(number, "record "+string(r.Value))
				r.Topic = output
				out.Outputs = append(out.Outputs, r)
			}
			return out, nil
		},
	}
}

func TestTakeOverAndRelease(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	input, output := newTopic(t, cluster, 2), newTopic(t, cluster, 2)
	produce(t, cluster, numbered(input, 0, 1)...)
	var d diary
	var steps []string
	config := quick(input, input)
	var tries atomic.Int64
	transactions := d.transactions(output)
	transactions.TakeOver = func(_ context.Context, number int) error {
		d.note(number, "taken over")
		if number == 0 && tries.Add(1) < 3 {
			return errors.New("not now")
		}
		return nil
	}
	config.FaultPoint = func(step string) { d.note(-1, step) }
	r := runTransactions(t, cluster, config, zap.NewNop(), transactions)
	eventually(t, func() bool { return d.has(0, "visible true") && d.has(1, "taken over") }, "the record is handled")
	r.stop()
	assert.Equal(t, []string{"taken over", "taken over", "taken over", "record 0", "visible true", "released"}, d.of(0))
	assert.Equal(t, []string{"taken over", "released"}, d.of(1), "without records too")
	steps = d.of(-1)
	assert.Less(t, slices.Index(steps, "predecessor fenced"), slices.Index(steps, "caught up"))
}

func TestErrTakeOver(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	input, output := newTopic(t, cluster, 1), newTopic(t, cluster, 1)
	produce(t, cluster, numbered(input, 0, 1)...)
	var d diary
	transactions := d.transactions(output)
	transform, asked := transactions.Transform, false
	transactions.Transform = func(ctx context.Context, records []kafka.Record) (kafka.TransformResult, error) {
		if !asked {
			asked = true
			d.note(0, "lost")
			return kafka.TransformResult{}, fmt.Errorf("memory is gone: %w", kafka.ErrTakeOver)
		}
		return transform(ctx, records)
	}
	runTransactions(t, cluster, quick(input, input), zap.NewNop(), transactions)
	eventually(t, func() bool { return d.has(0, "visible true") }, "the record is handled")
	assert.Equal(t, []string{"taken over", "lost", "taken over", "record 0", "visible true"}, d.of(0))
}

// TestFencedOwnerTakesOver: another producer fences the consumer during a transaction, although the group still counts it as the
// owner: TakeOver is called before anything else, even OnEnd.
//
// The embedded broker lets a fenced producer continue with its old epoch; there only the group rejects it.
func TestFencedOwnerTakesOver(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Apache Kafka; run without -short")
	}
	cluster := kafkatest.Real(t).Cluster()
	input, output := newTopic(t, cluster, 1), newTopic(t, cluster, 1)
	produce(t, cluster, numbered(input, 0, 1)...)
	var d diary
	config := quick(input, input)
	fencing := true
	config.FaultPoint = func(step string) {
		if step == "partitions added" && fencing {
			fencing = false
			fence(t, cluster, input+"-0")
		}
	}
	runTransactions(t, cluster, config, zap.NewNop(), d.transactions(output))
	eventually(t, func() bool { return d.has(0, "visible true") }, "the record is handled")
	assert.Equal(t, []string{"taken over", "record 0", "taken over", "visible false", "record 0", "visible true"}, d.of(0))
}

// fence fences the producer of a transactional id.
func fence(t *testing.T, cluster kafka.Cluster, id string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Brokers...))
	if err != nil { // no FailNow: this is not the test's goroutine
		t.Error(err)
		return
	}
	defer client.Close()
	request := kmsg.NewPtrInitProducerIDRequest()
	request.TransactionalID, request.TransactionTimeoutMillis = &id, 30_000
	for err = kerr.ConcurrentTransactions; errors.Is(err, kerr.ConcurrentTransactions); { // the aborted transaction is still ending
		answer, failed := request.RequestWith(t.Context(), client)
		if err = failed; err == nil {
			err = kerr.ErrorForCode(answer.ErrorCode)
		}
	}
	assert.NoError(t, err)
}

// TestUnresolvedTransaction: if another member owns the partition, the outcome of the transaction stays unknown: Release is
// called instead of OnEnd, and the next owner's TakeOver.
func TestUnresolvedTransaction(t *testing.T) {
	fake, cluster := faulty(t)
	output := newTopic(t, cluster, 2)
	produce(t, cluster, numbered("t", 0, 1)...)
	var lost atomic.Bool
	fake.ControlKey(int16(kmsg.EndTxn), func(request kmsg.Request) (kmsg.Response, error, bool) {
		lost.Store(true)
		response, ok := request.ResponseKind().(*kmsg.EndTxnResponse)
		assert.True(t, ok)
		response.ErrorCode = kerr.ProducerFenced.Code
		return response, nil, true
	})
	fake.ControlKey(int16(kmsg.InitProducerID), func(request kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		init, ok := request.(*kmsg.InitProducerIDRequest)
		assert.True(t, ok)
		if init.ProducerID < 0 || !lost.Load() {
			return nil, nil, false
		}
		response, ok := init.ResponseKind().(*kmsg.InitProducerIDResponse)
		assert.True(t, ok)
		response.ErrorCode = kerr.ProducerFenced.Code
		return response, nil, true
	})
	fake.ControlKey(int16(kmsg.Heartbeat), func(request kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		if !lost.Load() {
			return nil, nil, false
		}
		response, ok := request.ResponseKind().(*kmsg.HeartbeatResponse)
		assert.True(t, ok)
		response.ErrorCode = kerr.UnknownMemberID.Code
		return response, nil, true
	})
	fake.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		lost.Store(false)
		return nil, nil, false
	})
	var d diary
	runTransactions(t, cluster, quick("g", "t"), zap.NewNop(), d.transactions(output))
	eventually(t, func() bool { return d.has(0, "visible true") }, "the record is handled")
	assert.Equal(t, []string{"taken over", "record 0", "released", "taken over", "record 0", "visible true"}, d.of(0))
}

func TestTopicReaderRanges(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	topic := newTopic(t, cluster, 2)
	produce(t, cluster, numbered(topic, 1, 10)...)
	open(t, cluster, topic, 1, "10")
	reader, err := kafka.NewTopicReader(cluster, topic)
	require.NoError(t, err)
	defer reader.Close()
	id, err := reader.ClusterID(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, id)
	policy, err := reader.Config(t.Context(), "cleanup.policy")
	require.NoError(t, err)
	assert.Equal(t, "delete", policy)
	spans, err := reader.OffsetRanges(t.Context(), 0, 1)
	require.NoError(t, err)
	assert.Equal(t, map[int]kafka.OffsetRange{0: {}, 1: {End: 10}}, spans, "up to what is open")
	var found []kafka.Record
	for r, err := range reader.Read(t.Context(), 1, kafka.OffsetRange{First: 3, End: 6}) {
		require.NoError(t, err)
		found = append(found, r)
	}
	assert.Equal(t, []string{"3", "4", "5"}, values(found))
	one, err := reader.Record(t.Context(), 1, 7)
	require.NoError(t, err)
	assert.Equal(t, "7", string(one.Value))
	_, err = reader.Record(t.Context(), 1, 10)
	require.ErrorContains(t, err, "returned no records", "it is not visible")
	require.NotErrorIs(t, err, kafka.ErrNoRecord)
	_, err = reader.OffsetRanges(t.Context(), 5)
	require.Error(t, err)
	_, err = kafka.NewTopicReader(kafka.Cluster{}, topic)
	require.ErrorContains(t, err, "no Kafka brokers")
}

// TestTopicReaderSingleRecords: single records are fetched a few at a time; deleted ones differ from those that can't be read now.
func TestTopicReaderSingleRecords(t *testing.T) {
	fake, cluster := faulty(t)
	large := strings.Repeat("x", 1000)
	for i := range 200 {
		produce(t, cluster, kafka.Record{Topic: "t", Value: []byte(strconv.Itoa(i) + large)})
	}
	require.NoError(t, fake.DeleteRecords("t", 0, 6))
	reader, err := kafka.NewTopicReader(cluster, "t")
	require.NoError(t, err)
	defer reader.Close()
	var requests, most atomic.Int64
	fake.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		if f, ok := r.(*kmsg.FetchRequest); ok {
			most.Store(int64(f.Topics[0].Partitions[0].PartitionMaxBytes))
		}
		requests.Add(1)
		return nil, nil, false
	})
	read := func(offsets ...int64) (found []string) {
		for r, err := range reader.Records(t.Context(), 0, offsets...) {
			if errors.Is(err, kafka.ErrNoRecord) {
				found = append(found, "none")
				continue
			}
			require.NoError(t, err)
			found = append(found, strings.TrimSuffix(string(r.Value), large))
		}
		return found
	}
	assert.Equal(t, []string{"none", "none", "6", "7", "9", "199"}, read(0, 5, 6, 7, 9, 199))
	assert.EqualValues(t, 4, requests.Load(), "two for what is gone, one for three that lie together")
	assert.EqualValues(t, 64<<10, most.Load())
	_, err = reader.Record(t.Context(), 0, 300)
	require.ErrorContains(t, err, "read record 300", "it may be a broker that is behind")
	require.NotErrorIs(t, err, kafka.ErrNoRecord)
}

// TestTopicReaderWithStaleLeader: a new leader reports for a moment an end before records that were read: they are not deleted.
func TestTopicReaderWithStaleLeader(t *testing.T) {
	fake, cluster := faulty(t)
	produce(t, cluster, numbered("t", 0, 3)...)
	reader, err := kafka.NewTopicReader(cluster, "t")
	require.NoError(t, err)
	defer reader.Close()
	var behind atomic.Int64 // requests that return nothing
	fake.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		request, ok := r.(*kmsg.FetchRequest)
		if !ok || behind.Add(-1) < 0 {
			return nil, nil, false
		}
		return nothing(request), nil, true
	})
	var lags atomic.Bool
	fake.ControlKey(int16(kmsg.ListOffsets), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		request, ok := r.(*kmsg.ListOffsetsRequest)
		if !ok || !lags.Load() {
			return nil, nil, false
		}
		return empty(request), nil, true
	})

	lags.Store(true)
	behind.Store(1)
	_, err = reader.Record(t.Context(), 0, 2)
	require.ErrorContains(t, err, "read record 2 of partition 0 of topic t: the broker returned no records from this offset on")
	require.NotErrorIs(t, err, kafka.ErrNoRecord)

	lags.Store(false)
	for _, requests := range []int64{0, 1} { // it knows the end already, or after one request
		behind.Store(requests)
		found, err := reader.Record(t.Context(), 0, 2)
		require.NoError(t, err)
		assert.Equal(t, "2", string(found.Value))
	}
	behind.Store(2)
	_, err = reader.Record(t.Context(), 0, 2)
	require.ErrorIs(t, err, kafka.ErrNoRecord, "the range goes on, and its records were deleted")
}

// nothing returns a fetch response without records.
func nothing(r *kmsg.FetchRequest) kmsg.Response {
	answer := kmsg.NewPtrFetchResponse()
	answer.Version = r.Version
	for _, topic := range r.Topics {
		to := kmsg.NewFetchResponseTopic()
		to.Topic, to.TopicID = topic.Topic, topic.TopicID
		for _, p := range topic.Partitions {
			partition := kmsg.NewFetchResponseTopicPartition()
			partition.Partition, partition.HighWatermark, partition.LastStableOffset = p.Partition, p.FetchOffset, p.FetchOffset
			to.Partitions = append(to.Partitions, partition)
		}
		answer.Topics = append(answer.Topics, to)
	}
	return answer
}

// empty returns a ListOffsets response with empty partitions.
func empty(r *kmsg.ListOffsetsRequest) kmsg.Response {
	answer := kmsg.NewPtrListOffsetsResponse()
	answer.Version = r.Version
	for _, topic := range r.Topics {
		to := kmsg.NewListOffsetsResponseTopic()
		to.Topic = topic.Topic
		for _, p := range topic.Partitions {
			partition := kmsg.NewListOffsetsResponseTopicPartition()
			partition.Partition, partition.Offset = p.Partition, 0
			to.Partitions = append(to.Partitions, partition)
		}
		answer.Topics = append(answer.Topics, to)
	}
	return answer
}
