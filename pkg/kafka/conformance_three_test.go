package kafka_test

import (
	"fmt"
	"net"
	"strconv"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
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
	run(t, cluster, quick(coordinatedBy(t, leader.Addr(), cluster), topic), zap.NewNop(), handled.handle)
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

// coordinatedBy returns a group whose coordinator is the broker at addr: it stays in reach when the others don't.
func coordinatedBy(t *testing.T, addr string, cluster kafka.Cluster) (group string) {
	t.Helper()
	ofCoordinator(t, cluster, func(client *kafkago.Client) error {
		for i := range 100 {
			group = fmt.Sprintf("g-%d", i)
			answer, err := client.FindCoordinator(t.Context(), &kafkago.FindCoordinatorRequest{Key: group, KeyType: kafkago.CoordinatorKeyTypeConsumer})
			switch {
			case err != nil:
				return err
			case answer.Error != nil:
				return answer.Error
			case net.JoinHostPort(answer.Coordinator.Host, strconv.Itoa(answer.Coordinator.Port)) == addr:
				return nil
			}
		}
		return fmt.Errorf("none of 100 groups is coordinated by %s", addr)
	})
	return group
}
