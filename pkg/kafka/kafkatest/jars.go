package kafkatest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func byJars(t testing.TB) way {
	t.Helper()
	if _, err := exec.LookPath("java"); err != nil {
		return way{why: "no java on PATH to run Kafka's jars with"}
	}
	jars := os.Getenv(jarsVariable)
	if jars == "" {
		jars = filepath.Join(root(t), ".cache", "kafka", "jars")
	}
	if found, _ := filepath.Glob(filepath.Join(jars, "kafka_*.jar")); len(found) == 0 {
		return way{why: fmt.Sprintf("no Kafka jars in %s (`make kafka-jars` fetches them)", jars)}
	}
	return way{why: "Apache Kafka from the jars in " + jars, start: func() Broker { return startJars(t, jars) }}
}

func startJars(t testing.TB, jars string) Broker {
	t.Helper()
	server, err := newServer(t.TempDir(), jars)
	require.NoError(t, err)
	require.NoError(t, server.format(t.Context()))
	t.Cleanup(server.end)
	b := Broker{t: t, addr: server.addr, ours: server}
	b.start()
	return b
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
