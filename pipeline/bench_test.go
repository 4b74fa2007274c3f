package pipeline_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate/customerstatetest"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/state"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/test/histories"
)

// sink stores the records of the last call.
type sink struct{ records []kafka.Record }

// Produce stores the records.
func (s *sink) Produce(_ context.Context, records ...kafka.Record) error {
	s.records = records
	return nil
}

// accepting is a destination that accepts everything at once.
type accepting struct{}

// Batch accepts all.
func (accepting) Batch(_ context.Context, commands []bloomreach.Command) ([]bloomreach.Result, error) {
	results := make([]bloomreach.Result, len(commands))
	for i := range commands {
		results[i].Outcome = bloomreach.Accepted
	}
	return results, nil
}

// BenchmarkTransform is one webhook of a first checkout through the transformer's
// stage, without Kafka.
func BenchmarkTransform(b *testing.B) {
	stages, out := benchStages(b)
	records := benchWebhooks(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, err := handle(b.Context(), stages[0], out.Produce, records[i%len(records):][:1])
		require.NoError(b, err)
	}
}

// BenchmarkTracking is one event through the tracking sink's stage, without Kafka
// and without a destination.
func BenchmarkTracking(b *testing.B) {
	stages, out := benchStages(b)
	var events []kafka.Record
	for _, r := range benchWebhooks(b) {
		out.records = nil
		_, err := handle(b.Context(), stages[0], out.Produce, []kafka.Record{r})
		require.NoError(b, err)
		events = append(events, out.records...)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, err := handle(b.Context(), stages[1], out.Produce, events[i%len(events):][:1])
		require.NoError(b, err)
	}
}

// BenchmarkExpire is a step of the expiry, as most are: through rows of which none is expired.
func BenchmarkExpire(b *testing.B) {
	cluster := kafkatest.Embedded(b).Cluster()
	const topic, customers = "recharge.state", 20000
	_, err := admin.Apply(b.Context(), cluster, admin.Spec{Topics: []admin.TopicSpec{{Name: topic, Partitions: 1, Replication: 1}}})
	require.NoError(b, err)
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	b.Cleanup(func() { require.NoError(b, producer.Close()) })
	row := fmt.Appendf(nil, `{"seen":true,"email":"jo@example.com","first_name":"Jo","last_name":"Bean","phone":"+15035550100","hash":"%032x"}`, 1)
	for i := range customers {
		records := []kafka.Record{{Topic: topic, Key: fmt.Appendf(nil, "customer/acme/%d", i), Value: row}}
		for month := range 11 {
			records = append(records, kafka.Record{Topic: topic, Key: fmt.Appendf(nil, "emitted/acme/%d/2026-%02d", i, month+1), Value: row[:24]})
		}
		require.NoError(b, producer.Produce(b.Context(), records...))
	}
	kept, err := state.Open(state.Config{Dir: b.TempDir(), Topic: topic, Cluster: cluster})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, kept.Close()) })
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, pipeline.Options{
		State: onDisk(kept), Raw: &memoryTopics{},
	}, pipeline.Runtime{Produce: producer.Produce, Metrics: telemetry.NewMetrics(), Log: zap.NewNop(), Now: func() time.Time { return now }})
	require.NoError(b, err)
	require.NoError(b, stages[0].Transactor.TakeOver(b.Context(), 0))
	now = now.Add(time.Hour)
	b.ReportAllocs()
	steps := 0
	for b.Loop() {
		out, err := stages[0].Punctuate(b.Context(), 0)
		require.NoError(b, err)
		require.Empty(b, out.Outputs)
		if steps++; steps%60 == 0 { // all 240,000 rows were scanned: start again
			now = now.Add(12 * time.Hour)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(steps)/4, "µs/1000rows")
}

func benchStages(b *testing.B) ([]*stage.Stage, *sink) {
	b.Helper()
	out := &sink{}
	stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer, pipeline.RoleTracking}, pipeline.Options{
		State: customerstatetest.Store(&customerstatetest.Memory{}), Raw: &memoryTopics{},
		Stores: []pipeline.Store{{
			Settings: subscriber.Settings{Store: store, CustomerID: subscriber.ByEmail, ActiveProperty: true},
			Tracker:  accepting{}, CustomerIDName: "registered",
		}},
	}, pipeline.Runtime{Produce: out.Produce, Metrics: telemetry.NewMetrics(), Log: zap.NewNop(), Now: time.Now})
	require.NoError(b, err)
	return stages, out
}

func benchWebhooks(b *testing.B) []kafka.Record {
	b.Helper()
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	var records []kafka.Record
	for i, d := range (histories.Customer{Number: 1, Items: 4, Included: true, Seed: 1}).Burst(histories.FirstCheckout, now) {
		records = append(records, kafka.Record{
			Topic: "recharge.webhooks", Offset: int64(i), Key: []byte("acme/1"), Value: d.Body(),
			Headers: []kafka.Header{
				{Key: envelope.HeaderRechargeTopic, Value: []byte(d.Topic)},
				{Key: envelope.HeaderStore, Value: []byte(store)},
				{Key: envelope.HeaderReceivedAt, Value: fmt.Append(nil, now.Format(time.RFC3339Nano))},
				{Key: envelope.HeaderTraceparent, Value: []byte(telemetry.EnsureTraceparent(""))},
			},
		})
	}
	return records
}
