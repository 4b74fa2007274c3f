package kafkatest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// TestJavaConsume: records with arbitrary bytes are parsed exactly, and uncommitted ones are excluded if requested.
func TestJavaConsume(t *testing.T) {
	b := realBroker(t)
	topic := kafkatest.Topic(t, b.Addr(), 1)
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	sent := []kafka.Record{
		{Key: []byte("shop/1"), Value: []byte(`{"name":"Zoë\n","tab":"	"}`), Headers: []kafka.Header{{Key: "ce_id", Value: []byte("a:b,c\x1f")}, {Key: "none", Value: []byte{}}}},
		{Value: []byte("no key\nand\tmore lines \\x41 \x00\xff")},
		{Key: []byte("a tombstone")},
		{Key: []byte{}, Value: []byte{}},
		{Key: []byte("null"), Value: []byte(`\null`)},
	}
	producer := kafka.NewProducer(b.Cluster(), kafka.ProducerConfig{})
	for i := range sent {
		sent[i].Topic, sent[i].Time, sent[i].Offset = topic, at, int64(i)
		require.NoError(t, producer.Produce(t.Context(), sent[i]))
	}
	require.NoError(t, producer.Close())
	transact(t, b, topic, "committed", kgo.TryCommit)
	transact(t, b, topic, "aborted", kgo.TryAbort)

	all := kafkatest.JavaConsume(t, b.Cluster(), topic, false)
	require.Len(t, all, 7)
	assert.Equal(t, sent, all[:5])
	assert.Equal(t, "aborted", string(all[6].Value))
	committed := kafkatest.JavaConsume(t, b.Cluster(), topic, true)
	assert.Equal(t, all[:6], committed)
	assert.Equal(t, "committed", string(committed[5].Value))
}

// transact sends one record in a transaction.
func transact(t *testing.T, b kafkatest.Broker, topic, value string, end kgo.TransactionEndTry) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.TransactionalID(topic+value))
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.BeginTransaction())
	require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr())
	require.NoError(t, client.EndTransaction(t.Context(), end))
}

func TestJavaPerf(t *testing.T) {
	b := realBroker(t)
	topic := kafkatest.Topic(t, b.Addr(), 3)
	plain := kafkatest.JavaPerf(t, b.Cluster(), kafkatest.PerfLoad{
		Topic: topic, Records: 20_000, Size: 500, Properties: map[string]string{"linger.ms": "2", "compression.type": "lz4"},
	})
	transactional := kafkatest.JavaPerf(t, b.Cluster(), kafkatest.PerfLoad{
		Topic: topic, Records: 20_000, Warmup: 5_000, Size: 500, PerSecond: 10_000, TransactionalID: topic, TransactionTime: 100 * time.Millisecond,
	})
	t.Log("plain:        ", plain)
	t.Log("transactional:", transactional)
	assert.Equal(t, 20_000, plain.Records)
	assert.Equal(t, 15_000, transactional.Records)
	for _, perf := range []kafkatest.Perf{plain, transactional} {
		assert.InDelta(t, perf.PerSecond*500/(1<<20), perf.MegabytesPerSecond, 0.01)
		assert.Positive(t, perf.Mean)
		assert.GreaterOrEqual(t, perf.P99, perf.P95)
		assert.GreaterOrEqual(t, perf.Max, perf.P99)
	}
}

func realBroker(t *testing.T) kafkatest.Broker {
	t.Helper()
	if testing.Short() {
		t.Skip("starts Apache Kafka; run without -short")
	}
	return kafkatest.Real(t)
}
