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

// fromContainer is a container of the available image.
func fromContainer(t testing.TB) source {
	t.Helper()
	image, reason := Image(t)
	if image == "" {
		return source{reason: reason}
	}
	return source{reason: "a container of " + reason, start: func() Broker { return startContainer(t, image) }}
}

// inside is the broker's port in its container.
const inside = "9092/tcp"

// container is Apache Kafka in a container.
type container struct{ testcontainers.Container }

// startContainer starts a broker that is configured by environment variables, as apache/kafka is. It publishes a port chosen
// beforehand, because a broker needs its advertised address at the start.
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
	b := Broker{t: t, addr: addr, control: container{c}}
	b.start()
	return b
}

// publish maps addr to the broker's port.
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
		// for the broker's requests to itself, since addr is reachable from outside the container only
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
	text, _ := io.ReadAll(reader) // as far as it can be read
	return string(text)
}
