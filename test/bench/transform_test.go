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
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const transformed = 100_000

// benchTransform measures webhooks to events (two for each of these). Its limit
// reads the same records and writes two copies of each.
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
		stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, transformOptions(), run)
		require.NoError(t, err)
		raw := consume(t, cluster, prefix+"raw", run.Topics.Webhooks(), transformed, copies(producer, run.Topics.Events()))
		whole := consume(t, cluster, stages[0].Group, run.Topics.Webhooks(), transformed, stages[0].Handle)
		require.NoError(t, producer.Close())
		rows = append(rows, []string{
			on.name, perSecond(transformed, whole.took), fmt.Sprintf("%.1f µs", whole.cpu.Seconds()*1e6/transformed),
			fmt.Sprintf("%.0f", float64(whole.allocations)/transformed),
			perSecond(transformed, raw.took), fmt.Sprintf("%.1f µs", raw.cpu.Seconds()*1e6/transformed), fmt.Sprintf("%.0f", float64(raw.allocations)/transformed),
			percent(raw.took.Seconds(), whole.took.Seconds()),
		})
	}
	r.table(fmt.Sprintf("Transform: %s webhooks of 1.2 KB, each into two events", thousands(transformed)),
		"Embedded, the broker is in the same process and in its CPU and allocations.",
		[]string{"broker", "webhooks/s", "CPU each", "allocations each", "limit: raw consume and produce, /s", "CPU each", "allocations each", "of the limit"}, rows)
}

func transformOptions() pipeline.Options {
	return pipeline.Options{CustomerCacheSize: 1000, CustomerCacheTTL: time.Minute, Stores: []pipeline.Store{{
		Settings: subscriber.Settings{Store: lab.Store, CustomerID: subscriber.ByEmail, CustomerIDName: "registered", ActiveProperty: true},
	}}}
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

// copies is a handler that writes two copies of each record to where it came from.
func copies(producer *kafka.Producer, topic string) kafka.Handler {
	return func(ctx context.Context, records []kafka.Record) (int, error) {
		out := make([]kafka.Record, 0, 2*len(records))
		for _, r := range records {
			r.Topic = topic
			out = append(out, r, r)
		}
		return len(records), producer.Produce(ctx, out...)
	}
}

// cost is what work took.
type cost struct {
	began       time.Time
	took, cpu   time.Duration
	allocations uint64
}

// consume reads total records in a group of its own, from the first record
// handled to the last.
func consume(t *testing.T, cluster kafka.Cluster, group, topic string, total int, handle kafka.Handler) cost {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	defer stop()
	var done atomic.Int64
	var began, ended atomic.Pointer[usage]
	consumer := kafka.NewConsumer(cluster, kafka.ConsumerConfig{Group: group, Topics: []string{topic}}, zap.NewNop())
	require.NoError(t, consumer.Run(ctx, func(ctx context.Context, records []kafka.Record) (int, error) {
		if began.Load() == nil {
			began.CompareAndSwap(nil, used())
		}
		n, err := handle(ctx, records)
		if done.Add(int64(n)) >= int64(total) && ended.CompareAndSwap(nil, used()) {
			stop()
		}
		return n, err
	}))
	require.GreaterOrEqual(t, done.Load(), int64(total))
	a, b := began.Load(), ended.Load()
	return cost{began: a.at, took: b.at.Sub(a.at), cpu: b.cpu - a.cpu, allocations: b.allocations - a.allocations}
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
