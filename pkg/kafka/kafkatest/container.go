package kafkatest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/stretchr/testify/require"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// byImage is the image that the environment names.
func byImage(t testing.TB) way {
	t.Helper()
	image := os.Getenv(imageVariable)
	if image == "" {
		return way{why: imageVariable + " (an image of Apache Kafka) is not set"}
	}
	withoutRyuk(t)
	return way{why: fmt.Sprintf("a container of %s, which %s names", image, imageVariable), start: func() Broker { return startContainer(t, image) }}
}

// byImageHere is the first of the known images that the engine already holds.
func byImageHere(t testing.TB) way {
	t.Helper()
	withoutRyuk(t)
	here, err := imagesHere(t.Context())
	if err != nil {
		return way{why: fmt.Sprintf("no Docker engine answers (%v)", err)}
	}
	known := []string{"rechargeflow-kafka:4.3.0", "apache/kafka:4.3.0"}
	for _, image := range known {
		if slices.Contains(here, image) {
			return way{why: "a container of " + image + ", which the engine holds", start: func() Broker { return startContainer(t, image) }}
		}
	}
	return way{why: fmt.Sprintf("the Docker engine holds neither %s (`make kafka-image` builds the first)", strings.Join(known, " nor "))}
}

// withoutRyuk spares the engine testcontainers' own cleaner, one more image to pull, unless the environment says
// otherwise: a test removes its container itself. It is read once, at the first use of testcontainers.
func withoutRyuk(t testing.TB) {
	t.Helper()
	const variable = "TESTCONTAINERS_RYUK_DISABLED"
	if os.Getenv(variable) == "" {
		t.Setenv(variable, "true")
	}
}

// imagesHere lists the images that the engine holds, by name and tag.
func imagesHere(ctx context.Context) (names []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return nil, err
	}
	defer provider.Close() //nolint:errcheck // nothing is under way
	images, err := provider.ListImages(ctx)
	for _, image := range images {
		names = append(names, image.Name)
	}
	return names, err
}

// inside is where the broker listens in its container.
const inside = "9092/tcp"

// container is Apache Kafka in a container of its own.
type container struct{ testcontainers.Container }

// startContainer starts a broker that is told what to be in the way of apache/kafka. It publishes a port chosen
// beforehand, since a broker has to say at its start where clients find it.
func startContainer(t testing.TB, image string) Broker {
	t.Helper()
	addr, err := freeAddr()
	require.NoError(t, err)
	c, err := testcontainers.Run(t.Context(), image,
		testcontainers.WithEnv(settings(addr)), testcontainers.WithLogger(log.TestLogger(t)),
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

func settings(addr string) map[string]string {
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
