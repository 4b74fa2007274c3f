//go:build bench

package bench

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const (
	// rateKnown is how many customers are known before the measurement, rateMeasured how many webhooks each input has.
	rateKnown    = 150_000
	rateMeasured = 120_000
	// rateWarmUp is how many webhooks of other histories come before, for compilers that learn from them.
	rateWarmUp  = 40_000
	firstWarmUp = 5_000_000 // the number of their first customer
)

// rateInput is what a peer transforms one after the other: what comes before, and the inputs that are measured.
type rateInput struct {
	before   []webhook
	measured [][]webhook
}

func newRateInput() rateInput {
	customers := newCustomers().take(rateKnown + rateMeasured)
	return rateInput{
		before:   slices.Concat(customers[:rateKnown], historiesFrom(firstWarmUp).take(rateWarmUp)),
		measured: [][]webhook{customers[rateKnown:], wholeHistories().take(rateMeasured)},
	}
}

func rateNames() []string { return []string{newCustomers().name, wholeHistories().name} }

// rate is what a peer reached with an input.
type rate struct {
	perSecond, cpuEach float64 // CPU in microseconds
	peakMiB            int
}

func byRate(a, b rate) int { return cmp.Compare(a.perSecond, b.perSecond) }

// measureRates lets a peer transform the inputs. It is frozen while an input is written, so that all its threads begin together.
func measureRates(t *testing.T, on target, p peer, input rateInput) (rates []rate) {
	t.Helper()
	prefix := lab.RandomPrefix("streams")
	topic := topology.Topics{Prefix: prefix}.Webhooks()
	cluster := stageCluster(t, on, prefix)
	progress := newProgress(t, on, p.group(prefix), topic)
	producer := snappyProducer(t, cluster)
	pid, stop := p.start(t, prefix)
	produceRaw(t, producer, topic, input.before)
	for _, webhooks := range input.measured {
		progress.awaitQuiet(t)
		signal(t, pid, syscall.SIGSTOP)
		w := &window{from: progress.end(t), pid: pid}
		produceRaw(t, producer, topic, webhooks)
		w.till = progress.end(t)
		signal(t, pid, syscall.SIGCONT)
		progress.watch(t, w.see)
		rates = append(rates, w.rate(t))
	}
	require.NoError(t, producer.Close())
	stop()
	deleteTopics(t, cluster, prefix)
	return rates
}

func signal(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, s))
}

// window measures between two commits: from the first of the input to the last before which some partition is at its end. Kafka
// Streams reads a megabyte of one partition after the other, so partitions are thousands of records apart.
type window struct {
	from, till   offsets
	pid          int
	began, ended mark
	peak         int
}

// mark is how far a process had come, and what it had used.
type mark struct {
	at   time.Time
	cpu  time.Duration
	done int64
}

// see records a commit and reports whether the measurement goes on.
func (w *window) see(at time.Time, committed offsets) bool {
	if committed.sum() <= w.from.sum() {
		return true
	}
	m := mark{at: at, cpu: cpuOf(w.pid), done: committed.sum()}
	switch {
	case w.began.at.IsZero():
		w.began, w.ended = m, m
		forgetPeak(w.pid)
	case committed.anyFrom(w.till):
		_, w.peak = residentMiB(w.pid)
		return false
	case m.done > w.ended.done:
		w.ended = m
	}
	return true
}

func (w *window) rate(t *testing.T) rate {
	t.Helper()
	n, took := float64(w.ended.done-w.began.done), w.ended.at.Sub(w.began.at)
	t.Logf("measured %s of %s webhooks in %s", thousands(int(n)), thousands(rateMeasured), took.Round(time.Millisecond))
	require.Positivef(t, n, "a partition was at its end at the first commit of %d webhooks", rateMeasured)
	return rate{perSecond: n / took.Seconds(), cpuEach: (w.ended.cpu - w.began.cpu).Seconds() * 1e6 / n, peakMiB: w.peak}
}

// forgetPeak starts a new peak of a process's memory (https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html).
func forgetPeak(pid int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0) // where it is not permitted, the peak is that of the whole run
}

// snappyProducer compresses as the gateway does by default.
func snappyProducer(t *testing.T, cluster kafka.Cluster) *kafka.Producer {
	t.Helper()
	compression, err := kafka.ParseCompression(streamsCompression)
	require.NoError(t, err)
	return kafka.NewProducer(cluster, kafka.ProducerConfig{Compression: compression})
}

// produceRaw writes webhooks of the store without texts.
func produceRaw(t *testing.T, producer *kafka.Producer, topic string, webhooks []webhook) {
	t.Helper()
	now := time.Now().UTC()
	for some := range slices.Chunk(webhooks, 1000) {
		records := make([]kafka.Record, len(some))
		for i, w := range some {
			records[i] = rawRecord(topic, eventsStore, w, now)
		}
		require.NoError(t, producer.Produce(t.Context(), records...))
	}
}
