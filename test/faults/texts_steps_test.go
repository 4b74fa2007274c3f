package faults_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sender"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// TestTextsAtEachStep kills and freezes a process of the sms role at each step from the claim of a text to its receipt: one or one of three
// processes, on one broker and on three. Each text is sent once, or is unknown.
func TestTextsAtEachStep(t *testing.T) {
	skipInSample(t)
	for name, cluster := range map[string]func(*testing.T) kafkatest.Cluster{
		"one broker":    func(t *testing.T) kafkatest.Cluster { t.Helper(); return kafkatest.One(t) },
		"three brokers": func(t *testing.T) kafkatest.Cluster { t.Helper(); return kafkatest.Three(t) },
	} {
		for _, processes := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s with %d processes", name, processes), func(t *testing.T) {
				brokers := cluster(t)
				w := newTextSystem(t, &brokers)
				for range processes - 1 {
					w.sms = w.launch("sms")
				}
				for _, step := range smsSteps() {
					w.killAt(step)
					w.freezeAt(step, session+between(w.Rand, 500*time.Millisecond, 3*time.Second))
				}
				w.sms = w.launch("sms")
				w.settleTexts()
			})
		}
	}
}

// TestTextsLateReceipt freezes a process that has the provider's answer until another one has given its claim up: the text is unknown, until
// the frozen process continues and writes its receipt.
func TestTextsLateReceipt(t *testing.T) {
	skipInSample(t)
	brokers := kafkatest.One(t)
	w := newTextSystem(t, &brokers)
	w.freezeAt(point{name: "text answered", most: 20}, sender.Lease(lab.SMSTimeout, sms.Abilities{})+10*time.Second)
	w.sms = w.launch("sms")
	w.settleTexts()
	unknown := w.textChanges(message.Unknown)
	require.NotEmpty(t, unknown, "the claims of the frozen process have ended")
	resolved := 0
	for id := range w.textChanges(message.Accepted) {
		if unknown[id] {
			resolved++
		}
	}
	assert.Positive(t, resolved, "the receipt of the frozen process counts")
	w.logf("%d texts were unknown, %d of them are accepted by a late receipt", len(unknown), resolved)
}

// newTextSystem is a gateway, a tracking sink and a transformer under load, with triggers. The sms role is not started yet.
func newTextSystem(t *testing.T, brokers *kafkatest.Cluster) *system {
	t.Helper()
	w := newSystem(t, brokers)
	w.textPayments()
	require.NoError(t, w.lab.ActivateFlows(t.Context()))
	w.start(1)
	w.load.start()
	return w
}

// killAt starts a process of the sms role and waits until it is killed at a step.
func (w *system) killAt(step point) {
	w.Helper()
	<-w.atStep("kill", step).Ended()
}

// freezeAt starts a process of the sms role that is frozen at a step, and another one, which owns all partitions meanwhile.
func (w *system) freezeAt(step point, duration time.Duration) {
	w.Helper()
	zombie, other := w.atStep("freeze", step), w.launch("sms")
	w.wait(duration, nil)
	require.NoError(w, zombie.Thaw())
	w.wait(between(w.Rand, 500*time.Millisecond, 2*time.Second), nil)
	for _, m := range []*member{zombie, other} {
		require.NoError(w, m.Stop(40*time.Second), m.Output())
	}
}

// atStep starts a process of the sms role and waits until it has reached a step.
func (w *system) atStep(act string, step point) *member {
	w.Helper()
	m := w.launch("sms", fmt.Sprintf("FAULTPOINT=%s %s:%d", act, step.name, 1+w.IntN(step.most)))
	require.Truef(w, w.reach(step, w.reachedOrEnded(m)) && m.reached(), "%s did not reach %q: %s", m.name, step.name, lastOf(m.Output()))
	w.logf("%s: %s at %q", m.name, act, step.name)
	return m
}

// textChanges returns the texts that have had a status.
func (w *system) textChanges(status message.Status) map[string]bool {
	w.Helper()
	records, err := kafkatest.ReadAll(w.Context(), w.cluster, w.topics.Messages())
	require.NoError(w, err)
	had := map[string]bool{}
	for _, r := range records {
		var change message.Change
		require.NoError(w, json.Unmarshal(r.Value, &change))
		if change.Status == status {
			had[change.ID] = true
		}
	}
	return had
}
