package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"syscall"
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
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/histories"
)

// sink stores the records of the last call.
type sink struct{ records []kafka.Record }

// Produce stores the records.
func (s *sink) Produce(_ context.Context, records ...kafka.Record) error {
	s.records = records
	return nil
}

// accepting is a round tripper that answers like Bloomreach when it accepts all commands.
type accepting struct{}

// RoundTrip accepts all.
func (accepting) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	answer := []byte(`{"results":[`)
	for {
		_, rest, found := bytes.Cut(body, []byte(`"command_id":"`))
		if !found {
			break
		}
		id, rest, _ := bytes.Cut(rest, []byte(`"`))
		answer, body = fmt.Appendf(answer, `{"success":true,"command_id":"%s"},`, id), rest
	}
	answer = append(bytes.TrimSuffix(answer, []byte(",")), `],"success":true}`...)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(answer)), Request: r}, nil
}

// BenchmarkTransform is the transformer's stage with its state on disk, without Kafka, in transactions of 200 webhooks: of new
// customers, a subscription/created each, and of customer histories, one in twenty webhooks twice. CPU time is that of the whole
// process, garbage collection and Pebble included.
func BenchmarkTransform(b *testing.B) {
	for name, webhooks := range map[string][]kafka.Record{"new": benchNewCustomers(b, 10_000), "histories": benchHistories(b, 10_000)} {
		b.Run(name, func(b *testing.B) { benchTransform(b, webhooks) })
	}
}

func benchTransform(b *testing.B, webhooks []kafka.Record) {
	const partitions = 200
	cluster := kafkatest.Embedded(b).Cluster()
	_, err := admin.Apply(b.Context(), cluster, admin.Spec{Topics: []admin.TopicSpec{{Name: "recharge.state", Partitions: partitions, Replication: 1}}})
	require.NoError(b, err)
	kept, err := state.Open(state.Config{Dir: b.TempDir(), Topic: "recharge.state", Cluster: cluster})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, kept.Close()) })
	stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer}, pipeline.Options{
		State: onDisk(kept), Raw: &memoryTopics{}, Stores: []pipeline.Store{{Settings: benchSettings()}},
	}, pipeline.Runtime{Metrics: telemetry.NewMetrics(), Log: zap.NewNop(), Now: time.Now})
	require.NoError(b, err)
	var cpu time.Duration
	var allocations uint64
	n := 0
	for partition := 0; b.Loop(); partition++ {
		b.StopTimer()
		require.Less(b, partition, partitions)
		require.NoError(b, stages[0].Transactor.TakeOver(b.Context(), partition))
		records := slices.Clone(webhooks)
		for i := range records {
			records[i].Partition = partition
		}
		b.StartTimer()
		cpu0, allocations0 := benchUsed()
		for batch := range slices.Chunk(records, 200) {
			out, err := stages[0].Transform(b.Context(), batch)
			require.NoError(b, err)
			require.Equal(b, len(batch), out.Finished)
			out.OnEnd(nil)
			n += len(batch)
		}
		cpu1, allocations1 := benchUsed()
		cpu, allocations = cpu+cpu1-cpu0, allocations+allocations1-allocations0
	}
	b.ReportMetric(float64(cpu.Microseconds())/float64(n), "cpu-µs/webhook")
	b.ReportMetric(float64(allocations)/float64(n), "allocs/webhook")
}

// benchUsed returns the CPU time and the allocations of this process so far.
func benchUsed() (time.Duration, uint64) {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // fails for unknown arguments only
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), m.Mallocs
}

// BenchmarkTracking is one event through the tracking sink's stage and Bloomreach's client, in requests of 50, without Kafka and without
// a network.
func BenchmarkTracking(b *testing.B) {
	stages, out := benchStages(b)
	var events []kafka.Record
	for _, r := range benchWebhooks(b) {
		out.records = nil
		_, err := handle(b.Context(), stages[0], out.Produce, []kafka.Record{r})
		require.NoError(b, err)
		for _, r := range out.records {
			if r.Topic == "recharge.events" {
				events = append(events, r)
			}
		}
	}
	request := make([]kafka.Record, bloomreach.MaxCommands)
	for i := range request {
		request[i] = events[i%len(events)]
		request[i].Offset = int64(i)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(request) { // one operation is an event
		finished, err := stages[1].Handle(b.Context(), request)
		require.NoError(b, err)
		require.Equal(b, len(request), finished.Count())
	}
}

// BenchmarkGateway is one webhook through the gateway's handler, without a connection and without Kafka.
func BenchmarkGateway(b *testing.B) {
	webhook := benchWebhooks(b)[0]
	body, path := webhook.Value, "/webhooks/acme/"+webhook.Header(envelope.HeaderRechargeTopic)
	gateway := pipeline.NewGateway(gatewayConfig(), pipeline.Runtime{
		Produce: (&sink{}).Produce, Metrics: telemetry.NewMetrics(), Log: zap.NewNop(), Now: atTen,
	}).Handler()
	request := webhookRequest(path, string(body))
	reader := bytes.NewReader(nil)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		request.Body = io.NopCloser(reader)
		answer := httptest.NewRecorder()
		gateway.ServeHTTP(answer, request)
		require.Equal(b, http.StatusOK, answer.Code)
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
	stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer}, pipeline.Options{
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
	client, err := bloomreach.New(bloomreach.Config{
		BaseURL: "https://api.example", ProjectToken: "project-token", Auth: bloomreach.PublicToken("public-token"),
		HTTPClient: &http.Client{Transport: accepting{}},
	})
	require.NoError(b, err)
	stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer, topology.RoleTracking}, pipeline.Options{
		State: customerstatetest.Store(&customerstatetest.Memory{}), Raw: &memoryTopics{},
		Stores: []pipeline.Store{{
			Settings: benchSettings(),
			Tracker:  client, CustomerIDName: "registered",
		}},
	}, pipeline.Runtime{Produce: out.Produce, Metrics: telemetry.NewMetrics(), Log: zap.NewNop(), Now: time.Now})
	require.NoError(b, err)
	return stages, out
}

func benchSettings() subscriber.Settings {
	return subscriber.Settings{Store: store, CustomerID: subscriber.ByEmail, ActiveProperty: true}
}

// benchWebhooks are those of a first checkout.
func benchWebhooks(b *testing.B) []kafka.Record {
	b.Helper()
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	var records []kafka.Record
	for _, d := range (histories.Customer{Number: 1, Items: 4, Included: true, Seed: 1}).Burst(histories.FirstCheckout, now) {
		records = append(records, benchRecord(len(records), "1", d, now))
	}
	return records
}

// benchNewCustomers are each the first webhook of a customer, with the customer.
func benchNewCustomers(b *testing.B, n int) []kafka.Record {
	b.Helper()
	now := time.Now().UTC()
	records := make([]kafka.Record, n)
	for i := range records {
		account := histories.Customer{Number: i + 1, Items: 1, Included: true, Seed: 1}.Open()
		burst := account.Burst(histories.FirstCheckout, now)
		created := slices.IndexFunc(burst, func(d histories.Delivery) bool { return d.Topic == "subscription/created" })
		records[i] = benchRecord(i, account.ID(), burst[created], now)
	}
	return records
}

// benchHistories are the webhooks of customers side by side, each with all recorded actions.
func benchHistories(b *testing.B, n int) []kafka.Record {
	b.Helper()
	const apart = 30 * 24 * time.Hour
	accounts := make([]*histories.Account, n/40)
	for i := range accounts {
		accounts[i] = histories.Customer{
			Number: i + 1, Items: 1 + i%4, Included: true, Seed: uint64(i),
			Topics: append(histories.RecordedTopics(), histories.AssumedTopics()...),
		}.Open()
	}
	var records []kafka.Record
	rng := rand.New(rand.NewPCG(1, 2))
	at := time.Now().UTC().Add(-apart * time.Duration(len(histories.Recorded())))
	for _, action := range histories.Recorded() {
		for _, account := range accounts {
			for _, d := range (histories.Duplicates{Same: 0.05}).Add(rng, time.Second, account.Burst(action, at)) {
				records = append(records, benchRecord(len(records), account.ID(), d, at))
			}
		}
		at = at.Add(apart)
	}
	return records
}

func benchRecord(offset int, customer string, d histories.Delivery, received time.Time) kafka.Record {
	return kafka.Record{
		Topic: "recharge.webhooks", Offset: int64(offset), Key: []byte(store + "/" + customer), Value: d.Body(),
		Headers: []kafka.Header{
			{Key: envelope.HeaderRechargeTopic, Value: []byte(d.Topic)},
			{Key: envelope.HeaderStore, Value: []byte(store)},
			{Key: envelope.HeaderReceivedAt, Value: fmt.Append(nil, received.Format(time.RFC3339Nano))},
			{Key: envelope.HeaderTraceparent, Value: []byte(telemetry.EnsureTraceparent(""))},
		},
	}
}
