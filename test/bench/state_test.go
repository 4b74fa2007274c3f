//go:build bench

package bench

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/embedded"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const (
	stateCustomers  = 1_000_000 // customers
	statePartitions = 12
)

// benchState measures how long a process needs to restore the state of that many customers, in three or four rows each, and the cost
// of a row then. Its limit reads the same records and stores none.
func benchState(t *testing.T, r *report, targets []target) {
	t.Helper()
	var rows [][]string
	for _, on := range targets {
		cluster := kafka.Cluster{Brokers: on.brokers, ClientID: "bench"}
		if len(on.brokers) == 0 {
			broker, err := embedded.Start(embedded.Config{Dir: t.TempDir()}, zap.NewNop())
			require.NoError(t, err)
			defer broker.Close() //nolint:errcheck // it is measured
			cluster.Brokers = broker.Brokers()
		}
		c := restore(t, cluster, fillState(t, cluster))
		rows = append(rows, []string{
			on.name, fmt.Sprintf("%.1f s", c.Restore.Seconds), fmt.Sprintf("%.1f s", c.Restore.CPU), fmt.Sprintf("%.1f s", c.Read.Seconds), fmt.Sprintf("%.1f s", c.Read.CPU),
			fmt.Sprintf("%.2f s", c.Again.Seconds), fmt.Sprintf("%d MB", c.RestoredBytes>>20), fmt.Sprintf("%d MB", c.PeakBytes>>20),
			fmt.Sprintf("%d MB", c.FolderBytes>>20), micros(c.Get), micros(c.Set),
		})
	}
	r.table(fmt.Sprintf("State: %s customers, 700 bytes each in three or four rows, restored by one process", thousands(stateCustomers)),
		"Get and set are of rows of customers at random, 100 to a transaction; set includes the record and the local write.",
		[]string{"broker", "restore", "CPU", "limit: read alone", "CPU", "again, from the directory", "memory restored", "memory at work", "directory", "get", "set"}, rows)
}

// fillState writes a changelog as transactions of 1,000 rows would have.
func fillState(t *testing.T, cluster kafka.Cluster) (topic string) {
	t.Helper()
	topic = lab.RandomPrefix("bench") + "state"
	_, err := admin.Apply(t.Context(), cluster, admin.Spec{Topics: []admin.TopicSpec{{
		Name: topic, Partitions: statePartitions, Replication: 1,
		Configs: map[string]string{"cleanup.policy": "compact", "segment.bytes": "67108864"},
	}}})
	require.NoError(t, err)
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	var records []kafka.Record
	for id := range stateCustomers {
		record := func(kind string, size int) {
			records = append(records, kafka.Record{
				Topic: topic, Partition: id % statePartitions, Key: fmt.Appendf(nil, "shop/%d/%s", id, kind), Value: stateRow(id, size),
			})
		}
		record("c", 300)
		record("s1", 250-id%2*100)
		if id%2 == 1 {
			record("s2", 150)
		}
		record("f", 100)
		if len(records) >= 1000 || id == stateCustomers-1 {
			require.NoError(t, producer.Produce(t.Context(), records...))
			records = records[:0]
		}
	}
	require.NoError(t, producer.Close())
	return topic
}

// stateRow is text and numbers that differ, as names, ids and hashes do.
func stateRow(id, size int) []byte {
	row := fmt.Appendf(nil, `{"id":%d,"email":"customer-%d@example.com","updated":"2026-10-%02dT12:00:00Z","facts":"`, id, id*7919, 1+id%28)
	for n := uint64(id + 1); len(row) < size-2; n = n*6364136223846793005 + 1442695040888963407 {
		row = fmt.Appendf(row, "%016x", n)
	}
	return append(row[:size-2], `"}`...)
}

// usedUp is time by the wall and by the CPUs, in seconds.
type usedUp struct{ Seconds, CPU float64 }

func micros(u usedUp) string { return fmt.Sprintf("%.1f µs (%.1f of CPU)", u.Seconds*1e6, u.CPU*1e6) }

// restored is what the program restore prints.
type restored struct {
	Read, Restore, Again, Get, Set        usedUp
	RestoredBytes, PeakBytes, FolderBytes int64
}

func restore(t *testing.T, cluster kafka.Cluster, topic string) (c restored) {
	t.Helper()
	command := exec.CommandContext(t.Context(), binary(t, "./restore"), "-brokers", cluster.Brokers[0], "-topic", topic,
		"-partitions", fmt.Sprint(statePartitions), "-dir", t.TempDir(), "-customers", fmt.Sprint(stateCustomers))
	out, err := command.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &c))
	return c
}
