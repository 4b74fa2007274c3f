//go:build bench

package bench

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const (
	passed      = 300_000
	passRate    = 1000
	passWarmUp  = 10 * time.Second
	passTime    = 10 * time.Second
	headerSent  = "sent"
	patience    = 30 * time.Second
	javaCommits = 100 * time.Millisecond
)

// benchPassThrough measures transactions that only copy: how many records pass, and how long one takes at a fixed rate.
// Beside it Kafka's own transactional producer, which reads nothing and commits no offsets.
func benchPassThrough(t *testing.T, r *report, targets []target) {
	t.Helper()
	var rows, latencies [][]string
	for _, on := range targets {
		cluster := clusterOf(t, on)
		for _, partitions := range []int{3, 12} {
			latencies = append(latencies, passLatency(t, on, cluster, partitions))
		}
		c := passThrough(t, cluster)
		perf := kafkatest.JavaPerf(t, cluster, kafkatest.PerfLoad{
			Topic: newTopic(t, cluster, partitions), Records: passed + 50_000, Warmup: 50_000, Size: recordSize,
			TransactionalID: lab.RandomPrefix("perf"), TransactionTime: javaCommits,
		})
		rows = append(rows, []string{
			on.name, perSecond(passed, c.took), fmt.Sprintf("%.1f µs", c.cpu.Seconds()*1e6/passed), fmt.Sprintf("%.1f", float64(c.allocations)/passed),
			thousands(int(perf.PerSecond)), percent(passed/c.took.Seconds(), perf.PerSecond),
		})
	}
	r.table(fmt.Sprintf("Transactions: %s records of 1.2 KB copied from 12 partitions to 12, with their offsets", thousands(passed)),
		fmt.Sprintf("Java's producer writes as many in transactions of %s, and neither reads nor commits offsets. Embedded, the broker is in\n"+
			"the CPU and in the allocations. Aim on Apache Kafka: as many as Java's; 100,000/s is the stretch.", javaCommits),
		[]string{"broker", "records/s", "CPU each", "allocations each", "Java, `ProducerPerformance`, /s", "of it"}, rows)
	r.table(fmt.Sprintf("Transactions: from the call that produces a record to its copy at a read-committed consumer, %s/s", thousands(passRate)),
		fmt.Sprintf("%s after %s to warm up. Aims on Apache Kafka: p50 under 15 ms, p99 under 50 ms.", passTime, passWarmUp),
		[]string{"broker", "partitions", "arrived", "p50", "p99", "greatest", "CPU each"}, latencies)
}

func passThrough(t *testing.T, cluster kafka.Cluster) cost {
	t.Helper()
	in, out := newTopic(t, cluster, partitions), newTopic(t, cluster, partitions)
	defer deleteTopic(t, cluster, in)
	defer deleteTopic(t, cluster, out)
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	body := oneBody()
	const batch = 1000
	for from := 0; from < passed; from += batch {
		records := make([]kafka.Record, batch)
		for i := range records {
			key, value := body(0, from+i)
			records[i] = kafka.Record{Topic: in, Partition: kafka.ByKey, Key: key, Value: value}
		}
		require.NoError(t, producer.Produce(t.Context(), records...))
	}
	require.NoError(t, producer.Close())
	return transform(t, cluster, lab.RandomPrefix("pass"), in, passed, kafka.Transactions{Transform: copyTo(out)})
}

// copyTo makes a copy of each record, for the same partition of another topic.
func copyTo(topic string) kafka.Transform {
	return func(_ context.Context, records []kafka.Record) (kafka.TransformResult, error) {
		out := kafka.TransformResult{Finished: len(records), Outputs: make([]kafka.Record, len(records))}
		for i, r := range records {
			r.Topic = topic
			out.Outputs[i] = r
		}
		return out, nil
	}
}

// passLatency produces at a fixed rate, independent of acknowledgments, and reads the copies.
func passLatency(t *testing.T, on target, cluster kafka.Cluster, partitions int) []string {
	t.Helper()
	in, out := newTopic(t, cluster, partitions), newTopic(t, cluster, partitions)
	arrivals := &arrivals{}
	ctx, stop := context.WithCancel(t.Context())
	var consumers sync.WaitGroup
	consumers.Go(func() {
		pass := kafka.NewConsumer(cluster, kafka.ConsumerConfig{Group: lab.RandomPrefix("pass"), Topics: []string{in}}, zap.NewNop())
		assert.NoError(t, pass.RunTransactions(ctx, kafka.Transactions{Transform: copyTo(out)}))
	})
	consumers.Go(func() {
		read := kafka.NewConsumer(cluster, kafka.ConsumerConfig{Group: lab.RandomPrefix("read"), Topics: []string{out}}, zap.NewNop())
		assert.NoError(t, read.Run(ctx, arrivals.handle))
	})
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	pace(t, producer, in, passRate*int(passWarmUp.Seconds()))
	warm := passRate * int(passWarmUp.Seconds())
	require.Eventually(t, func() bool { return arrivals.count() == warm }, patience, 10*time.Millisecond)
	arrivals.reset()
	from := used()
	total := passRate * int(passTime.Seconds())
	pace(t, producer, in, total)
	assert.Eventually(t, func() bool { return arrivals.count() == total }, patience, 10*time.Millisecond)
	till := used()
	stop()
	consumers.Wait()
	require.NoError(t, producer.Close())
	each := arrivals.each
	return []string{
		on.name, fmt.Sprint(partitions), fmt.Sprintf("%s of %s", thousands(len(each)), thousands(total)),
		millis(percentile(each, 50)), millis(percentile(each, 99)), millis(percentile(each, 100)),
		fmt.Sprintf("%.0f µs", (till.cpu-from.cpu).Seconds()*1e6/float64(total)),
	}
}

// arrivals are how long copies took.
type arrivals struct {
	mutex sync.Mutex
	each  []time.Duration
}

func (a *arrivals) handle(_ context.Context, records []kafka.Record) (kafka.Finished, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	now := time.Now().UnixNano()
	for _, r := range records {
		sent, err := strconv.ParseInt(r.Header(headerSent), 10, 64)
		if err != nil {
			return kafka.Finished{}, err
		}
		a.each = append(a.each, time.Duration(now-sent))
	}
	return kafka.Finished{First: len(records)}, nil
}

func (a *arrivals) count() int {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return len(a.each)
}

func (a *arrivals) reset() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.each = nil
}

// pace produces records at passRate, each in a call of its own.
func pace(t *testing.T, producer *kafka.Producer, topic string, total int) {
	t.Helper()
	body := oneBody()
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / passRate)
	defer tick.Stop()
	for n := range total {
		<-tick.C
		all.Go(func() {
			key, value := body(0, n)
			assert.NoError(t, producer.Produce(t.Context(), kafka.Record{
				Topic: topic, Partition: kafka.ByKey, Key: key, Value: value,
				Headers: []kafka.Header{{Key: headerSent, Value: strconv.AppendInt(nil, time.Now().UnixNano(), 10)}},
			}))
		})
	}
	all.Wait()
}
