//go:build bench

package bench

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/embedded"
	"github.com/rechargeflow/rechargeflow/test/histories"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// benchCompression measures what each codec costs the gateway's producer and the transformer, and what it saves.
func benchCompression(t *testing.T, r *report, on target) {
	t.Helper()
	cluster := clusterOf(t, on)
	bodies, size := recordedBodies()
	var rows, transformed [][]string
	for _, name := range []string{"none", "lz4", "snappy", "zstd", "gzip"} {
		compression, err := kafka.ParseCompression(name)
		require.NoError(t, err)
		for _, callers := range []int{1, 64} {
			topic := newTopic(t, cluster, partitions)
			send, end := ours(kafka.ProducerConfig{Compression: compression})(cluster, topic)
			got := drive(t, callers, bodies, send)
			require.NoError(t, end())
			deleteTopic(t, cluster, topic)
			rows = append(rows, []string{
				name, fmt.Sprint(callers), thousands(int(got.rate())), millis(percentile(got.each, 50)), millis(percentile(got.each, 99)),
				fmt.Sprintf("%.1f µs", got.cpuEach()), fmt.Sprintf("%.0f B", kept(t, compression, callers, bodies)),
			})
		}
		transformed = append(transformed, compressedTransform(t, on, name, compression))
	}
	r.table(fmt.Sprintf("Compression: webhooks as Recharge sends them, %d bytes in the mean, through the producer", size),
		"Speed on Apache Kafka, space in the embedded broker's directory.",
		[]string{"codec", "callers", "records/s", "p50", "p99", "CPU each", "kept, each"}, rows)
	r.table(fmt.Sprintf("Compression: %s webhooks of 1.2 KB through the transformer on Apache Kafka", thousands(compressedWebhooks)),
		"Webhooks and events are compressed. In blocks of a thousand, as they are here, they are smaller than one by one.",
		[]string{"codec", "webhooks/s", "CPU each"}, transformed)
}

// recordedBodies are the webhooks of many customers, and their mean size.
func recordedBodies() (body, int) {
	type record struct{ key, value []byte }
	var records []record
	size := 0
	for customer := range 2000 {
		actions := histories.Recorded()
		of := histories.Customer{Number: customer, Items: 5, Included: true, Seed: uint64(customer)}
		for _, d := range of.Burst(actions[customer%len(actions)], time.Now()) {
			body := d.Body()
			records = append(records, record{fmt.Appendf(nil, "%s/%d", lab.Store, customer), body})
			size += len(body)
		}
	}
	return func(caller, n int) (k, v []byte) {
		one := records[(caller*7919+n)%len(records)]
		return one.key, one.value
	}, size / len(records)
}

// kept is how many bytes a record takes in an embedded broker's directory.
func kept(t *testing.T, compression kafka.Compression, callers int, body body) float64 {
	t.Helper()
	dir := t.TempDir()
	broker, err := embedded.Start(embedded.Config{Dir: dir}, zap.NewNop())
	require.NoError(t, err)
	cluster := kafka.Cluster{Brokers: broker.Brokers(), ClientID: "bench"}
	topic := newTopic(t, cluster, partitions)
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{Compression: compression})
	before := folderSize(t, dir)
	const each = 200
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for n := range each {
				key, value := body(caller, n)
				assert.NoError(t, producer.Produce(t.Context(), kafka.Record{Topic: topic, Partition: kafka.ByKey, Key: key, Value: value}))
			}
		})
	}
	all.Wait()
	require.NoError(t, producer.Close())
	require.NoError(t, broker.Close())
	return float64(folderSize(t, dir)-before) / float64(each*callers)
}

func folderSize(t *testing.T, dir string) (size int64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	}))
	return size
}

const compressedWebhooks = 50_000

func compressedTransform(t *testing.T, on target, name string, compression kafka.Compression) []string {
	t.Helper()
	prefix := lab.RandomPrefix("compression")
	cluster := stageCluster(t, on, prefix)
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{Compression: compression})
	run := newRuntime(prefix, producer)
	fill(t, producer, run.Topics.Webhooks(), newCustomers().take(compressedWebhooks))
	stage := transformer(t, cluster, run)
	with := transactions(stage)
	with.Compression = compression
	c := transform(t, cluster, stage.Group, run.Topics.Webhooks(), compressedWebhooks, with)
	require.NoError(t, producer.Close())
	return []string{name, perSecond(compressedWebhooks, c.took), fmt.Sprintf("%.1f µs", c.cpu.Seconds()*1e6/compressedWebhooks)}
}
