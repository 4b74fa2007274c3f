package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// seen is what was known of the cluster, and when.
type seen struct {
	cluster protocol.Cluster
	at      time.Time
}

// lookEvery is how old what we know of the cluster may get; kafka-go asks for it anew within metadataTTL.
const lookEvery = 250 * time.Millisecond

func (s *seen) fresh() bool { return s != nil && time.Since(s.at) < lookEvery }

// layout returns brokers, topics and leaders, as they were a moment ago.
func (c *connections) layout(ctx context.Context) (protocol.Cluster, error) {
	if last := c.seen.Load(); last.fresh() {
		return last.cluster, nil
	}
	if c.closed.Load() {
		return protocol.Cluster{}, errClosed
	}
	cluster, err := c.look(ctx)
	if c.closed.Load() { // meanwhile: kafka-go connects again whenever it is asked
		c.transport.CloseIdleConnections()
		return protocol.Cluster{}, errClosed
	}
	return cluster, err
}

func (c *connections) look(ctx context.Context) (protocol.Cluster, error) {
	cluster, err := wire.Layout(ctx, c.transport, c.addr)
	if err != nil {
		return protocol.Cluster{}, fmt.Errorf("ask for brokers: %w", err)
	}
	if len(cluster.Brokers) == 0 { // none has answered
		return c.lastLayout(ctx)
	}
	c.seen.Store(&seen{cluster: cluster, at: time.Now()})
	return cluster, nil
}

// lastLayout is what was known before brokers stopped to answer; without that, why they don't.
func (c *connections) lastLayout(ctx context.Context) (protocol.Cluster, error) {
	if last := c.seen.Load(); last != nil {
		return last.cluster, nil
	}
	if _, err := c.client().Metadata(ctx, &kafka.MetadataRequest{}); err != nil {
		return protocol.Cluster{}, fmt.Errorf("ask for brokers: %w", err)
	}
	return protocol.Cluster{}, nil
}

// leader returns who leads a partition, as far as was known when layout was last asked. It does not wait.
func (c *connections) leader(topic string, partition int32) (int32, error) {
	last := c.seen.Load()
	if last == nil {
		return 0, protocol.NewErrNoLeader(topic, partition)
	}
	leader := last.cluster.Topics[topic].Partitions[partition].Leader
	if _, ok := last.cluster.Brokers[leader]; !ok {
		return 0, protocol.NewErrNoLeader(topic, partition)
	}
	return leader, nil
}

// relearn looks at the cluster again, for it is not what we thought. It returns when there is an answer, or after a while.
func (c *connections) relearn(ctx context.Context) {
	c.refresh()
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if last := c.seen.Load(); last != nil {
		c.seen.Store(&seen{cluster: last.cluster})
	}
	_, _ = c.layout(ctx) // what went wrong will go wrong again, and be told then
}

// send sends one of kafka-go's messages to a broker.
func (c *connections) send(ctx context.Context, broker int32, message protocol.Message) (protocol.Message, error) {
	return wire.Send(ctx, c.transport, c.addr, broker, message)
}

func (c *connections) clientID() string { return c.transport.ClientID }
