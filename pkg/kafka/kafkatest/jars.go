package kafkatest

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func fromJars(t testing.TB) source {
	t.Helper()
	j, err := findJava(t)
	if err != nil {
		return source{reason: err.Error()}
	}
	return source{reason: fmt.Sprintf("Apache Kafka from the jars in %s", j), start: func() Broker { return startJars(t, j) }}
}

// startJars starts a cluster of one broker.
func startJars(t testing.TB, j java) Broker {
	t.Helper()
	addrs, err := freeAddrs(2)
	require.NoError(t, err)
	client, controller := addrs[0], addrs[1]
	s := base(1, "1@"+controller).with(replicas(1)).with(properties{
		"listeners":            "PLAINTEXT://" + client + ",CONTROLLER://" + controller,
		"advertised.listeners": "PLAINTEXT://" + client,
	})
	server, err := newServer(j, directory(t), s)
	require.NoError(t, err)
	require.NoError(t, server.format(t.Context(), clusterID()))
	t.Cleanup(server.stop)
	b := Broker{t: t, addr: client, control: server}
	b.start()
	return b
}

// directory returns an empty directory for a broker. Its name has no comma, as that of a test may have: Kafka would take it for two.
func directory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "kafka") //nolint:usetesting // t.TempDir has the name of the test
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	return dir
}
