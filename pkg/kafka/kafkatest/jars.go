package kafkatest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func byJars(t testing.TB) way {
	t.Helper()
	j, err := findJava(t)
	if err != nil {
		return way{why: err.Error()}
	}
	return way{why: fmt.Sprintf("Apache Kafka from the jars in %s", j), start: func() Broker { return startJars(t, j) }}
}

// startJars starts a broker that is a cluster by itself.
func startJars(t testing.TB, j java) Broker {
	t.Helper()
	addrs, err := freeAddrs(2)
	require.NoError(t, err)
	client, controller := addrs[0], addrs[1]
	s := base(1, "1@"+controller).and(replicas(1)).and(properties{
		"listeners":            "PLAINTEXT://" + client + ",CONTROLLER://" + controller,
		"advertised.listeners": "PLAINTEXT://" + client,
	})
	server, err := newServer(j, t.TempDir(), s)
	require.NoError(t, err)
	require.NoError(t, server.format(t.Context(), clusterID()))
	t.Cleanup(server.end)
	b := Broker{t: t, addr: client, ours: server}
	b.start()
	return b
}
