package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// startTimeout is how long a broker may take to answer.
const startTimeout = 60 * time.Second

// Broker is a running broker.
type Broker struct {
	t    testing.TB
	addr string
	ours stoppable // nil when the broker is not the test's to stop
}

// stoppable is a broker that ends as if its machine had failed, and starts again with its records.
type stoppable interface {
	start(ctx context.Context) error
	kill(ctx context.Context) error
	log(ctx context.Context) string
}

// Addr returns the broker's host:port.
func (b Broker) Addr() string { return b.addr }

// Cluster returns the broker as a cluster to connect to.
func (b Broker) Cluster() kafka.Cluster { return clusterAt(b.addr) }

func clusterAt(addr string) kafka.Cluster {
	return kafka.Cluster{Brokers: []string{addr}, ClientID: "rechargeflow-test"}
}

// Embedded starts a broker in memory, without topics, and stops it with the test.
func Embedded(t testing.TB) Broker {
	t.Helper()
	broker, err := kafka.StartEmbedded(kafka.EmbeddedConfig{}, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	return Broker{t: t, addr: broker.Brokers()[0]}
}

// Kill ends the broker as kill -9 does; one in a container is asked to end an instant before.
func (b Broker) Kill() {
	b.t.Helper()
	b.mustBeOurs()
	require.NoError(b.t, b.ours.kill(b.t.Context()))
}

// Restart starts the broker again, with the records it had, and returns when it answers.
func (b Broker) Restart() {
	b.t.Helper()
	b.mustBeOurs()
	require.NoError(b.t, b.ours.kill(b.t.Context()))
	b.start()
}

func (b Broker) mustBeOurs() {
	b.t.Helper()
	if b.ours == nil {
		b.t.Skipf("the broker at %s is not the test's to stop", b.addr)
	}
}

// start returns when the broker does what it is asked for.
func (b Broker) start() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), startTimeout)
	defer cancel()
	require.NoError(b.t, b.ours.start(ctx))
	require.NoError(b.t, b.awaitReady(ctx))
}

func (b Broker) awaitReady(ctx context.Context) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := answers(ctx, b.addr)
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			log := b.ours.log(context.WithoutCancel(ctx))
			return fmt.Errorf("await Kafka: %w; its log ends with: %s", err, log[max(0, len(log)-2000):])
		}
	}
}

// answers creates a topic, which a broker can do only when all of it is up, its controller included. The topic stays.
func answers(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	spec := kafka.Spec{Topics: []kafka.TopicSpec{{Name: "kafkatest-ready", Partitions: 1, Replication: 1}}}
	if _, err := kafka.Apply(ctx, clusterAt(addr), spec); err != nil {
		return err
	}
	producer := kafka.NewProducer(clusterAt(addr), kafka.ProducerConfig{})
	err := producer.Produce(ctx, kafka.Record{Topic: "kafkatest-ready", Value: []byte("ready")})
	return errors.Join(err, producer.Close())
}
