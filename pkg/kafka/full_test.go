package kafka_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// TestProducerIsBounded: callers give up on a broker that takes nothing, kafka-go
// keeps their records for a while, and the producer refuses more at once. When the
// broker takes records again there is room again.
func TestProducerIsBounded(t *testing.T) {
	fake, cluster := faulty(t)
	hanging := make(chan struct{})
	fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.SleepControl(func() { <-hanging })
		return nil, nil, false
	})
	producer := kafka.NewProducer(cluster)
	t.Cleanup(func() { require.NoError(t, producer.Close()) })

	record := kafka.Record{Topic: "t", Partition: 0, Value: make([]byte, 800_000)}
	var err error
	for range 200 {
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
		err = producer.Produce(ctx, record)
		stop()
		if !errors.Is(err, context.DeadlineExceeded) {
			break
		}
	}
	require.ErrorIs(t, err, kafka.ErrFull)
	close(hanging)
	require.Eventually(t, func() bool { return producer.Produce(t.Context(), record) == nil }, 60*time.Second, 50*time.Millisecond)
}

// What kafka-go can't even queue, because there is no leader to be found, must not
// count for ever.
func TestProducerForgetsWhatWasNeverQueued(t *testing.T) {
	fake, cluster := faulty(t)
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Err: kerr.LeaderNotAvailable, Count: 1 << 30})
	producer := kafka.NewProducer(cluster)
	t.Cleanup(func() { require.NoError(t, producer.Close()) })
	record := kafka.Record{Topic: "nowhere", Partition: 0, Value: make([]byte, 800_000)}
	for range 100 {
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Millisecond)
		err := producer.Produce(ctx, record)
		stop()
		require.Error(t, err)
		require.NotErrorIs(t, err, kafka.ErrFull)
	}
}
