//go:build bench

package bench

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	soakRate    = 500
	soakDefault = time.Minute
	soakMarks   = 5
)

// benchSoak runs the product under load for the duration SOAK and records the memory of each process.
func benchSoak(t *testing.T, r *report, on target) {
	t.Helper()
	lasts := soakDefault
	if lasting := os.Getenv("SOAK"); lasting != "" {
		var err error
		lasts, err = time.ParseDuration(lasting)
		require.NoError(t, err, "SOAK")
	}
	w := &watch{accepted: map[string]time.Time{}}
	sink := newDestination(0, w.accept)
	defer sink.Close()
	l := newLab(t, on)
	l.BloomreachURL = sink.URL
	roles := []string{"gateway", "transformer", "tracking"}
	processes, stop := start(t, l, roles...)
	var flowing sync.WaitGroup
	total := int(soakRate * lasts.Seconds())
	flowing.Go(func() { flow(t, l, w, soakRate, 0, total) })
	var rows [][]string
	began := time.Now()
	for mark := range soakMarks {
		after := lasts * time.Duration(mark+1) / soakMarks
		time.Sleep(time.Until(began.Add(after)))
		row := []string{after.String(), thousands(w.count())}
		for _, p := range processes {
			now, peak := residentMiB(p.PID())
			row = append(row, fmt.Sprintf("%d (%d) MiB", now, peak))
		}
		rows = append(rows, row)
	}
	flowing.Wait()
	assert.Eventually(t, func() bool { return w.has(total) }, patience, 50*time.Millisecond)
	stop()
	r.table(fmt.Sprintf("Memory under a load that lasts: %s webhooks/s for %s", thousands(soakRate), lasts),
		"On Apache Kafka, one process per role: resident, and the most so far. `make bench SOAK=5m` takes longer.",
		append([]string{"after", "delivered"}, roles...), rows)
}
