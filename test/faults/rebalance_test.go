package faults_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// TestRebalance measures how long a partition is not processed: after a clean stop, after kill -9, and while replicas join and leave
// under load.
func TestRebalance(t *testing.T) {
	skipInSample(t)
	brokers := kafkatest.One(t)
	w := newSystem(t, &brokers)
	w.start(2)
	w.load.start()
	require.Eventually(t, w.steady, time.Minute, 500*time.Millisecond, "all partitions are processed")
	w.measure("clean stop, 2 to 1", 3*time.Second, func() {
		m := w.anyTransformer()
		w.remove(m)
		require.NoError(t, m.Stop(40*time.Second), m.Output())
	})
	w.measure("one joins, 1 to 2", 3*time.Second, func() {
		require.NoError(t, w.join().AwaitReady(t.Context()))
	})
	w.measure("kill -9, 2 to 1", session+3*time.Second, func() {
		m := w.anyTransformer()
		w.remove(m)
		m.Kill()
	})
	w.measure("two join, 1 to 3", 3*time.Second, func() {
		w.join()
		require.NoError(t, w.join().AwaitReady(t.Context()))
	})
	for _, what := range []string{"clean stop, 3 to 2", "clean stop, 2 to 1"} {
		w.measure(what, 3*time.Second, func() {
			m := w.anyTransformer()
			w.remove(m)
			require.NoError(t, m.Stop(40*time.Second), m.Output())
		})
	}
	a := w.check()
	w.logf("%d records, 0 lost, 0 duplicated, 0 out of order", len(a.raw))
}

// steady reports whether every partition has had an event in the last second.
func (w *system) steady() bool {
	now := time.Now()
	recent := map[int]bool{}
	for r, err := range kafka.Scan(w.Context(), w.cluster, w.topics.Events(), now.Add(-time.Second)) {
		if err != nil {
			return false
		}
		recent[r.Partition] = true
	}
	return len(recent) == partitions
}

// measure changes the members, and logs the rate of events before, meanwhile and after, and the longest time in which a partition
// had none. The limit is for an idle machine: twice as long fails.
func (w *system) measure(what string, limit time.Duration, change func()) {
	w.Helper()
	const before, after = 3 * time.Second, 3 * time.Second
	began := time.Now()
	change()
	w.wait(limit+time.Second-time.Since(began), nil)
	ended := time.Now()
	w.wait(after, nil)
	written := map[int][]time.Time{}
	for r, err := range w.scan(w.topics.Events()) {
		require.NoError(w, err)
		written[r.Partition] = append(written[r.Partition], r.Time)
	}
	longest, where := time.Duration(0), 0
	for partition, times := range written {
		if pause := longestPause(times, began, ended); pause > longest {
			longest, where = pause, partition
		}
	}
	w.logf("%s: longest pause of a partition %s (of %d), wanted under %s; events a second before %.0f, meanwhile %.0f, after %.0f",
		what, longest.Round(10*time.Millisecond), where, limit,
		perSecond(written, began.Add(-before), began), perSecond(written, began, ended), perSecond(written, ended, ended.Add(after)))
	if !assert.Less(w, longest, 2*limit, what) {
		for _, m := range w.all() {
			w.Logf("%s: %s", m.name, lastOf(m.Output()))
		}
	}
}

// longestPause is the longest time without an event that is at least partly between two instants. The time of an event is that of
// its write.
func longestPause(times []time.Time, from, to time.Time) time.Duration {
	var longest time.Duration
	for i := 1; i < len(times); i++ {
		if times[i].After(from) && times[i-1].Before(to) {
			longest = max(longest, times[i].Sub(times[i-1]))
		}
	}
	return longest
}

func perSecond(written map[int][]time.Time, from, to time.Time) float64 {
	n := 0
	for _, times := range written {
		for _, at := range times {
			if at.After(from) && at.Before(to) {
				n++
			}
		}
	}
	return float64(n) / to.Sub(from).Seconds()
}
