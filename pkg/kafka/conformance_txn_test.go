package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// passOn returns a Transform that copies records to the same partition of a topic.
func passOn(topic string) kafka.Transform {
	return func(_ context.Context, records []kafka.Record) (kafka.TransformResult, error) {
		return kafka.TransformResult{Finished: len(records), Outputs: renamed(topic, records)}, nil
	}
}

func renamed(topic string, records []kafka.Record) []kafka.Record {
	var outputs []kafka.Record
	for _, r := range records {
		outputs = append(outputs, kafka.Record{Topic: topic, Partition: r.Partition, Key: r.Key, Value: r.Value})
	}
	return outputs
}

// upTo returns the values of numbered.
func upTo(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprint(i)
	}
	return all
}

// assertOutputs waits until a topic of one partition has count records, and checks that they are numbered, once and in order.
func assertOutputs(t *testing.T, cluster kafka.Cluster, topic string, count int) {
	t.Helper()
	assert.Equal(t, upTo(count), values(kafkatest.Consume(t, cluster.Brokers[0], topic, count)))
}

// outputsAndOffset: consumers see both or neither.
func outputsAndOffset(t *testing.T, cluster kafka.Cluster) {
	in, out := newTopic(t, cluster, 1), newTopic(t, cluster, 1)
	produce(t, cluster, numbered(in, 0, 10)...)
	config := quick(in, in)
	looked := make(chan struct{}, 100)
	config.FaultPoint = func(name string) {
		if name == "outputs written" {
			assert.Empty(t, kafkatest.All(t, cluster.Brokers[0], out), "outputs wait for their transaction")
			offset, _ := committedOf(t, cluster, in, in, 0)
			assert.EqualValues(t, -1, offset, "the offset waits too")
			looked <- struct{}{}
		}
	}
	run := runTransactions(t, cluster, config, zap.NewNop(), kafka.Transactions{Transform: passOn(out)})
	assertOutputs(t, cluster, out, 10)
	run.stop()
	assert.Len(t, looked, 1)
	offset, _ := committedOf(t, cluster, in, in, 0)
	assert.EqualValues(t, 10, offset)
}

func abortedIsNeverRead(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 1)
	abortTransaction(t, cluster.Brokers, topic, "aborted")
	produce(t, cluster, numbered(topic, 0, 2)...)
	abortTransaction(t, cluster.Brokers, topic, "aborted", "aborted")
	commitTransaction(t, cluster.Brokers, topic, "2", "3")
	abortTransaction(t, cluster.Brokers, topic, "aborted")
	assert.Equal(t, upTo(4), values(kafkatest.All(t, cluster.Brokers[0], topic)))
	var scanned []kafka.Record
	for r, err := range kafka.Scan(t.Context(), cluster, topic, time.Time{}) {
		require.NoError(t, err)
		scanned = append(scanned, r)
	}
	assert.Equal(t, upTo(4), values(scanned))
	assert.Equal(t, upTo(4), values(consumeAll(t, cluster, quick(topic, topic), 4)))
	end, _ := committedOf(t, cluster, topic, topic, 0)
	last := scanned[3].Offset
	assert.Greater(t, end, last+1, "what can't be seen is passed over in the offset too")
}

// fencedOwnerCommitsNothing: a stalled member loses its partition to another; when it continues it is fenced.
func fencedOwnerCommitsNothing(t *testing.T, cluster kafka.Cluster) {
	in, out := newTopic(t, cluster, 1), newTopic(t, cluster, 1)
	produce(t, cluster, numbered(in, 0, 5)...)
	stalled, goOn := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 10)
	var calls atomic.Int64
	zombie := runTransactions(t, cluster, quick(in, in), zap.NewNop(), kafka.Transactions{
		Transform: func(_ context.Context, records []kafka.Record) (kafka.TransformResult, error) {
			if calls.Add(1) == 1 {
				close(stalled)
				<-goOn
			}
			return kafka.TransformResult{
				Finished: len(records), Outputs: []kafka.Record{{Topic: out, Value: []byte("of the zombie")}},
				OnEnd: func(err error) { ended <- err },
			}, nil
		},
	})
	<-stalled
	successor := runTransactions(t, cluster, quick(in, in), zap.NewNop(), kafka.Transactions{Transform: passOn(out)})
	assertOutputs(t, cluster, out, 5)
	close(goOn)
	eventually(t, func() bool { return zombie.Status().Member }, "the zombie is a member again")
	zombie.stop()
	produce(t, cluster, kafka.Record{Topic: in, Value: []byte("5")})
	assertOutputs(t, cluster, out, 6)
	successor.stop()
	for range len(ended) {
		assert.Error(t, <-ended)
	}
}

// partlyFinished: finished records are committed, others are delivered again in order.
func partlyFinished(t *testing.T, cluster kafka.Cluster) {
	in, out := newTopic(t, cluster, 1), newTopic(t, cluster, 1)
	produce(t, cluster, numbered(in, 0, 10)...)
	config := quick(in, in)
	config.MaxBatch = 4
	var calls, committed atomic.Int64
	runTransactions(t, cluster, config, zap.NewNop(), kafka.Transactions{
		Transform: func(_ context.Context, records []kafka.Record) (kafka.TransformResult, error) {
			done, err := len(records), error(nil)
			switch calls.Add(1) {
			case 1:
				done, err = 0, errors.New("nothing works")
			case 2:
				done, err = 1, errors.New("the second one does not work")
			case 3:
				done = 2
			case 4:
				done = 0 // and no error
			case 5:
				done = len(records) + 1
			case 6:
				err = errors.New("all done, and yet")
			}
			return kafka.TransformResult{
				Finished: done, Outputs: renamed(out, records[:min(done, len(records))]),
				OnEnd: func(err error) {
					if assert.NoError(t, err) {
						committed.Add(int64(done))
					}
				},
			}, err
		},
	})
	assertOutputs(t, cluster, out, 10)
	eventually(t, func() bool { return committed.Load() == 10 }, "OnEnd is called for each")
}

// manyOutputs: outputs beyond one batch, to several partitions and topics, are one transaction, in order in each partition.
func manyOutputs(t *testing.T, cluster kafka.Cluster) {
	in, out, other := newTopic(t, cluster, 1), newTopic(t, cluster, 2), newTopic(t, cluster, 1)
	produce(t, cluster, numbered(in, 0, 3)...)
	large := strings.Repeat("x", 350_000)
	compression, err := kafka.ParseCompression("none")
	require.NoError(t, err)
	runTransactions(t, cluster, quick(in, in), zap.NewNop(), kafka.Transactions{
		Compression: compression,
		Transform: func(_ context.Context, records []kafka.Record) (kafka.TransformResult, error) {
			done := kafka.TransformResult{Finished: len(records)}
			for _, r := range records {
				for part := range 4 {
					done.Outputs = append(done.Outputs,
						kafka.Record{Topic: out, Partition: part % 2, Value: fmt.Append(nil, string(r.Value), "/", part, large)},
						kafka.Record{Topic: other, Value: fmt.Append(nil, string(r.Value), "/", part)})
				}
			}
			return done, nil
		},
	})
	assert.Equal(t, []string{"0/0", "0/1", "0/2", "0/3", "1/0", "1/1", "1/2", "1/3", "2/0", "2/1", "2/2", "2/3"},
		values(kafkatest.Consume(t, cluster.Brokers[0], other, 12)))
	var got []string
	for _, r := range kafkatest.Consume(t, cluster.Brokers[0], out, 12) {
		got = append(got, strings.TrimSuffix(string(r.Value), large))
	}
	assert.Equal(t, []string{"0/0", "0/2", "1/0", "1/2", "2/0", "2/2", "0/1", "0/3", "1/1", "1/3", "2/1", "2/3"}, got)
}

// punctuates: punctuate produces outputs without input, and does not disturb those of records.
func punctuates(t *testing.T, cluster kafka.Cluster) {
	in, out := newTopic(t, cluster, 2), newTopic(t, cluster, 2)
	var swept [2]atomic.Int64
	config := quick(in, in)
	r := runTransactions(t, cluster, config, zap.NewNop(), kafka.Transactions{
		Transform:      passOn(out),
		PunctuateEvery: 20 * time.Millisecond,
		Punctuate: func(_ context.Context, partition int) (kafka.TransformResult, error) {
			switch n := swept[partition].Add(1); {
			case n == 1:
				return kafka.TransformResult{}, errors.New("not this time")
			case n < 5:
				return kafka.TransformResult{Outputs: []kafka.Record{{Topic: out, Partition: partition, Value: []byte("punctuated")}}}, nil
			}
			return kafka.TransformResult{}, nil
		},
	})
	want := slices.Repeat([]string{"punctuated"}, 6)
	assert.Equal(t, want, values(kafkatest.Consume(t, cluster.Brokers[0], out, 6)))
	produce(t, cluster, numbered(in, 1, 3)...)
	assert.Equal(t, append(want, upTo(3)...), values(kafkatest.Consume(t, cluster.Brokers[0], out, 9)))
	eventually(t, func() bool { return swept[0].Load() > 6 && swept[1].Load() > 6 }, "punctuates go on")
	r.stop()
	offset, _ := committedOf(t, cluster, in, in, 1)
	assert.EqualValues(t, 3, offset)
}

// punctuatesAgain: PunctuateSoon calls Punctuate at once, in transactions of its own, between those of later records.
func punctuatesAgain(t *testing.T, cluster kafka.Cluster) {
	in, out := newTopic(t, cluster, 1), newTopic(t, cluster, 1)
	const each = 20
	left := 0
	pass := passOn(out)
	config := quick(in, in)
	config.MaxBatch = 1
	r := runTransactions(t, cluster, config, zap.NewNop(), kafka.Transactions{
		Transform: func(ctx context.Context, records []kafka.Record) (kafka.TransformResult, error) {
			transformed, err := pass(ctx, records)
			left += each
			transformed.PunctuateSoon = true
			return transformed, err
		},
		PunctuateEvery: time.Hour,
		Punctuate: func(_ context.Context, partition int) (kafka.TransformResult, error) {
			if left == 0 {
				return kafka.TransformResult{}, nil
			}
			left--
			return kafka.TransformResult{Outputs: []kafka.Record{{Topic: out, Partition: partition, Value: []byte("punctuated")}}, PunctuateSoon: left > 0}, nil
		},
	})
	produce(t, cluster, numbered(in, 0, 3)...)
	got := values(kafkatest.Consume(t, cluster.Brokers[0], out, 3*(each+1)))
	r.stop()
	assert.Equal(t, slices.Repeat([]string{"punctuated"}, 3*each), slices.DeleteFunc(slices.Clone(got), func(v string) bool { return v != "punctuated" }))
	assert.Equal(t, upTo(3), slices.DeleteFunc(slices.Clone(got), func(v string) bool { return v == "punctuated" }))
	assert.NotEqual(t, "punctuated", got[2], "the second record does not wait for what the first one left")
}

func transactionsContinue(t *testing.T, cluster kafka.Cluster) {
	in, out := newTopic(t, cluster, 1), newTopic(t, cluster, 1)
	for restart := range 3 {
		for i := range 7 {
			produce(t, cluster, kafka.Record{Topic: in, Value: fmt.Append(nil, 7*restart+i)})
		}
		config := quick(in, in)
		config.MaxBatch = 3
		r := runTransactions(t, cluster, config, zap.NewNop(), kafka.Transactions{Transform: passOn(out)})
		assertOutputs(t, cluster, out, 7*(restart+1))
		r.stop()
	}
}

// topicsCopartitioned: a member owns the same partition numbers of all topics.
func topicsCopartitioned(t *testing.T, cluster kafka.Cluster) {
	own, redrive := newTopic(t, cluster, 4), newTopic(t, cluster, 4)
	var first, second collector
	a := run(t, cluster, quick(own, own, redrive), zap.NewNop(), first.handle)
	b := run(t, cluster, quick(own, own, redrive), zap.NewNop(), second.handle)
	half := func(r *running) bool {
		has := r.Status().Partitions
		return len(has[own]) == 2 && slices.Equal(has[own], has[redrive])
	}
	eventually(t, func() bool { return half(a) && half(b) }, "both have the same numbers of both topics")
	for partition := range 4 {
		produce(t, cluster, kafka.Record{Topic: own, Partition: partition}, kafka.Record{Topic: redrive, Partition: partition})
	}
	eventually(t, func() bool { return first.count() == 4 && second.count() == 4 }, "all is handled")
}

// pausedPartitionAlone: while a partition is paused, that of another topic is handled, and the membership continues.
func pausedPartitionAlone(t *testing.T, cluster kafka.Cluster) {
	own, redrive := newTopic(t, cluster, 1), newTopic(t, cluster, 1)
	produce(t, cluster, numbered(own, 0, 3)...)
	var waits atomic.Int64
	var handled collector
	r := run(t, cluster, quick(own, own, redrive), zap.NewNop(), func(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
		if records[0].Topic == own {
			waits.Add(1)
			return kafka.Finished{}, kafka.RetryAfter(errors.New("not now"), time.Hour)
		}
		return handled.handle(ctx, records)
	})
	eventually(t, func() bool { return waits.Load() == 1 }, "one topic waits")
	generation := r.Status().Generation
	for i := range 5 {
		produce(t, cluster, numbered(redrive, 0, 1)...)
		eventually(t, func() bool { return handled.count() == i+1 }, "the other goes on")
	}
	assert.EqualValues(t, 1, waits.Load())
	assert.Equal(t, generation, r.Status().Generation)
}

// finishedStaysFinished: after a crash the next owner has the committed offset and the records finished above it. Here both are
// copied to another group.
func finishedStaysFinished(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 1)
	produce(t, cluster, numbered(topic, 0, 400)...)
	r := run(t, cluster, quick(topic, topic), zap.NewNop(), func(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
		finished := kafka.Finished{}
		for i, r := range records { // those that end in 0, 4, 5 are unfinished
			if !strings.Contains("045", string(r.Value[len(r.Value)-1:])) {
				finished.Others = append(finished.Others, i)
			}
		}
		return finished, errors.New("some wait")
	})
	var offset int64
	var metadata string
	eventually(t, func() bool {
		offset, metadata = committedOf(t, cluster, topic, topic, 0)
		return strings.Contains(metadata, "396-400")
	}, "what is finished is written down")
	assert.Zero(t, offset)
	var want []string
	for i := range 400 {
		if i%10 == 0 || i%10 == 4 || i%10 == 5 {
			want = append(want, fmt.Sprint(i))
		}
	}
	want = append(want, "400")
	next := topic + "-next"
	commitFor(t, cluster, next, topic, 0, offset, metadata)
	r.stop()
	produce(t, cluster, kafka.Record{Topic: topic, Value: []byte("400")})
	assert.Equal(t, want, values(consumeAll(t, cluster, quick(next, topic), len(want))))
	after, left := committedOf(t, cluster, next, topic, 0)
	assert.EqualValues(t, 401, after)
	assert.Empty(t, left)
	assert.Equal(t, want, values(consumeAll(t, cluster, quick(topic, topic), len(want))), "a clean stop keeps it too")
}
