package kafkatest

import (
	"cmp"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
)

// Cluster is a cluster of one or three brokers of Apache Kafka. Each is a controller too, so that one of three may fail.
// Offsets, transactions and the topics of Topic are replicated to all brokers, and acknowledged by all but one.
type Cluster struct {
	t       testing.TB
	nodes   []node
	brokers []Broker // in the same order
}

// Option is an option of a Cluster or of Embedded.
type Option func(*optionValues)

type optionValues struct {
	proxies bool
	session time.Duration // broker.session.timeout.ms
}

func valuesOf(options []Option) optionValues {
	var all optionValues
	for _, option := range options {
		option(&all)
	}
	return all
}

// WithProxies starts a Proxy for each broker. Clients connect through it, brokers to each other without.
func WithProxies() Option { return func(w *optionValues) { w.proxies = true } }

// WithSession sets how long a broker may be silent until the controller takes its partitions away. Without it these are 4 seconds for
// Three (Kafka's default is 9), and an hour for One: the only broker must not lose its partitions because the machine is
// busy. A broker that was killed comes back after its session only, so tests that kill the only one give it a short one.
func WithSession(d time.Duration) Option { return func(w *optionValues) { w.session = d } }

// Three starts three brokers from Kafka's jars and stops them at the end of the test. Without Java or the jars the test is
// skipped. A dead broker loses its partitions after WithSession. The three need about 1.5 GB of memory.
func Three(t testing.TB, options ...Option) Cluster {
	t.Helper()
	return newCluster(t, 3, options)
}

// One is Three with one broker, for tests that need a Cluster, such as WithProxies.
func One(t testing.TB, options ...Option) Cluster {
	t.Helper()
	return newCluster(t, 1, options)
}

func newCluster(t testing.TB, count int, options []Option) Cluster {
	t.Helper()
	values := valuesOf(options)
	session := cmp.Or(values.session, sessionOf(count))
	j := needJava(t)
	nodes, err := planNodes(count)
	require.NoError(t, err)
	c := Cluster{t: t, nodes: nodes}
	for _, n := range nodes {
		b := Broker{t: t, addr: n.client, ready: n.checkInSync}
		if values.proxies {
			b.proxy = startProxy(t, n.proxy, n.client)
			b.addr = n.proxy
		}
		server, err := newServer(j, directory(t), n.properties(nodes, b.addr, session))
		require.NoError(t, err)
		t.Cleanup(server.stop)
		b.control = server
		c.brokers = append(c.brokers, b)
	}
	c.start()
	return c
}

func sessionOf(brokers int) time.Duration {
	if brokers == 1 {
		return time.Hour
	}
	return 4 * time.Second
}

func (c Cluster) start() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), startTimeout)
	defer cancel()
	id := clusterID()
	all, starting := errgroup.WithContext(ctx)
	for _, b := range c.brokers {
		all.Go(func() error {
			if err := b.control.(*server).format(starting, id); err != nil {
				return err
			}
			return b.control.start(ctx)
		})
	}
	require.NoError(c.t, all.Wait())
	for _, n := range c.nodes {
		c.await(ctx, func(ctx context.Context) error { return checkBrokers(ctx, n.client, len(c.nodes)) })
	}
	c.await(ctx, func(ctx context.Context) error { return createCoordinators(ctx, c.Brokers()...) })
}

// await repeats check until it returns nil. At the end of ctx it fails the test and logs the end of each broker's log.
func (c Cluster) await(ctx context.Context, check func(context.Context) error) {
	c.t.Helper()
	err := await(ctx, check)
	for _, b := range c.brokers {
		if err != nil {
			c.t.Logf("broker %s, its log ends with: %s", b.addr, b.logTail(ctx))
		}
	}
	require.NoError(c.t, err)
}

// running reports whether a broker is neither killed nor frozen.
func (c Cluster) running(id int) bool {
	server, ok := c.brokers[id-1].control.(*server)
	return ok && server.process != nil && !server.frozen
}

// Brokers returns the brokers' addresses, host:port.
func (c Cluster) Brokers() []string {
	var addrs []string
	for _, b := range c.brokers {
		addrs = append(addrs, b.addr)
	}
	return addrs
}

// Cluster returns the cluster for clients.
func (c Cluster) Cluster() kafka.Cluster { return clusterAt(c.Brokers()...) }

// Broker returns a broker by its id, from 1 on.
func (c Cluster) Broker(id int) Broker {
	c.t.Helper()
	require.Truef(c.t, id >= 1 && id <= len(c.brokers), "brokers are 1 to %d, not %d", len(c.brokers), id)
	return c.brokers[id-1]
}

// Proxies returns the brokers' proxies; none without WithProxies.
func (c Cluster) Proxies() []*Proxy {
	var all []*Proxy
	for _, b := range c.brokers {
		if b.proxy != nil {
			all = append(all, b.proxy)
		}
	}
	return all
}

// Topic creates a topic with a random name, replicated to all brokers and acknowledged by all but one. Every running broker
// knows it when Topic returns.
func (c Cluster) Topic(partitions int) string {
	c.t.Helper()
	name := newTopic(c.t, c.Cluster(), admin.TopicSpec{
		Partitions: partitions, Replication: len(c.brokers),
		Configs: map[string]string{"min.insync.replicas": fmt.Sprint(max(1, len(c.brokers)-1))},
	})
	ctx, cancel := context.WithTimeout(c.t.Context(), timeout)
	defer cancel()
	for i, n := range c.nodes {
		if c.running(i + 1) {
			c.await(ctx, func(ctx context.Context) error { return checkLeaders(ctx, n.client, name, partitions) })
		}
	}
	return name
}
