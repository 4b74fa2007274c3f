package faults_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// TestTrackingKilled kills the tracking sink with SIGKILL under load. It repeats only commands without an answer, or with one so
// recent that the commit after it was not written yet.
func TestTrackingKilled(t *testing.T) {
	skipInSample(t)
	brokers := kafkatest.One(t)
	w := newSystem(t, &brokers)
	w.start(1)
	w.load.start()
	var kills []time.Time
	for range pick(t, "KILLS", 1, 8) {
		w.wait(between(w.Rand, 2*time.Second, 4*time.Second), nil)
		w.tracking.Kill()
		kills = append(kills, time.Now())
		w.tracking = w.launch("tracking")
		require.NoError(t, w.tracking.AwaitReady(t.Context()))
		w.wait(session, nil) // until the new process has the partitions
	}
	a := w.check()
	again, all := w.bloomreach.repeated()
	oldest := w.bloomreach.oldest(kills)
	w.logf("%d kills, %d records, %d commands, %d of them sent again, all of which were sent within %s of a kill",
		len(kills), len(a.raw), all, again, oldest.Round(time.Millisecond))
	w.checkBloomreach(a)
	assert.Less(t, oldest, time.Second, "a commit round trip takes milliseconds")
}

// oldest is the longest time between a repeated command and the kill after it.
func (d *bloomreachProxy) oldest(kills []time.Time) time.Duration {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	var oldest time.Duration
	for _, times := range d.came {
		for i := range len(times) - 1 {
			age := time.Hour
			for _, kill := range kills {
				if since := kill.Sub(times[i]); since > -time.Second && since < age { // an answer may still have been on its way
					age = since
				}
			}
			oldest = max(oldest, age)
		}
	}
	return oldest
}

// checkBloomreach compares the events at Bloomreach with the raw records: one of each charge, however often its webhook was sent.
func (w *system) checkBloomreach(a *audit) {
	w.Helper()
	charges := a.paid()
	kept := map[string]int{}
	for _, e := range w.lab.Bloomreach.Events() {
		kept[fmt.Sprint(e.Properties["charge_id"])]++
	}
	lost, doubled := 0, 0
	for number := range charges {
		switch n := kept[strconv.FormatInt(number, 10)]; {
		case n == 0:
			lost++
		case n > 1:
			doubled++
		}
	}
	require.Equal(w, [3]int{}, [3]int{lost, doubled, len(kept) - len(charges)}, "charges that Bloomreach lacks, has twice, or should not have")
}
