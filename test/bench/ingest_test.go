//go:build bench

package bench

import (
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/test/lab"
)

// benchIngest measures verified ingest. Its limit is the same HTTP server, in a process of its own likewise, with a handler
// that reads and discards the body.
func benchIngest(t *testing.T, r *report, targets []target) {
	t.Helper()
	var rows [][]string
	discard := binary(t, "./discard")
	for _, callers := range []int{1, 64, 512, 1000} {
		total := map[int]int{1: 4_000, 64: 60_000, 512: 60_000, 1000: 60_000}[callers]
		limit := discardRate(t, discard, callers, total)
		for _, on := range targets {
			rows = append(rows, ingest(t, on, callers, total, limit))
		}
	}
	r.table("Verified ingest: a signed 1.2 KB webhook, answered when Kafka has acknowledged it",
		"On Apache Kafka the gateway alone; embedded, broker, transformer and sinks work in its process meanwhile. CPU is the server's: load and\n"+
			"broker have theirs from the same cores.\n"+
			"Aims on Apache Kafka: 60 % of the limit and p99 under 8 ms at 64 callers; 1,000 callers without an error under 150 MiB.",
		[]string{"broker", "callers", "webhooks/s", "p50", "p99", "CPU each", "memory", "without a 200", "limit: body discarded, /s", "CPU each", "of the limit"}, rows)
}

func ingest(t *testing.T, on target, callers, total int, limit discarding) []string {
	t.Helper()
	sink := newDestination(0, nil)
	defer sink.Close()
	l := newLab(t, on)
	l.BloomreachURL = sink.URL
	processes, stop := start(t, l, "gateway")
	hammer(t, l.Gateway, callers, min(total/10, 5_000)) // warm
	before := cpuOf(processes[0].PID())
	each, refused, took := hammer(t, l.Gateway, callers, total)
	cpu := cpuOf(processes[0].PID()) - before
	_, peak := residentMiB(processes[0].PID())
	stop()
	rate := float64(total) / took.Seconds()
	return []string{
		on.name, fmt.Sprint(callers), thousands(int(rate)), millis(percentile(each, 50)), millis(percentile(each, 99)),
		fmt.Sprintf("%.1f µs", cpu.Seconds()*1e6/float64(total)), fmt.Sprintf("%d MiB", peak), fmt.Sprint(refused),
		thousands(int(limit.rate)), fmt.Sprintf("%.1f µs", limit.cpu.Seconds()*1e6/float64(total)), percent(rate, limit.rate),
	}
}

// discarding is the result of a server that discards the bodies.
type discarding struct {
	rate float64       // requests a second
	cpu  time.Duration // of all requests
}

// discardRate is what callers and a server reach with nothing in between.
func discardRate(t *testing.T, discard string, callers, total int) discarding {
	t.Helper()
	address, err := lab.FreeAddress()
	require.NoError(t, err)
	server := exec.CommandContext(t.Context(), discard, address)
	require.NoError(t, server.Start())
	defer func() {
		_ = server.Process.Kill() // nothing is left to do for it
		_ = server.Wait()         // the error is the kill
	}()
	require.Eventually(t, func() bool {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
	hammer(t, address, callers, min(total/10, 5_000)) // warm
	before := cpuOf(server.Process.Pid)
	_, _, took := hammer(t, address, callers, total)
	return discarding{rate: float64(total) / took.Seconds(), cpu: cpuOf(server.Process.Pid) - before}
}
