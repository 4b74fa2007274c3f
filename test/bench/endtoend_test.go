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

// warmUp and measured are how long webhooks are sent before and during the measurement.
const (
	warmUp   = 5 * time.Second
	measured = 15 * time.Second
)

// benchEndToEnd sends at a fixed rate, independent of the answers, and measures from a webhook's 200 until the destination accepts
// its event.
func benchEndToEnd(t *testing.T, r *report, targets []target) {
	t.Helper()
	var rows [][]string
	for _, on := range targets {
		for _, rate := range []int{100, 1000} {
			rows = append(rows, endToEnd(t, on, rate))
		}
	}
	r.table("End to end: a webhook's 200 to its event accepted by the destination",
		fmt.Sprintf("%s at a fixed rate, after %s to warm up; one process per role, embedded all in one.", measured, warmUp),
		[]string{"broker", "webhooks/s", "delivered", "p50", "p99", "answer p50", "answer p99"}, rows)
}

func endToEnd(t *testing.T, on target, rate int) []string {
	t.Helper()
	w := &watch{accepted: map[string]time.Time{}}
	sink := newDestination(0, w.accept)
	defer sink.Close()
	l := newLab(t, on)
	l.BloomreachURL = sink.URL
	_, stop := start(t, l, "gateway", "transformer", "tracking")
	warm, total := rate*int(warmUp.Seconds()), rate*int(measured.Seconds())
	flow(t, l, w, rate, total, total+warm)
	require.Eventually(t, func() bool { return w.has(warm) }, time.Minute, 50*time.Millisecond)
	answered, answers := flow(t, l, w, rate, 0, total)
	assert.Eventually(t, func() bool { return w.has(warm + total) }, time.Minute, 50*time.Millisecond)
	stop()
	var each []time.Duration
	for id, at := range answered {
		if end, ok := w.accepted[id]; ok {
			each = append(each, max(0, end.Sub(at)))
		}
	}
	return []string{
		on.name, thousands(rate), fmt.Sprintf("%s of %s", thousands(len(each)), thousands(total)),
		millis(percentile(each, 50)), millis(percentile(each, 99)), millis(percentile(answers, 50)), millis(percentile(answers, 99)),
	}
}

// watch records when the destination accepted the event of each subscription.
type watch struct {
	mu       sync.Mutex
	accepted map[string]time.Time
}

func (w *watch) accept(subscriptionID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accepted[subscriptionID] = time.Now()
}

func (w *watch) has(total int) bool { return w.count() >= total }

func (w *watch) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.accepted)
}

// flow sends the webhooks from one id up to another at a rate, and returns when each got its 200 and how long that took.
func flow(t *testing.T, l *lab.Lab, w *watch, rate, from, to int) (answered map[string]time.Time, answers []time.Duration) {
	t.Helper()
	client := newClient(256)
	defer client.CloseIdleConnections()
	answered = map[string]time.Time{}
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for id := from; id < to; id++ {
		<-tick.C
		all.Go(func() {
			request, err := signed(t.Context(), l.Gateway, webhookBody(id, time.Now()))
			start := time.Now()
			if err != nil || send(client, request) != nil {
				return
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			answers = append(answers, time.Since(start))
			answered[strconv.Itoa(1_000_000+id)] = time.Now()
		})
	}
	all.Wait()
	return answered, answers
}
