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
	"github.com/rechargeflow/rechargeflow/pkg/kafka/embedded"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const (
	stateCustomers  = 1_000_000 // customers
	statePartitions = 12
)

// benchState measures how long a process needs to restore the state of that many customers, and the cost of a customer's row
// then. Its limit reads the same records and stores none.
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
	r.table(fmt.Sprintf("State: %s customers with one or two subscriptions each, restored by one process", thousands(stateCustomers)),
		"A customer has one row, and one for the owner of each subscription, as the transformer writes them.\n"+
			"Get and set are of rows of customers at random, 100 to a transaction; set includes the record and the local write.",
		[]string{"broker", "restore", "CPU", "limit: read alone", "CPU", "again, from the directory", "memory restored", "memory at work", "directory", "get", "set"}, rows)
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
		"-partitions", fmt.Sprint(statePartitions), "-dir", t.TempDir(), "-customers", fmt.Sprint(stateCustomers),
		"-rows", fmt.Sprintf("customer/%s/", lab.Store), "-first", fmt.Sprint(firstCustomer))
	out, err := command.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &c))
	return c
}
