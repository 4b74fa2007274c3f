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
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/embedded"
)

// startTimeout limits the start of a broker.
const startTimeout = 2 * time.Minute

// Broker is a running broker.
type Broker struct {
	t       testing.TB
	addr    string
	control controllable // nil if the test does not control the broker
	// proxy is nil without WithProxies.
	proxy *Proxy
	// ready returns an error until the broker is ready; nil means checkReady.
	ready func(context.Context) error
}

// controllable is a broker that can be killed, and restarted with its records.
type controllable interface {
	start(ctx context.Context) error
	kill(ctx context.Context) error
	log(ctx context.Context) string
}

// freezable is a broker that can be frozen.
type freezable interface {
	freeze() error
	thaw() error
}

// Addr returns the broker's host:port.
func (b Broker) Addr() string { return b.addr }

// Cluster returns the broker's cluster for clients.
func (b Broker) Cluster() kafka.Cluster { return clusterAt(b.addr) }

// Proxy returns the broker's proxy. It fails the test without WithProxies.
func (b Broker) Proxy() *Proxy {
	b.t.Helper()
	require.NotNilf(b.t, b.proxy, "the broker at %s has no proxy: use WithProxies", b.addr)
	return b.proxy
}

func clusterAt(addrs ...string) kafka.Cluster {
	return kafka.Cluster{Brokers: addrs, ClientID: "rechargeflow-test"}
}

// Embedded starts an embedded broker in memory, without topics, and stops it at the end of the test.
func Embedded(t testing.TB, options ...Option) Broker {
	t.Helper()
	if !valuesOf(options).proxies {
		return embeddedBroker(t, embedded.Config{})
	}
	addrs, err := freeAddrs(2)
	require.NoError(t, err)
	proxy := startLingering(t, addrs[1], addrs[0]) // closed after the broker
	b := embeddedBroker(t, embedded.Config{Listen: addrs[0], Advertise: addrs[1]})
	b.proxy = proxy
	return b
}

func embeddedBroker(t testing.TB, config embedded.Config) Broker {
	t.Helper()
	broker, err := embedded.Start(config, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	return Broker{t: t, addr: broker.Brokers()[0]}
}

// Kill kills the broker with kill -9. A container is asked to stop an instant before.
func (b Broker) Kill() {
	b.t.Helper()
	b.requireControl()
	require.NoError(b.t, b.control.kill(b.t.Context()))
}

// Freeze stops the broker's process with SIGSTOP: connections stay open without responses.
func (b Broker) Freeze() {
	b.t.Helper()
	require.NoError(b.t, b.requireFreezable().freeze())
}

// Thaw continues a frozen broker.
func (b Broker) Thaw() {
	b.t.Helper()
	require.NoError(b.t, b.requireFreezable().thaw())
}

func (b Broker) requireFreezable() freezable {
	b.t.Helper()
	f, ok := b.control.(freezable)
	if !ok {
		b.t.Skipf("the broker at %s can't be frozen: the test has not started its process", b.addr)
	}
	return f
}

// Restart restarts the broker with its records and returns when it is ready; in a Cluster, when its replicas are in sync.
func (b Broker) Restart() {
	b.t.Helper()
	b.requireControl()
	require.NoError(b.t, b.control.kill(b.t.Context()))
	b.start()
}

func (b Broker) requireControl() {
	b.t.Helper()
	if b.control == nil {
		b.t.Skipf("the broker at %s is not controlled by the test", b.addr)
	}
}

// start starts the broker and returns when it is ready.
func (b Broker) start() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), startTimeout)
	defer cancel()
	require.NoError(b.t, b.control.start(ctx))
	require.NoError(b.t, b.awaitReady(ctx))
}

func (b Broker) awaitReady(ctx context.Context) error {
	ready := b.ready
	if ready == nil {
		ready = func(ctx context.Context) error { return checkReady(ctx, b.addr) }
	}
	if err := await(ctx, ready); err != nil {
		return fmt.Errorf("start Kafka: %w; end of its log: %s", err, b.logTail(ctx))
	}
	return nil
}

func (b Broker) logTail(ctx context.Context) string {
	log := b.control.log(context.WithoutCancel(ctx))
	return log[max(0, len(log)-2000):]
}

// await repeats check until it returns nil. At the end of ctx it returns the last error from before.
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

// checkReady creates a topic and produces to it, which requires broker and controller. The topic remains.
func checkReady(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	spec := admin.Spec{Topics: []admin.TopicSpec{{Name: "kafkatest-ready", Partitions: 1, Replication: 1}}}
	if _, err := admin.Apply(ctx, clusterAt(addr), spec); err != nil {
		return err
	}
	producer := kafka.NewProducer(clusterAt(addr), kafka.ProducerConfig{})
	err := producer.Produce(ctx, kafka.Record{Topic: "kafkatest-ready", Value: []byte("ready")})
	return errors.Join(err, producer.Close())
}
