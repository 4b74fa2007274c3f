package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

const (
	addrVariable = "RECHARGEFLOW_TEST_KAFKA"
	jarsVariable = "RECHARGEFLOW_KAFKA_JARS"
	startTimeout = 60 * time.Second
)

// RealBroker is Apache Kafka: one process that is broker and controller.
type RealBroker struct {
	Broker
	t      testing.TB
	server *server // nil when the broker is not ours
}

// Real returns an Apache Kafka broker: the one at RECHARGEFLOW_TEST_KAFKA (host:port) where that is set, else one started
// from the jars in RECHARGEFLOW_KAFKA_JARS or .cache/kafka/jars of the repository, and ended with the test. Without
// either it skips the test.
func Real(t testing.TB) *RealBroker {
	t.Helper()
	if addr := os.Getenv(addrVariable); addr != "" {
		return &RealBroker{Broker: Broker{addr: addr}, t: t}
	}
	jars := findJars(t)
	server, err := newServer(t.TempDir(), jars)
	require.NoError(t, err)
	b := &RealBroker{Broker: Broker{addr: server.addr}, t: t, server: server}
	require.NoError(t, server.format(t.Context()))
	b.Restart()
	t.Cleanup(b.server.kill)
	return b
}

// Kill ends the broker as kill -9 does.
func (b *RealBroker) Kill() {
	b.t.Helper()
	b.mustBeOurs()
	b.server.kill()
}

// Restart starts the broker again, with the records it had, and returns when it answers.
func (b *RealBroker) Restart() {
	b.t.Helper()
	b.mustBeOurs()
	b.server.kill()
	require.NoError(b.t, b.server.start())
	ctx, cancel := context.WithTimeout(b.t.Context(), startTimeout)
	defer cancel()
	require.NoError(b.t, b.server.awaitReady(ctx))
}

func (b *RealBroker) mustBeOurs() {
	b.t.Helper()
	if b.server == nil {
		b.t.Skipf("the broker at %s (%s) is not the test's to stop", b.Addr(), addrVariable)
	}
}

func findJars(t testing.TB) string {
	t.Helper()
	if _, err := exec.LookPath("java"); err != nil {
		t.Skipf("no java on PATH to run Kafka with; or give the host:port of a broker in %s", addrVariable)
	}
	jars := os.Getenv(jarsVariable)
	if jars == "" {
		jars = filepath.Join(root(t), ".cache", "kafka", "jars")
	}
	if found, _ := filepath.Glob(filepath.Join(jars, "kafka_*.jar")); len(found) == 0 {
		t.Skipf("no Kafka jars in %s: fetch them with `make kafka-jars`, or give the host:port of a broker in %s", jars, addrVariable)
	}
	return jars
}

// root returns the folder of go.mod.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	require.Fail(t, "no go.mod above the test's folder")
	return ""
}

// freeAddr returns an address of this machine that nothing listens on right now.
func freeAddr() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a loopback port needs no context
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// answers creates a topic, which a broker can do only when all of it is up, its controller included. The topic stays.
func answers(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	spec := kafka.Spec{Topics: []kafka.TopicSpec{{Name: "kafkatest-ready", Partitions: 1, Replication: 1}}}
	if _, err := kafka.Apply(ctx, clusterAt(addr), spec); err != nil {
		return err
	}
	producer := kafka.NewProducer(clusterAt(addr))
	err := producer.Produce(ctx, kafka.Record{Topic: "kafkatest-ready", Value: []byte("ready")})
	return errors.Join(err, producer.Close())
}
