package kafka_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

func TestOnThreeBrokers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three brokers; run without -short")
	}
	conform(t, kafkatest.Three(t).Cluster())
}

// TestClientRack: a consumer reads from the replica in its rack, and from the leader when the replica is gone.
func TestClientRack(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three brokers; run without -short")
	}
	c := kafkatest.Three(t, kafkatest.WithProxies())
	topic := c.Topic(1)
	leader := c.Leader(topic, 0)
	rack, near := "rack-1", c.Broker(1)
	if leader.Addr() == near.Addr() {
		rack, near = "rack-2", c.Broker(2)
	}
	cluster := c.Cluster()
	cluster.Rack = rack
	var handled collector
	run(t, cluster, quick(topic, topic), zap.NewNop(), handled.handle)
	send := func(first, count int) {
		t.Helper()
		for i := range count {
			produce(t, c.Cluster(), kafka.Record{Topic: topic, Partition: 0, Value: []byte{byte(first + i)}})
		}
		eventually(t, func() bool { return handled.count() >= first+count }, "records handled")
	}
	send(0, 5)

	const fetch = 1 // https://kafka.apache.org/protocol#protocol_api_keys
	leader.Proxy().Hold(fetch)
	send(5, 5)
	require.Zero(t, leader.Proxy().Held(), "nothing was fetched from the leader")
	leader.Proxy().Release()

	near.Proxy().Refuse()
	send(10, 5)
	near.Proxy().Accept()
	send(15, 5)
	require.Len(t, handled.all(), 20, "each record once")
}
