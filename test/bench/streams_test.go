//go:build bench

package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/test/lab"
)

// streamsRounds is how many times each peer runs, in turn: a broker becomes faster while it is used. After streamsTime no round
// begins.
const (
	streamsRounds = 3
	streamsTime   = 3 * time.Minute
)

// streamsCommit is the commit interval of Kafka Streams for rates: its default in exactly-once mode.
const streamsCommit = 100 * time.Millisecond

// benchStreams measures the transformer's work beside the same work in a Kafka Streams application, each in a process of its own.
// Without the application it is skipped.
func benchStreams(t *testing.T, r *report, on target) {
	t.Helper()
	app, err := findStreams()
	if err != nil {
		r.note("Transformer beside Kafka Streams", fmt.Sprintf("Skipped: %s.", err))
		return
	}
	transformer := newTransformerPeer(t, on)
	compareOutputs(t, r, on, transformer, app.peer(on, streamsCommit))
	benchStreamsRates(t, r, on, []peer{transformer, app.peer(on, streamsCommit)})
	benchStreamsLatency(t, r, on, []peer{transformer, app.peer(on, 10*time.Millisecond), app.peer(on, 100*time.Millisecond)})
}

func benchStreamsRates(t *testing.T, r *report, on target, peers []peer) {
	t.Helper()
	input, began, rounds := newRateInput(), time.Now(), 0
	all := make([][][]rate, len(peers)) // by peer and input
	for i := range all {
		all[i] = make([][]rate, len(input.measured))
	}
	for ; rounds < streamsRounds && (rounds == 0 || time.Since(began) < streamsTime); rounds++ {
		for i := range peers {
			at := (rounds + i) % len(peers)
			for j, got := range measureRates(t, on, peers[at], input) {
				all[at][j] = append(all[at][j], got)
			}
		}
	}
	var rows [][]string
	for i, name := range rateNames() {
		for at, p := range peers {
			rows = append(rows, append([]string{name, p.name}, ratesRow(all[at][i])...))
		}
	}
	r.table("Transformer beside Kafka Streams: a backlog of webhooks",
		fmt.Sprintf("The same webhooks in 12 partitions of the same broker, %d rounds in turn, medians. Each program first transforms %s new\n"+
			"customers and %s webhooks of histories, which are not measured, then a backlog of %s webhooks of each input. Measured is from\n"+
			"the first commit of an input to the last before some partition is at its end. CPU is that of the process, without the\n"+
			"broker's. Memory is the peak while the input is transformed.\n%s",
			rounds, thousands(rateKnown), thousands(rateWarmUp), thousands(rateMeasured), streamsDifferences),
		[]string{"input", "program", "webhooks/s", "least to most", "CPU each", "peak memory"}, rows)
}

// streamsDifferences is what the application leaves out.
const streamsDifferences = "Kafka Streams 4.3, `exactly_once_v2`, two threads, RocksDB, one state row per customer; the transformer commits each partition by itself.\n" +
	"Kafka Streams has the easier work: no API version 2021-01 and no fields of unexpected types, no texts, no lookups and parked\n" +
	"records, no dead letters, no failed or refunded charges, no deletions of customers, no moved subscriptions, no subscriptions that\n" +
	"expire, no expiry of rows, no counters and logs of single webhooks."

func ratesRow(rounds []rate) []string {
	perSecond := func(r rate) float64 { return r.perSecond }
	slowest, fastest := slices.MinFunc(rounds, byRate), slices.MaxFunc(rounds, byRate)
	return []string{
		thousands(int(medianOf(rounds, perSecond))),
		thousands(int(slowest.perSecond)) + " to " + thousands(int(fastest.perSecond)),
		fmt.Sprintf("%.1f µs", medianOf(rounds, func(r rate) float64 { return r.cpuEach })),
		fmt.Sprintf("%.0f MiB", medianOf(rounds, func(r rate) float64 { return float64(r.peakMiB) })),
	}
}

// medianOf returns the median of one figure of the rounds.
func medianOf[T any](rounds []T, figure func(T) float64) float64 {
	figures := make([]float64, len(rounds))
	for i, r := range rounds {
		figures[i] = figure(r)
	}
	slices.Sort(figures)
	return figures[len(figures)/2]
}

func benchStreamsLatency(t *testing.T, r *report, on target, peers []peer) {
	t.Helper()
	var rows [][]string
	for _, p := range peers {
		rows = append(rows, append([]string{p.name}, measureLatency(t, on, p)...))
	}
	r.table(fmt.Sprintf("Transformer beside Kafka Streams: from the call that produces a webhook to its event at a read-committed consumer, %s/s", thousands(passRate)),
		fmt.Sprintf("%s after a backlog of %s webhooks and %s at this rate. Cores is the CPU time of the process per second.", latencyTime, thousands(latencyBacklog), latencyWarmUp),
		[]string{"program", "arrived", "p50", "p99", "greatest", "cores"}, rows)
}

// sessionTimeout is Kafka's default: the process is frozen meanwhile.
const sessionTimeout = "45s"

// newTransformerPeer is the built binary with the role transformer.
func newTransformerPeer(t *testing.T, on target) peer {
	t.Helper()
	path := binary(t, "../../cmd/rechargeflow")
	return peer{
		name:  "this one",
		group: func(prefix string) string { return prefix + "rechargeflow.transformer" },
		state: func(prefix string) []string { return []string{prefix + "recharge.state"} },
		start: func(t *testing.T, prefix string) (pid int, stop func()) {
			t.Helper()
			l, err := lab.New(t.TempDir(), path)
			require.NoError(t, err)
			t.Cleanup(l.Close)
			l.Brokers, l.Prefix, l.LogLevel, l.MoreStores = on.brokers, prefix, "warn", 1
			p, err := l.Launch(t.Context(), []string{"RECHARGEFLOW_KAFKA_SESSION_TIMEOUT=" + sessionTimeout}, "transformer")
			require.NoError(t, err)
			t.Cleanup(p.Kill)
			require.NoError(t, p.AwaitReady(t.Context()))
			return p.PID(), func() { require.NoError(t, p.Stop(patience)) }
		},
	}
}
