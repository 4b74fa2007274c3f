//go:build bench

package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	segmentio "github.com/segmentio/kafka-go"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// producing and producingWarmUp are how long callers send, in each of some rounds: a broker becomes faster while it is used,
// so that the first one would have the slower one.
const (
	producing       = 1500 * time.Millisecond
	producingWarmUp = 500 * time.Millisecond
	producingRounds = 5
)

// sender produces one record and returns when every in-sync replica has it.
type sender func(ctx context.Context, key, value []byte) error

// contender is a producer under test. open returns how it sends, and how it ends.
type contender struct {
	name string
	open func(cluster kafka.Cluster, topic string) (sender, func() error)
}

// benchProducer measures the producer against kafka-go's, and against Kafka's own in Java.
func benchProducer(t *testing.T, r *report, targets []target) {
	t.Helper()
	contenders := []contender{
		{"this one", ours(kafka.ProducerConfig{})},
		{"`kafka.Writer`, 5 ms", writer(5*time.Millisecond, 100)},
		{"`kafka.Writer`, 2 ms, 1,000 records", writer(2*time.Millisecond, 1000)},
	}
	var rows [][]string
	for _, on := range targets {
		cluster := clusterOf(t, on)
		for _, callers := range []int{1, 64, 512} {
			all := takeTurns(t, cluster, contenders, callers)
			ours := median(all[0]).rate()
			for i, c := range contenders {
				got := median(all[i])
				rows = append(rows, []string{
					on.name, fmt.Sprint(callers), c.name, thousands(int(got.rate())),
					thousands(int(all[i][0].rate())) + " to " + thousands(int(all[i][producingRounds-1].rate())),
					millis(percentile(got.each, 50)), millis(percentile(got.each, 99)),
					fmt.Sprintf("%.1f µs", got.cpuEach()), fmt.Sprintf("%.1f", got.allocationsEach()), fmt.Sprintf("%.1f", ours/got.rate()),
				})
			}
		}
		perf := kafkatest.JavaPerf(t, cluster, kafkatest.PerfLoad{
			Topic: newTopic(t, cluster, partitions), Records: 350_000, Warmup: 50_000, Size: recordSize,
		})
		rows = append(rows, []string{on.name, "1, waits for none", "Java, `ProducerPerformance`", thousands(int(perf.PerSecond)), "-", millis(perf.P50), millis(perf.P99), "-", "-", "-"})
	}
	r.table("Producer: records of 1.2 KB to 12 partitions, acknowledged by all replicas",
		fmt.Sprintf("%d rounds of %s after %s to warm up, in turn, and the median of them; each caller sends its next record when its last is\n"+
			"acknowledged. Java sends records without a key.\n"+
			"Embedded, the broker is in the CPU and in the allocations. The last column is how many times as fast ours is.\n"+
			"Aims on Apache Kafka: at 1 caller p50 under 0.3 ms; at 64 six times `kafka.Writer` at 5 ms, p50 under 1 ms; at 512 more than at 2 ms.", producingRounds, producing, producingWarmUp),
		[]string{"broker", "callers", "producer", "records/s", "least to most", "p50", "p99", "CPU each", "allocations each", "ours / it"}, rows)
}

func ours(config kafka.ProducerConfig) func(kafka.Cluster, string) (sender, func() error) {
	return func(cluster kafka.Cluster, topic string) (sender, func() error) {
		producer := kafka.NewProducer(cluster, config)
		return func(ctx context.Context, key, value []byte) error {
			return producer.Produce(ctx, kafka.Record{Topic: topic, Partition: kafka.ByKey, Key: key, Value: value})
		}, producer.Close
	}
}

func writer(linger time.Duration, most int) func(kafka.Cluster, string) (sender, func() error) {
	return func(cluster kafka.Cluster, topic string) (sender, func() error) {
		w := &segmentio.Writer{
			Addr: segmentio.TCP(cluster.Brokers...), Topic: topic, Balancer: segmentio.Murmur2Balancer{}, RequiredAcks: segmentio.RequireAll,
			BatchTimeout: linger, BatchSize: most, Transport: &segmentio.Transport{MetadataTopics: []string{topic}},
		}
		return func(ctx context.Context, key, value []byte) error {
			return w.WriteMessages(ctx, segmentio.Message{Key: key, Value: value})
		}, w.Close
	}
}

// takeTurns lets each contender begin a round in turn, and returns what each had, the slowest round first.
func takeTurns(t *testing.T, cluster kafka.Cluster, contenders []contender, callers int) [][]outcome {
	t.Helper()
	all := make([][]outcome, len(contenders))
	for round := range producingRounds {
		for i := range contenders {
			at := (round + i) % len(contenders)
			all[at] = append(all[at], contend(t, cluster, contenders[at], callers))
		}
	}
	for _, own := range all {
		slices.SortFunc(own, func(a, b outcome) int { return cmp.Compare(a.rate(), b.rate()) })
	}
	return all
}

func median(sorted []outcome) outcome { return sorted[len(sorted)/2] }

// contend lets callers use a producer on a topic of its own.
func contend(t *testing.T, cluster kafka.Cluster, c contender, callers int) outcome {
	t.Helper()
	topic := newTopic(t, cluster, partitions)
	defer deleteTopic(t, cluster, topic)
	send, end := c.open(cluster, topic)
	got := drive(t, callers, oneBody(), send)
	require.NoError(t, end())
	return got
}

// newTopic makes a topic with a name of its own.
func newTopic(t *testing.T, cluster kafka.Cluster, partitions int) string {
	t.Helper()
	name := lab.RandomPrefix("bench") + "topic"
	_, err := admin.Apply(t.Context(), cluster, admin.Spec{Topics: []admin.TopicSpec{{Name: name, Partitions: partitions, Replication: 1}}})
	require.NoError(t, err)
	return name
}

// deleteTopic frees the disk space.
func deleteTopic(t *testing.T, cluster kafka.Cluster, topic string) {
	t.Helper()
	transport := &segmentio.Transport{}
	defer transport.CloseIdleConnections()
	client := &segmentio.Client{Addr: segmentio.TCP(cluster.Brokers...), Transport: transport, Timeout: 10 * time.Second}
	answer, err := client.DeleteTopics(t.Context(), &segmentio.DeleteTopicsRequest{Topics: []string{topic}})
	require.NoError(t, err)
	require.NoError(t, answer.Errors[topic])
}

// outcome is what callers saw, and what this process used meanwhile.
type outcome struct {
	each       []time.Duration
	took       time.Duration
	from, till *usage
}

func (o outcome) rate() float64 { return float64(len(o.each)) / o.took.Seconds() }

// cpuEach is in microseconds.
func (o outcome) cpuEach() float64 {
	return (o.till.cpu - o.from.cpu).Seconds() * 1e6 / float64(len(o.each))
}

func (o outcome) allocationsEach() float64 {
	return float64(o.till.allocations-o.from.allocations) / float64(len(o.each))
}

// body returns the key and the value of one of a caller's records.
type body func(caller, n int) (key, value []byte)

// recordSize is that of all values that oneBody returns.
const recordSize = 1200

// oneBody is the same value for all records, and keys for all partitions.
func oneBody() body {
	value := webhookBody(0, time.Now())
	value = append(value, make([]byte, recordSize)...)[:recordSize]
	keys := make([][]byte, 10_000)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "%s/%d", lab.Store, 3_000_000+i)
	}
	return func(caller, n int) (k, v []byte) { return keys[(caller*7919+n)%len(keys)], value }
}

// drive lets callers send until the time is over, each the next record when its last one is acknowledged.
func drive(t *testing.T, callers int, body body, send sender) outcome {
	t.Helper()
	times := make([][]time.Duration, callers)
	for i := range times {
		times[i] = make([]time.Duration, 0, (1<<19)/callers)
	}
	began := time.Now().Add(producingWarmUp)
	ended := began.Add(producing)
	failed := make(chan error, callers)
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for n := 0; ; n++ {
				key, value := body(caller, n)
				start := time.Now()
				if start.After(ended) {
					return
				}
				if err := send(t.Context(), key, value); err != nil {
					failed <- err
					return
				}
				if start.After(began) {
					times[caller] = append(times[caller], time.Since(start))
				}
			}
		})
	}
	time.Sleep(time.Until(began))
	from := used()
	time.Sleep(time.Until(ended))
	till := used()
	all.Wait()
	close(failed)
	require.NoError(t, <-failed)
	var each []time.Duration
	for _, own := range times {
		each = append(each, own...)
	}
	return outcome{each: each, took: producing, from: from, till: till}
}
