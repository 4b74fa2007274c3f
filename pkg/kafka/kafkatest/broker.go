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
const startTimeout = 2 * time.Minute

// Broker is a running broker.
type Broker struct {
	t    testing.TB
	addr string
	ours stoppable // nil when the broker is not the test's to stop
	// proxy stands before the broker; nil for none.
	proxy *Proxy
	// ready says why the broker does not do its work yet; nil for answers.
	ready func(context.Context) error
}

// stoppable is a broker that ends as if its machine had failed, and starts again with its records.
type stoppable interface {
	start(ctx context.Context) error
	kill(ctx context.Context) error
	log(ctx context.Context) string
}

// freezable is a broker that can be stopped where it is.
type freezable interface {
	freeze() error
	thaw() error
}

// Addr returns the broker's host:port.
func (b Broker) Addr() string { return b.addr }

// Cluster returns the broker as a cluster to connect to.
func (b Broker) Cluster() kafka.Cluster { return clusterAt(b.addr) }

// Proxy returns what stands before the broker, if there were to be proxies.
func (b Broker) Proxy() *Proxy {
	b.t.Helper()
	require.NotNilf(b.t, b.proxy, "nothing stands before the broker at %s: ask for it WithProxies", b.addr)
	return b.proxy
}

func clusterAt(addrs ...string) kafka.Cluster {
	return kafka.Cluster{Brokers: addrs, ClientID: "rechargeflow-test"}
}

// Embedded starts a broker in memory, without topics, and stops it with the test.
func Embedded(t testing.TB, options ...Option) Broker {
	t.Helper()
	if !chosen(options).proxies {
		return embedded(t, kafka.EmbeddedConfig{})
	}
	addrs, err := freeAddrs(2)
	require.NoError(t, err)
	proxy := startLingering(t, addrs[1], addrs[0]) // it ends when the broker has
	b := embedded(t, kafka.EmbeddedConfig{Listen: addrs[0], Advertise: addrs[1]})
	b.proxy = proxy
	return b
}

func embedded(t testing.TB, config kafka.EmbeddedConfig) Broker {
	t.Helper()
	broker, err := kafka.StartEmbedded(config, zap.NewNop())
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

// Freeze stops the broker's process where it is, as SIGSTOP does: what is connected stays so, and nothing is answered.
func (b Broker) Freeze() {
	b.t.Helper()
	require.NoError(b.t, b.mustFreeze().freeze())
}

// Thaw lets a frozen broker go on.
func (b Broker) Thaw() {
	b.t.Helper()
	require.NoError(b.t, b.mustFreeze().thaw())
}

func (b Broker) mustFreeze() freezable {
	b.t.Helper()
	f, ok := b.ours.(freezable)
	if !ok {
		b.t.Skipf("the broker at %s can't be frozen: it is no process of the test's", b.addr)
	}
	return f
}

// Restart starts the broker again, with the records it had, and returns when it answers; one of several, when it has its
// part of every partition up to date.
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
	ready := b.ready
	if ready == nil {
		ready = func(ctx context.Context) error { return answers(ctx, b.addr) }
	}
	if err := await(ctx, ready); err != nil {
		return fmt.Errorf("await Kafka: %w; its log ends with: %s", err, b.lastWords(ctx))
	}
	return nil
}

func (b Broker) lastWords(ctx context.Context) string {
	log := b.ours.log(context.WithoutCancel(ctx))
	return log[max(0, len(log)-2000):]
}

// await asks check again and again until it returns nil, and returns the last error that is not the end of ctx itself.
func await(ctx context.Context, check func(context.Context) error) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	var last error
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return last
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
