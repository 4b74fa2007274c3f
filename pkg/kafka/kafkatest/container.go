package kafkatest

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/stretchr/testify/require"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// byContainer is a container of the image that can be had here.
func byContainer(t testing.TB) way {
	t.Helper()
	image, why := Image(t)
	if image == "" {
		return way{why: why}
	}
	return way{why: "a container of " + why, start: func() Broker { return startContainer(t, image) }}
}

// inside is where the broker listens in its container.
const inside = "9092/tcp"

// container is Apache Kafka in a container of its own.
type container struct{ testcontainers.Container }

// startContainer starts a broker that is told what to be in the way of apache/kafka. It publishes a port chosen
// beforehand, since a broker has to say at its start where clients find it.
func startContainer(t testing.TB, image string) Broker {
	t.Helper()
	withoutRyuk(t)
	addr, err := freeAddr()
	require.NoError(t, err)
	c, err := testcontainers.Run(t.Context(), image,
		testcontainers.WithEnv(environment(addr)), testcontainers.WithLogger(log.TestLogger(t)),
		testcontainers.WithExposedPorts(inside), testcontainers.WithHostConfigModifier(publish(addr)), testcontainers.WithNoStart())
	testcontainers.CleanupContainer(t, c)
	require.NoError(t, err)
	b := Broker{t: t, addr: addr, ours: container{c}}
	b.start()
	return b
}

// publish makes addr lead to the broker's port.
func publish(addr string) func(*api.HostConfig) {
	outside := netip.MustParseAddrPort(addr)
	binding := network.PortBinding{HostIP: outside.Addr(), HostPort: strconv.Itoa(int(outside.Port()))}
	return func(config *api.HostConfig) {
		config.PortBindings = network.PortMap{network.MustParsePort(inside): {binding}}
	}
}

func environment(addr string) map[string]string {
	return map[string]string{
		"CLUSTER_ID":                      "4L6g3nShT-eMCtK--X86sw",
		"KAFKA_NODE_ID":                   "1",
		"KAFKA_PROCESS_ROLES":             "broker,controller",
		"KAFKA_CONTROLLER_QUORUM_VOTERS":  "1@" + net.JoinHostPort("localhost", "9093"),
		"KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
		// the broker ends transactions through a listener of its own: addr leads to it from outside only
		"KAFKA_LISTENERS":                                "PLAINTEXT://:9092,INSIDE://localhost:9094,CONTROLLER://localhost:9093",
		"KAFKA_ADVERTISED_LISTENERS":                     "PLAINTEXT://" + addr + ",INSIDE://localhost:9094",
		"KAFKA_LISTENER_SECURITY_PROTOCOL_MAP":           "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT",
		"KAFKA_INTER_BROKER_LISTENER_NAME":               "INSIDE",
		"KAFKA_LOG_DIRS":                                 "/var/lib/kafka/data",
		"KAFKA_AUTO_CREATE_TOPICS_ENABLE":                "false",
		"KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS":         "0",
		"KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR":         "1",
		"KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS":             "3",
		"KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
		"KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS":     "3",
		"KAFKA_TRANSACTION_STATE_LOG_MIN_ISR":            "1",
		"KAFKA_MIN_INSYNC_REPLICAS":                      "1",
	}
}

func (c container) start(ctx context.Context) error { return c.Start(ctx) }

func (c container) kill(ctx context.Context) error {
	at := time.Duration(0)
	return c.Stop(ctx, &at)
}

func (c container) log(ctx context.Context) string {
	reader, err := c.Logs(ctx)
	if err != nil {
		return ""
	}
	defer reader.Close()          //nolint:errcheck // only read
	text, _ := io.ReadAll(reader) // as much as there is
	return string(text)
}
