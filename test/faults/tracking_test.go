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

// TestTrackingKilled ends the tracking sink with kill -9 under load. What it sends again is what had no answer yet, or had
// one so lately that the commit behind it was still on its way.
func TestTrackingKilled(t *testing.T) {
	onlyWhole(t)
	brokers := kafkatest.One(t)
	w := newWorld(t, &brokers)
	w.start(1)
	w.load.start()
	var kills []time.Time
	for range pick(t, "KILLS", 1, 8) {
		w.wait(between(w.Rand, 2*time.Second, 4*time.Second), nil)
		w.tracking.Kill()
		kills = append(kills, time.Now())
		w.tracking = w.launch("tracking")
		require.NoError(t, w.tracking.AwaitReady(t.Context()))
		w.wait(session, nil) // until the dead one's partitions are the new one's
	}
	a := w.check()
	again, all := w.door.repeated()
	oldest := w.door.oldest(kills)
	w.say("%d kills, %d records, %d commands, %d of them sent again, all of which came within %s of a kill",
		len(kills), len(a.raw), all, again, oldest.Round(time.Millisecond))
	w.toldAll(a)
	assert.Less(t, oldest, time.Second, "a commit round trip takes milliseconds")
}

// oldest is how long before a kill the earliest command came that came again.
func (d *door) oldest(kills []time.Time) time.Duration {
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

// toldAll holds what Bloomreach keeps against the raw records: an event of each charge, once, however often its webhook
// had to be sent.
func (w *world) toldAll(a *account) {
	w.Helper()
	charges := map[int64]bool{}
	for _, raw := range a.raw {
		if kindOf(raw.number) == paid {
			charges[raw.number] = true
		}
	}
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
	require.Equal(w, [3]int{}, [3]int{lost, doubled, len(kept) - len(charges)}, "charges that Bloomreach has not, has twice, or should not have")
}
