package kafkatest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Broker is a running broker.
type Broker struct{ addr string }

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
	return Broker{addr: broker.Brokers()[0]}
}
