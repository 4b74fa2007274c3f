package kafka_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

func TestRetryAfterUnwraps(t *testing.T) {
	cause := errors.New("busy")
	require.NoError(t, kafka.RetryAfter(nil, time.Second))
	assert.Equal(t, cause, kafka.RetryAfter(cause, 0))
	require.ErrorIs(t, kafka.RetryAfter(cause, time.Second), cause)
	assert.EqualError(t, kafka.RetryAfter(cause, time.Second), "busy")
}

// TestConsumerHonorsRetryAfter: the first backoff is 100 ms at most, so a later second attempt
// has waited for the requested time.
func TestConsumerHonorsRetryAfter(t *testing.T) {
	broker := kafkatest.Embedded(t)
	topic := kafkatest.Topic(t, broker.Addr(), 1)
	producer := kafka.NewProducer(broker.Cluster(), kafka.ProducerConfig{})
	t.Cleanup(func() { require.NoError(t, producer.Close()) })
	require.NoError(t, producer.Produce(t.Context(), kafka.Record{Topic: topic, Value: []byte("a")}))

	const asked = 400 * time.Millisecond
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	var tries []time.Time
	consumer := kafka.NewConsumer(broker.Cluster(), kafka.ConsumerConfig{Group: topic, Topics: []string{topic}}, zap.NewNop())
	require.NoError(t, consumer.Run(ctx, func(context.Context, []kafka.Record) (kafka.Finished, error) {
		tries = append(tries, time.Now())
		if len(tries) == 1 {
			return kafka.Finished{}, kafka.RetryAfter(errors.New("busy"), asked)
		}
		stop()
		return kafka.Finished{First: 1}, nil
	}))
	require.Len(t, tries, 2)
	assert.GreaterOrEqual(t, tries[1].Sub(tries[0]), asked)
}
