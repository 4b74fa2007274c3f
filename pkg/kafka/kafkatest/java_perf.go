package kafkatest

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// PerfLoad is the load that Kafka's producer generates.
type PerfLoad struct {
	Topic string
	// Records is the number of records, Size the bytes of each.
	Records, Size int
	// Warmup is how many of the records are sent before the measurement.
	Warmup int
	// PerSecond limits the records per second; 0 for no limit.
	PerSecond int
	// Properties are settings of the producer, such as linger.ms. acks is always all.
	Properties map[string]string
	// TransactionalID, if set, makes the producer commit a transaction every TransactionTime.
	TransactionalID string
	TransactionTime time.Duration
}

// Perf is what Kafka's producer measured. Latency is the time from sending a record to its acknowledgement, which in
// transactions comes before the commit.
type Perf struct {
	Records                       int
	PerSecond, MegabytesPerSecond float64 // megabytes of 2^20 bytes
	Mean, Max, P50, P95, P99      time.Duration
}

// String returns the measurement as one line.
func (p Perf) String() string {
	return fmt.Sprintf("%d records, %.0f/s, %.1f MB/s, mean %s, p50 %s, p95 %s, p99 %s, max %s",
		p.Records, p.PerSecond, p.MegabytesPerSecond, p.Mean, p.P50, p.P95, p.P99, p.Max)
}

// JavaPerf runs Kafka's ProducerPerformance, with Java's optimizing compiler and 1 GB of memory.
func JavaPerf(t testing.TB, cluster kafka.Cluster, load PerfLoad) Perf {
	t.Helper()
	j := needJava(t)
	ctx, cancel := context.WithTimeout(t.Context(), javaTimeout)
	defer cancel()
	options := []string{"-Xmx1g", "-XX:TieredStopAtLevel=4"}
	command := j.command(ctx, options, "org.apache.kafka.tools.ProducerPerformance", load.arguments(cluster)...)
	output, err := command.CombinedOutput()
	require.NoErrorf(t, err, "Kafka's ProducerPerformance: %s", output)
	perf, err := parsePerf(string(output))
	require.NoErrorf(t, err, "Kafka's ProducerPerformance: %s", output)
	return perf
}

func (l PerfLoad) arguments(cluster kafka.Cluster) []string {
	rate := -1
	if l.PerSecond > 0 {
		rate = l.PerSecond
	}
	arguments := []string{
		"--bootstrap-server", strings.Join(cluster.Brokers, ","), "--topic", l.Topic, "--num-records", strconv.Itoa(l.Records),
		"--record-size", strconv.Itoa(l.Size), "--throughput", strconv.Itoa(rate),
	}
	if l.Warmup > 0 {
		arguments = append(arguments, "--warmup-records", strconv.Itoa(l.Warmup))
	}
	if l.TransactionalID != "" {
		arguments = append(arguments, "--transactional-id", l.TransactionalID,
			"--transaction-duration-ms", strconv.FormatInt(l.TransactionTime.Milliseconds(), 10))
	}
	arguments = append(arguments, "--command-property", "acks=all")
	for _, key := range slices.Sorted(maps.Keys(l.Properties)) {
		arguments = append(arguments, key+"="+l.Properties[key])
	}
	return arguments
}

// perfLine matches a line such as
//
//	50000 records sent, 83472.454 records/sec (95.53 MB/sec), 12.34 ms avg latency, 232.00 ms max latency, 6 ms 50th, 56 ms 95th, 75 ms 99th, 80 ms 99.9th.
var perfLine = regexp.MustCompile(`(\d+)(?: steady state)? records sent, ([\d.]+) records/sec \(([\d.]+) MB/sec\), ` +
	`([\d.]+) ms avg latency, ([\d.]+) ms max latency, (\d+) ms 50th, (\d+) ms 95th, (\d+) ms 99th`)

// parsePerf parses the last summary, which is the one after the warm-up.
func parsePerf(output string) (Perf, error) {
	all := perfLine.FindAllStringSubmatch(output, -1)
	if len(all) == 0 {
		return Perf{}, fmt.Errorf("no summary in the output")
	}
	var values []float64
	for _, digits := range all[len(all)-1][1:] {
		value, err := strconv.ParseFloat(digits, 64)
		if err != nil {
			return Perf{}, err
		}
		values = append(values, value)
	}
	ms := func(value float64) time.Duration { return time.Duration(value * float64(time.Millisecond)) }
	return Perf{
		Records: int(values[0]), PerSecond: values[1], MegabytesPerSecond: values[2],
		Mean: ms(values[3]), Max: ms(values[4]), P50: ms(values[5]), P95: ms(values[6]), P99: ms(values[7]),
	}, nil
}
