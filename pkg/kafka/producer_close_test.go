package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// TestCloseWhileBrokersHang: Close does not wait for outcomes that nobody waits for, and CloseTimeout for others.
func TestCloseWhileBrokersHang(t *testing.T) {
	broker := kafkatest.Embedded(t, kafkatest.WithProxies())
	topic := kafkatest.Topic(t, broker.Addr(), 1)
	hang := func() (*kafka.Producer, kafka.Record) {
		broker.Proxy().Release()
		producer := kafka.NewProducer(broker.Cluster(), kafka.ProducerConfig{CloseTimeout: 700 * time.Millisecond})
		record := kafka.Record{Topic: topic, Value: []byte("v")}
		require.NoError(t, producer.Produce(t.Context(), record))
		broker.Proxy().Hold()
		return producer, record
	}
	closes := func(producer *kafka.Producer) (time.Duration, error) {
		began := time.Now()
		err := producer.Close()
		return time.Since(began), err
	}

	producer, record := hang()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, producer.Produce(ctx, record), context.DeadlineExceeded)
	took, err := closes(producer)
	require.NoError(t, err)
	assert.Less(t, took, 500*time.Millisecond, "its caller has given up")

	producer, record = hang()
	produced := make(chan error, 1)
	go func() { produced <- producer.Produce(context.Background(), record) }()
	require.Eventually(t, func() bool { return broker.Proxy().Held() > 0 }, patience, time.Millisecond)
	took, err = closes(producer)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, took, 5*time.Second)
	require.Error(t, <-produced, "its outcome is unknown")
}
