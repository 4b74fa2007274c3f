package faults_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// TestStepsKilled kills a transformer with SIGKILL between each two steps of its transactions.
func TestStepsKilled(t *testing.T) {
	parallelInSample(t)
	w, records := newStepsSystem(t), 0
	chosen := w.pointsOf(1)
	for _, p := range chosen {
		m := w.joinAt("kill", p)
		require.Truef(t, w.reach(p, m.Ended()) && m.reached(), "%s was not reached: %s", p.name, lastOf(m.Output()))
		w.logf("%s was killed at %q", m.name, p.name)
		w.remove(m)
		records = len(w.check().raw)
		w.requireAlive()
		w.load.start()
	}
	require.NoError(t, w.load.rest())
	w.logf("%d steps killed at, %d records, 0 lost, 0 duplicated, 0 out of order", len(chosen), records)
}

// TestStepsFrozen makes a transformer a zombie between each two steps of its transactions: it is frozen there until another has owned
// its partitions for a while, and then continues.
func TestStepsFrozen(t *testing.T) {
	parallelInSample(t)
	w, records := newStepsSystem(t), 0
	chosen := w.pointsOf(1)
	for _, p := range chosen {
		m := w.joinAt("freeze", p)
		require.Truef(t, w.reach(p, w.reachedOrEnded(m)) && m.reached(), "%s was not reached: %s", p.name, lastOf(m.Output()))
		w.logf("%s is frozen at %q", m.name, p.name)
		w.wait(session+between(w.Rand, 1500*time.Millisecond, 4*time.Second), nil)
		require.NoError(t, m.Thaw())
		w.wait(between(w.Rand, time.Second, 3*time.Second), nil)
		records = len(w.check().raw)
		w.requireAlive()
		require.NoError(t, m.Stop(40*time.Second), m.Output())
		w.remove(m)
		w.load.start()
	}
	require.NoError(t, w.load.rest())
	w.logf("%d zombies, %d records, 0 lost, 0 duplicated, 0 out of order", len(chosen), records)
}

// newStepsSystem is one transformer under load, on a broker of Apache Kafka.
func newStepsSystem(t *testing.T) *system {
	t.Helper()
	brokers := kafkatest.One(t, kafkatest.WithProxies())
	w := newSystem(t, &brokers)
	w.start(1)
	w.load.start()
	return w
}

// pointsOf are all points, some in the sample.
func (w *system) pointsOf(sample int) []point {
	all := slices.DeleteFunc(points(), func(p point) bool { return p.when == firstOwner || p.when == muchToRead })
	w.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:pick(w.T, "STEPS", sample, len(all))]
}

// joinAt starts a transformer that is killed or frozen at the point.
func (w *system) joinAt(act string, p point) *member {
	return w.join(fmt.Sprintf("FAULTPOINT=%s %s:%d", act, p.name, 1+w.IntN(p.most)))
}

// reached reports whether a process has logged that it reached its point.
func (m *member) reached() bool { return strings.Contains(m.Output(), `"faultpoint"`) }

// reachedOrEnded is closed when a process has reached its point, or has ended.
func (w *system) reachedOrEnded(m *member) <-chan struct{} {
	reached := make(chan struct{})
	go func() {
		defer close(reached)
		for !m.reached() {
			select {
			case <-m.Ended():
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return reached
}

// reach waits for a point, and cuts connections if the point needs that.
func (w *system) reach(p point, reached <-chan struct{}) bool {
	deadline := time.Now().Add(45 * time.Second)
	for time.Now().Before(deadline) {
		if w.wait(between(w.Rand, 2*time.Second, 4*time.Second), reached) {
			return true
		}
		if p.name == "outcome unknown" {
			w.eachProxy(func(proxy *kafkatest.Proxy) { proxy.Hold(26) }) // EndTxn
			over := w.wait(12*time.Second, reached)
			w.eachProxy((*kafkatest.Proxy).Release)
			if over {
				return true
			}
		}
	}
	return false
}

// TestFaultpointsAreNotInTheProduct runs the binary as it is released: it ignores the variable.
func TestFaultpointsAreNotInTheProduct(t *testing.T) {
	parallelInSample(t)
	w := newSystem(t, nil)
	with := w.lab.Binary
	w.lab.Binary = buildFrom(t, "../../cmd/rechargeflow")
	w.start(0)
	m := w.joinAt("kill", point{name: "transformed", most: 1})
	require.NoError(t, m.AwaitReady(t.Context()))
	w.load.start()
	w.wait(time.Second, m.Ended())
	w.check()
	w.requireAlive()
	assert.NotContains(t, m.Output(), "faultpoint")

	// the binary with the tag ends there, so the first half could fail
	w.lab.Binary = with
	other := w.joinAt("kill", point{name: "transformed", most: 1})
	w.load.start()
	assert.True(t, w.wait(30*time.Second, other.Ended()) && other.reached(), "with the tag it should have ended")
	require.NoError(t, w.load.rest())
}
