//go:build bench

package bench

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const (
	shownWebhooks = 1_000_000
	shownRounds   = 20 // webhooks of a customer
	shownBatch    = 500
)

// benchCustomer measures `rechargeflow customer`, which reads one of twelve partitions, in a topic of that many webhooks.
func benchCustomer(t *testing.T, r *report, targets []target) {
	t.Helper()
	program := binary(t, "../../cmd/rechargeflow")
	var rows [][]string
	for _, on := range targets {
		prefix := lab.RandomPrefix("bench")
		cluster := stageCluster(t, on, prefix)
		bytes := fillWebhooks(t, cluster, prefix)
		row := []string{on.name, fmt.Sprintf("%d bytes", bytes/shownWebhooks)}
		for _, flags := range [][]string{{}, {"--since", "1h"}} {
			took, entries := show(t, program, cluster, prefix, flags...)
			row = append(row, fmt.Sprintf("%.2f s", took.Seconds()), strconv.Itoa(entries))
		}
		rows = append(rows, row)
	}
	r.table(fmt.Sprintf("Customer: the timeline of one customer among %s webhooks", thousands(shownWebhooks)),
		fmt.Sprintf("Of %s customers, %d each, keyed by customer in 12 partitions, compressed with snappy; the other topics are empty. The process starts, reads the\n"+
			"partition and prints; the median of five. Half of the webhooks are older than an hour.", thousands(shownWebhooks/shownRounds), shownRounds),
		[]string{"broker", "record", "customer", "lines", "customer --since 1h", "lines"}, rows)
}

// fillWebhooks writes the webhooks as the gateway does, and returns their bytes.
func fillWebhooks(t *testing.T, cluster kafka.Cluster, prefix string) (bytes int) {
	t.Helper()
	bodies := newCustomers().take(shownWebhooks / shownRounds)
	compression, err := kafka.ParseCompression("snappy")
	require.NoError(t, err)
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{Compression: compression})
	begin := time.Now().Add(-2 * time.Hour)
	var writers errgroup.Group
	writers.SetLimit(4)
	for i := range shownRounds {
		at := begin.Add(2 * time.Hour * time.Duration(i) / shownRounds)
		for batch := range slices.Chunk(bodies, shownBatch) {
			records := make([]kafka.Record, len(batch))
			for j, w := range batch {
				webhook := admission.Webhook{
					Store: lab.Store, Topic: recharge.Topic(w.topic), Key: lab.Store + "/" + w.key, Body: w.body, Scheme: recharge.SchemeTimestamped, AddressToken: true,
				}
				records[j] = webhook.Record(prefix+"recharge.webhooks", http.Header{}, at)
				bytes += records[j].Size()
			}
			writers.Go(func() error { return producer.Produce(t.Context(), records...) })
		}
	}
	require.NoError(t, writers.Wait())
	require.NoError(t, producer.Close())
	return bytes
}

// show runs the command for the first customer, and returns the median of the times and the lines that it prints.
func show(t *testing.T, program string, cluster kafka.Cluster, prefix string, flags ...string) (took time.Duration, lines int) {
	t.Helper()
	id := strconv.Itoa(firstCustomer)
	file := t.TempDir() + "/rechargeflow.yaml"
	require.NoError(t, os.WriteFile(file, []byte("stores: [{name: "+lab.Store+"}]\n"), 0o600))
	var all []time.Duration
	for range 5 {
		command := exec.CommandContext(t.Context(), program, append([]string{"customer", id, "--config", file}, flags...)...)
		command.Env = append(os.Environ(), "RECHARGEFLOW_KAFKA_BROKERS="+strings.Join(cluster.Brokers, ","), "RECHARGEFLOW_KAFKA_TOPIC_PREFIX="+prefix)
		var failed strings.Builder
		command.Stderr = &failed
		began := time.Now()
		out, err := command.Output()
		all = append(all, time.Since(began))
		require.NoError(t, err, failed.String())
		lines = strings.Count(string(out), "\n") - 2
	}
	t.Logf("customer %v: %v", flags, all)
	slices.Sort(all)
	return all[len(all)/2], lines
}
