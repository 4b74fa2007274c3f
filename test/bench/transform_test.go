//go:build bench

package bench

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const transformed = 100_000

// benchTransform measures webhooks to all that the transformer writes: two events of each of these, two rows of tables, and
// what it remembers. Its limit reads the same records and writes two copies of each, in transactions too.
func benchTransform(t *testing.T, r *report, targets []target) {
	t.Helper()
	var rows [][]string
	for _, on := range targets {
		prefix := lab.RandomPrefix("transform")
		cluster := stageCluster(t, on, prefix)
		producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
		run := pipeline.Runtime{
			Topics: pipeline.Topics{Prefix: prefix}, Producer: producer,
			Metrics: telemetry.NewMetrics(), Log: zap.NewNop(), Now: time.Now,
		}
		fill(t, producer, run.Topics.Webhooks(), transformed)
		stage := transformer(t, cluster, run)
		raw := transform(t, cluster, prefix+"raw", run.Topics.Webhooks(), transformed, kafka.Transactions{Transform: copies(run.Topics.Events())})
		whole := transform(t, cluster, stage.Group, run.Topics.Webhooks(), transformed, transactions(stage))
		require.NoError(t, producer.Close())
		rows = append(rows, []string{
			on.name, perSecond(transformed, whole.took), perSecond(int(whole.outputs), whole.took), fmt.Sprintf("%.1f µs", whole.cpu.Seconds()*1e6/transformed),
			fmt.Sprintf("%.0f", float64(whole.allocations)/transformed),
			perSecond(transformed, raw.took), perSecond(int(raw.outputs), raw.took), fmt.Sprintf("%.1f µs", raw.cpu.Seconds()*1e6/transformed), fmt.Sprintf("%.0f", float64(raw.allocations)/transformed),
			percent(raw.took.Seconds(), whole.took.Seconds()),
		})
	}
	r.table(fmt.Sprintf("Transform: %s webhooks of 1.2 KB, each of another customer, into two events, two rows and state", thousands(transformed)),
		"The limit writes two copies of each. Embedded, the broker is in the same process and in its CPU and allocations.",
		[]string{"broker", "webhooks/s", "records written/s", "CPU each", "allocations each", "limit: raw consume and produce, /s", "records written/s", "CPU each", "allocations each", "of the limit"}, rows)
}

// fill writes raw webhooks as the gateway would.
func fill(t *testing.T, producer *kafka.Producer, topic string, total int) {
	t.Helper()
	const batch = 1000
	now := time.Now().UTC()
	for from := 0; from < total; from += batch {
		records := make([]kafka.Record, 0, batch)
		for id := from; id < min(from+batch, total); id++ {
			records = append(records, kafka.Record{
				Topic: topic, Partition: kafka.ByKey, Key: fmt.Appendf(nil, "%s/%d", lab.Store, 3_000_000+id), Value: webhookBody(id, now),
				Headers: []kafka.Header{
					{Key: pipeline.HeaderTopic, Value: []byte(webhookTopic)},
					{Key: pipeline.HeaderStore, Value: []byte(lab.Store)},
					{Key: pipeline.HeaderReceivedAt, Value: []byte(now.Format(time.RFC3339Nano))},
					{Key: pipeline.HeaderTraceparent, Value: []byte(telemetry.EnsureTraceparent(""))},
				},
			})
		}
		require.NoError(t, producer.Produce(t.Context(), records...))
	}
}

// copies makes two copies of each record, for where it came from.
func copies(topic string) kafka.Transform {
	return func(_ context.Context, records []kafka.Record) (kafka.Transformed, error) {
		out := kafka.Transformed{Done: len(records), Outputs: make([]kafka.Record, 0, 2*len(records))}
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
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	defer stop()
	m := &meter{total: int64(total), stop: stop}
	consumer := kafka.NewConsumer(cluster, kafka.ConsumerConfig{Group: group, Topics: []string{topic}}, zap.NewNop())
	require.NoError(t, consumer.Run(ctx, func(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
		m.begin()
		finished, err := handle(ctx, records)
		m.finish(finished.Count())
		return finished, err
	}))
	return m.cost(t)
}

// transform is consume in transactions: a record is finished when its outputs are committed.
func transform(t *testing.T, cluster kafka.Cluster, group, topic string, total int, with kafka.Transactions) cost {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	defer stop()
	m := &meter{total: int64(total), stop: stop}
	consumer := kafka.NewConsumer(cluster, kafka.ConsumerConfig{Group: group, Topics: []string{topic}}, zap.NewNop())
	transform := with.Transform
	with.Transform = func(ctx context.Context, records []kafka.Record) (kafka.Transformed, error) {
		m.begin()
		out, err := transform(ctx, records)
		ended := out.Ended
		out.Ended = func(err error) {
			if ended != nil {
				ended(err)
			}
			if err == nil {
				m.outputs.Add(int64(len(out.Outputs)))
				m.finish(out.Done)
			}
		}
		return out, err
	}
	require.NoError(t, consumer.RunTransactions(ctx, with))
	return m.cost(t)
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
