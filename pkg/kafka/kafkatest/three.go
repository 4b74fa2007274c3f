package kafkatest

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Cluster is brokers of Apache Kafka, one or three. Each is a controller too, so that of three any one may fail and the
// rest goes on. Offsets, transactions and the topics of Topic are on all of them, and acknowledged when all but one have
// them.
type Cluster struct {
	t       testing.TB
	nodes   []node
	brokers []Broker // of the same order
}

// Option is a wish about the brokers of a Cluster, or an embedded one.
type Option func(*wishes)

type wishes struct{ proxies bool }

func chosen(options []Option) wishes {
	var all wishes
	for _, option := range options {
		option(&all)
	}
	return all
}

// WithProxies puts a Proxy before each broker: clients see the brokers through them only. Brokers see each other without.
func WithProxies() Option { return func(w *wishes) { w.proxies = true } }

// Three starts three brokers from Kafka's jars and stops them with the test; without Java or the jars the test is
// skipped. A broker that failed is given up by the others after 4 seconds. The three need about 1.5 GB of memory.
func Three(t testing.TB, options ...Option) Cluster {
	t.Helper()
	return newCluster(t, 3, options)
}

// One is Three with one broker: for what a Cluster can do and Choose's Broker can't, such as WithProxies.
func One(t testing.TB, options ...Option) Cluster {
	t.Helper()
	return newCluster(t, 1, options)
}

func newCluster(t testing.TB, count int, options []Option) Cluster {
	t.Helper()
	proxies := chosen(options).proxies
	j := needJava(t)
	nodes, err := planNodes(count)
	require.NoError(t, err)
	c := Cluster{t: t, nodes: nodes}
	for _, n := range nodes {
		b := Broker{t: t, addr: n.client, ready: n.inSync}
		if proxies {
			b.proxy = startProxy(t, n.outside, n.client)
			b.addr = n.outside
		}
		server, err := newServer(j, t.TempDir(), n.properties(nodes, b.addr))
		require.NoError(t, err)
		t.Cleanup(server.end)
		b.ours = server
		c.brokers = append(c.brokers, b)
	}
	c.start()
	return c
}

func (c Cluster) start() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), startTimeout)
	defer cancel()
	id := clusterID()
	all, starting := errgroup.WithContext(ctx)
	for _, b := range c.brokers {
		all.Go(func() error {
			if err := b.ours.(*server).format(starting, id); err != nil {
				return err
			}
			return b.ours.start(ctx)
		})
	}
	require.NoError(c.t, all.Wait())
	for _, n := range c.nodes {
		c.await(ctx, func(ctx context.Context) error { return sees(ctx, n.client, len(c.nodes)) })
	}
	c.await(ctx, func(ctx context.Context) error { return coordinators(ctx, c.Brokers()...) })
}

// await fails the test, with the end of each broker's log, when check has not returned nil by the end of ctx.
func (c Cluster) await(ctx context.Context, check func(context.Context) error) {
	c.t.Helper()
	err := await(ctx, check)
	for _, b := range c.brokers {
		if err != nil {
			c.t.Logf("broker %s, its log ends with: %s", b.addr, b.lastWords(ctx))
		}
	}
	require.NoError(c.t, err)
}

// running tells whether a broker could answer: it was neither killed nor frozen.
func (c Cluster) running(id int) bool {
	server, ok := c.brokers[id-1].ours.(*server)
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

// Cluster returns what to connect with.
func (c Cluster) Cluster() kafka.Cluster { return clusterAt(c.Brokers()...) }

// Broker returns one of the brokers, from 1 on, which is its id in Kafka too.
func (c Cluster) Broker(id int) Broker {
	c.t.Helper()
	require.Truef(c.t, id >= 1 && id <= len(c.brokers), "brokers are 1 to %d, not %d", len(c.brokers), id)
	return c.brokers[id-1]
}

// Proxies returns what stands before each broker, nothing where there were to be no proxies.
func (c Cluster) Proxies() []*Proxy {
	var all []*Proxy
	for _, b := range c.brokers {
		if b.proxy != nil {
			all = append(all, b.proxy)
		}
	}
	return all
}

// Topic creates a topic with a name of its own on all brokers, acknowledged by all but one. Every running broker knows it
// when Topic returns.
func (c Cluster) Topic(partitions int) string {
	c.t.Helper()
	name := newTopic(c.t, c.Cluster(), kafka.TopicSpec{
		Partitions: partitions, Replication: len(c.brokers),
		Configs: map[string]string{"min.insync.replicas": fmt.Sprint(max(1, len(c.brokers)-1))},
	})
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	for i, n := range c.nodes {
		if c.running(i + 1) {
			c.await(ctx, func(ctx context.Context) error { return knows(ctx, n.client, name, partitions) })
		}
	}
	return name
}
