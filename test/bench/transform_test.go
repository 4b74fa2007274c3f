//go:build bench

package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const transformed = 100_000

// benchTransform measures webhooks to all that the transformer writes: events, rows of tables, and its state. Its
// limit reads the same records and writes two copies of each, in transactions too.
func benchTransform(t *testing.T, r *report, targets []target) {
	t.Helper()
	var rows [][]string
	for _, m := range []mix{newCustomers(), wholeHistories()} {
		for _, on := range targets {
			rows = append(rows, transformMix(t, on, m))
		}
	}
	r.table(fmt.Sprintf("Transform: %s webhooks into events, rows and state, each once", thousands(transformed)),
		"New customers: a subscription/created of 1.2 KB each, the most there is to write: two events, two rows, one of state. Histories:\n"+
			"customers of one to four items, from their first checkout over renewals to cancellation and deletion, as\n"+
			"Recharge sends them, one in twenty twice. Limit: two copies of each, the faster of before and after. Embedded, the broker is in the CPU and the allocations.",
		[]string{"broker", "mix", "webhooks/s", "records written/s", "CPU each", "allocations each", "limit: raw consume and produce, /s", "records written/s", "CPU each", "allocations each", "of the limit"}, rows)
	r.table("Decoding a webhook", "One after the other, on one core.", []string{"mix", "bytes", "took", "allocations"},
		[][]string{decodeMix(t, newCustomers()), decodeMix(t, wholeHistories())})
}

func transformMix(t *testing.T, on target, m mix) []string {
	t.Helper()
	prefix := lab.RandomPrefix("transform")
	cluster := stageCluster(t, on, prefix)
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	run := newRuntime(prefix, producer)
	fill(t, producer, run.Topics.Webhooks(), m.take(transformed))
	stage := transformer(t, cluster, run)
	copying := func(group string) cost {
		return transform(t, cluster, prefix+group, run.Topics.Webhooks(), transformed, kafka.Transactions{Transform: copies(run.Topics.Events())})
	}
	raw := copying("before")
	whole := transform(t, cluster, stage.Group, run.Topics.Webhooks(), transformed, transactions(stage))
	if later := copying("after"); later.took < raw.took { // a broker becomes faster while it is used
		raw = later
	}
	require.NoError(t, producer.Close())
	return slices.Concat([]string{on.name, m.name}, whole.row(), raw.row(), []string{percent(raw.took.Seconds(), whole.took.Seconds())})
}

// row is what handling transformed records took.
func (c cost) row() []string {
	return []string{
		perSecond(transformed, c.took), perSecond(int(c.outputs), c.took),
		fmt.Sprintf("%.1f µs", c.cpu.Seconds()*1e6/transformed), fmt.Sprintf("%.0f", float64(c.allocations)/transformed),
	}
}

// decodeMix is what reading a webhook's body takes.
func decodeMix(t *testing.T, m mix) []string {
	t.Helper()
	decoder, err := recharge.NewDecoder()
	require.NoError(t, err)
	all, size := m.take(20_000), 0
	from := used()
	for _, w := range all {
		size += len(w.body)
		_, err := decoder.Decode(recharge.Topic(w.topic), w.body, time.Now())
		require.NoError(t, err)
	}
	till, n := used(), len(all)
	return []string{
		m.name, fmt.Sprint(size / n), fmt.Sprintf("%.1f µs", till.at.Sub(from.at).Seconds()*1e6/float64(n)),
		fmt.Sprintf("%.0f", float64(till.allocations-from.allocations)/float64(n)),
	}
}

// fill writes raw webhooks as the gateway would.
func fill(t *testing.T, producer *kafka.Producer, topic string, webhooks []webhook) {
	t.Helper()
	now := time.Now().UTC()
	for some := range slices.Chunk(webhooks, 1000) {
		records := make([]kafka.Record, len(some))
		for i, w := range some {
			records[i] = rawRecord(topic, lab.Store, w, now)
		}
		require.NoError(t, producer.Produce(t.Context(), records...))
	}
}

// rawRecord is a webhook of a store as the gateway writes it.
func rawRecord(topic, store string, w webhook, receivedAt time.Time) kafka.Record {
	return kafka.Record{
		Topic: topic, Partition: kafka.ByKey, Key: []byte(store + "/" + w.key), Value: w.body,
		Headers: []kafka.Header{
			{Key: envelope.HeaderRechargeTopic, Value: []byte(w.topic)},
			{Key: envelope.HeaderStore, Value: []byte(store)},
			{Key: envelope.HeaderReceivedAt, Value: []byte(receivedAt.Format(time.RFC3339Nano))},
			{Key: envelope.HeaderTraceparent, Value: []byte(telemetry.EnsureTraceparent(""))},
		},
	}
}

// copies makes two copies of each record, for where it came from.
func copies(topic string) kafka.Transform {
	return func(_ context.Context, records []kafka.Record) (kafka.TransformResult, error) {
		out := kafka.TransformResult{Finished: len(records), Outputs: make([]kafka.Record, 0, 2*len(records))}
		for _, r := range records {
			r.Topic = topic
			out.Outputs = append(out.Outputs, r, r)
		}
		return out, nil
	}
}

// cost is what work took.
type cost struct {
	began       time.Time
	took, cpu   time.Duration
	allocations uint64
	outputs     int64 // records written, in transactions
}

// meter measures from the first record handled to the last finished, and stops then.
type meter struct {
	total        int64
	stop         context.CancelFunc
	done         atomic.Int64
	outputs      atomic.Int64
	began, ended atomic.Pointer[usage]
}

// metered returns a meter, and the context that it ends.
func metered(t *testing.T, total int) (context.Context, *meter) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(stop)
	return ctx, &meter{total: int64(total), stop: stop}
}

func (m *meter) begin() {
	if m.began.Load() == nil {
		m.began.CompareAndSwap(nil, used())
	}
}

func (m *meter) finish(n int) {
	if m.done.Add(int64(n)) >= m.total && m.ended.CompareAndSwap(nil, used()) {
		m.stop()
	}
}

func (m *meter) cost(t *testing.T) cost {
	t.Helper()
	require.GreaterOrEqual(t, m.done.Load(), m.total)
	a, b := m.began.Load(), m.ended.Load()
	return cost{began: a.at, took: b.at.Sub(a.at), cpu: b.cpu - a.cpu, allocations: b.allocations - a.allocations, outputs: m.outputs.Load()}
}

// consume reads total records in a group of its own.
func consume(t *testing.T, cluster kafka.Cluster, group, topic string, total int, handle kafka.Handler) cost {
	t.Helper()
	ctx, m := metered(t, total)
	consumer := kafka.NewConsumer(cluster, kafka.ConsumerConfig{Group: group, Topics: []string{topic}}, zap.NewNop())
	require.NoError(t, consumer.Run(ctx, func(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
		m.begin()
		finished, err := handle(ctx, records)
		m.finish(finished.Count())
		return finished, err
	}))
	return m.cost(t)
}

// transform is consume in transactions: a webhook is finished when its outputs are committed. Records that the transformer itself adds to the
// topic, such as owners of subscriptions, do not count.
func transform(t *testing.T, cluster kafka.Cluster, group, topic string, total int, with kafka.Transactions) cost {
	t.Helper()
	ctx, m := metered(t, total)
	consumer := kafka.NewConsumer(cluster, kafka.ConsumerConfig{Group: group, Topics: []string{topic}}, zap.NewNop())
	transform := with.Transform
	with.Transform = func(ctx context.Context, records []kafka.Record) (kafka.TransformResult, error) {
		m.begin()
		out, err := transform(ctx, records)
		ended := out.OnEnd
		out.OnEnd = func(err error) {
			if ended != nil {
				ended(err)
			}
			if err == nil {
				m.outputs.Add(int64(len(out.Outputs)))
				m.finish(webhooksIn(records[:out.Finished]))
			}
		}
		return out, err
	}
	require.NoError(t, consumer.RunTransactions(ctx, with))
	return m.cost(t)
}

func webhooksIn(records []kafka.Record) (n int) {
	for _, r := range records {
		if source := r.Header(envelope.HeaderSource); source == "" || source == envelope.SourceWebhook {
			n++
		}
	}
	return n
}

// usage is what this process has used so far.
type usage struct {
	at          time.Time
	cpu         time.Duration
	allocations uint64
}

func used() *usage {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // fails for unknown arguments only
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return &usage{at: time.Now(), cpu: time.Duration(r.Utime.Nano() + r.Stime.Nano()), allocations: m.Mallocs}
}
