//go:build bench

package bench

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/test/lab"
)

// benchEndToEnd sends at a fixed rate, whatever the answers, and measures from a
// webhook's 200 to the moment at which the destination takes its event.
func benchEndToEnd(t *testing.T, r *report, targets []target) {
	t.Helper()
	var rows [][]string
	for i, on := range targets {
		for _, rate := range []int{100, 1000} {
			rows = append(rows, endToEnd(t, on, rate, fmt.Sprintf("e2e%d-%d.", i, rate)))
		}
	}
	r.table("End to end: a webhook's 200 to its event accepted by the destination, 15 s at a fixed rate, one process per role",
		[]string{"broker", "webhooks/s", "delivered", "p50", "p99", "answer p50", "answer p99"}, rows)
}

func endToEnd(t *testing.T, on target, rate int, prefix string) []string {
	t.Helper()
	var mu sync.Mutex
	answered, accepted := map[string]time.Time{}, map[string]time.Time{}
	sink := newDestination(0, func(id string) {
		mu.Lock()
		defer mu.Unlock()
		accepted[id] = time.Now()
	})
	defer sink.Close()
	l := newLab(t, on, prefix)
	l.BloomreachURL = sink.URL
	processes := make([]*lab.Process, 0, 3)
	for _, role := range []string{"gateway", "transformer", "tracking"} {
		p, err := l.Start(t.Context(), role)
		require.NoError(t, err)
		processes = append(processes, p)
	}
	total := 15 * rate
	client := newClient(256)
	defer client.CloseIdleConnections()
	var answers []time.Duration
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for id := range total {
		<-tick.C
		all.Go(func() {
			request, err := signed(t.Context(), l.Gateway, webhookBody(id, time.Now()))
			start := time.Now()
			if err != nil || send(client, request) != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			answers = append(answers, time.Since(start))
			answered[strconv.Itoa(1_000_000+id)] = time.Now()
		})
	}
	all.Wait()
	assert.Eventually(t, func() bool { return sinkHas(&mu, accepted, total) }, time.Minute, 50*time.Millisecond)
	for _, p := range processes {
		require.NoError(t, p.Stop(30*time.Second))
	}
	var each []time.Duration
	for id, at := range answered {
		if end, ok := accepted[id]; ok {
			each = append(each, max(0, end.Sub(at)))
		}
	}
	return []string{
		on.name, thousands(rate), fmt.Sprintf("%s of %s", thousands(len(each)), thousands(total)),
		millis(percentile(each, 50)), millis(percentile(each, 99)), millis(percentile(answers, 50)), millis(percentile(answers, 99)),
	}
}

func sinkHas(mu *sync.Mutex, accepted map[string]time.Time, total int) bool {
	mu.Lock()
	defer mu.Unlock()
	return len(accepted) >= total
}
