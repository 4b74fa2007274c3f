package app

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

func staging() topology.Topics { return topology.Topics{Prefix: "staging."} }

func fourPartitions(t *testing.T) admin.Spec {
	t.Helper()
	spec, err := admin.ParseTopics(configs.Topics(), admin.TopicOptions{Prefix: "staging.", SingleBroker: true, Partitions: 4})
	require.NoError(t, err)
	return spec
}

// produceWebhooks writes webhooks of an hour ago into one partition.
func produceWebhooks(t *testing.T, cluster kafka.Cluster, partition, count int) {
	t.Helper()
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	for range count {
		require.NoError(t, producer.Produce(t.Context(), kafka.Record{
			Topic: staging().Webhooks(), Partition: partition, Value: []byte("{}"), Time: time.Now().Add(-time.Hour),
		}))
	}
	require.NoError(t, producer.Close())
}

// consumeOne is a transformer's consumer that finishes one record, until the test ends.
func consumeOne(t *testing.T, cluster kafka.Cluster) *kafka.Consumer {
	t.Helper()
	consumer := kafka.NewConsumer(cluster, kafka.ConsumerConfig{
		Group: staging().Group(topology.RoleTransformer, ""), Topics: staging().Reads(topology.RoleTransformer), MaxBatch: 1,
		FetchWait: 50 * time.Millisecond, SessionTimeout: 6 * time.Second, HeartbeatInterval: 100 * time.Millisecond,
	}, zap.NewNop())
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	finished := false
	go func() {
		ended <- consumer.Run(ctx, func(context.Context, []kafka.Record) (kafka.Finished, error) {
			if finished {
				return kafka.Finished{}, assert.AnError
			}
			finished = true
			return kafka.Finished{First: 1}, nil
		})
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	require.Eventually(t, func() bool { return len(consumer.Status().Partitions) > 0 }, patience, 10*time.Millisecond)
	return consumer
}

// The lag of a process's partitions is exported as soon as it has them, and none while the brokers don't answer.
func TestLagWatch(t *testing.T) {
	brokers := broker(t, fourPartitions(t))
	cluster := kafka.Cluster{Brokers: brokers.Brokers()}
	produceWebhooks(t, cluster, 2, 3)
	consumer := consumeOne(t, cluster)
	core, warnings := observer.New(zap.WarnLevel)
	watch, err := newLagWatch(cluster, zap.New(core), time.Now)
	require.NoError(t, err)
	watch.add("staging.rechargeflow.transformer", consumer.Status)
	m := telemetry.NewMetrics()
	m.Lags(watch.report)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- watch.run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	page := func() string {
		answer := httptest.NewRecorder()
		m.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
		return answer.Body.String()
	}
	require.NotContains(t, page(), "kafka_consumergroup")
	require.Eventually(t, func() bool {
		watch.soon()
		return strings.Contains(page(), `group="staging.rechargeflow.transformer",partition="2",topic="staging.recharge.webhooks"} 2`)
	}, 30*time.Second, 20*time.Millisecond)
	assert.Regexp(t, `kafka_consumergroup_group_max_lag_seconds\{cluster_name="[^"]+",group="staging.rechargeflow.transformer"\} 36\d\d`, page())
	assert.Contains(t, page(), `partition="3",topic="staging.recharge.redrive.transformer"} 0`)
	assert.Zero(t, warnings.Len())

	require.NoError(t, brokers.Close())
	require.Eventually(t, func() bool {
		watch.soon()
		return !strings.Contains(page(), "kafka_consumergroup")
	}, 30*time.Second, 20*time.Millisecond)
	assert.NotEmpty(t, warnings.FilterMessage("read lag failed, lag metrics are missing").All())
}
