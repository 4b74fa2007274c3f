package faults_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// TestHandledKilled kills the tracking sink with SIGKILL after the effect of a batch and before its offset is committed, and the sms role
// at each step from the claim of a text to its receipt.
func TestHandledKilled(t *testing.T) {
	parallelInSample(t)
	w := newSinksSystem(t)
	kills := pick(t, "KILLS", 1, 6)
	for range kills {
		for _, m := range w.sinksAt("kill") {
			<-m.Ended()
		}
	}
	w.startSinks("", "")
	w.checkSinks()
	w.logf("both killed %d times", kills)
}

// TestHandledFrozen makes both zombies at such a step: when they continue, others have owned their partitions for a while.
func TestHandledFrozen(t *testing.T) {
	parallelInSample(t)
	w := newSinksSystem(t)
	freezes := pick(t, "KILLS", 1, 6)
	for range freezes {
		zombies := w.sinksAt("freeze")
		w.startSinks("", "")
		w.wait(session+between(w.Rand, 500*time.Millisecond, 3*time.Second), nil)
		for _, m := range zombies {
			require.NoError(t, m.Thaw())
		}
		w.wait(between(w.Rand, 500*time.Millisecond, 2*time.Second), nil)
		for _, m := range zombies {
			require.NoError(t, m.Stop(40*time.Second), m.Output())
		}
	}
	w.checkSinks()
	w.logf("both zombies %d times", freezes)
}

// newSinksSystem is one transformer under load, with triggers, on an embedded broker; the sinks are not started yet.
func newSinksSystem(t *testing.T) *system {
	t.Helper()
	w := newSystem(t, nil)
	w.textPayments()
	require.NoError(t, w.lab.ActivateFlows(t.Context()))
	w.gateway = w.launch("gateway")
	w.join()
	for _, m := range w.all() {
		require.NoError(t, m.AwaitReady(t.Context()), m.name)
	}
	w.load.start()
	return w
}

// sinksAt stops the sinks, starts others that are killed or frozen at the step, and waits for that.
func (w *system) sinksAt(act string) []*member {
	w.Helper()
	for _, m := range w.sinks() {
		require.NoError(w, m.Stop(40*time.Second), m.Output())
	}
	handled := point{name: "handled", most: 20}
	step := smsSteps()[w.IntN(len(smsSteps()))]
	w.startSinks(fmt.Sprintf("FAULTPOINT=%s %s:%d", act, handled.name, 1+w.IntN(handled.most)), fmt.Sprintf("FAULTPOINT=%s %s:%d", act, step.name, 1+w.IntN(step.most)))
	for _, each := range []struct {
		*member
		point
	}{{w.tracking, handled}, {w.sms, step}} {
		require.Truef(w, w.reach(each.point, w.reachedOrEnded(each.member)) && each.reached(), "%s did not reach the step: %s", each.member.name, lastOf(each.Output()))
		w.logf("%s: %s at %q", each.member.name, act, each.point.name)
	}
	reached := w.sinks()
	w.tracking, w.sms = nil, nil
	return reached
}

// smsSteps are the steps from the claim of a text to its receipt.
func smsSteps() []point {
	return []point{
		{name: "transaction ended", most: 20},
		{name: "rows applied", most: 20},
		{name: "outcome reported", most: 20},
		{name: "text due", most: 40},
		{name: "text answered", most: 40},
		{name: "receipt written", most: 40},
	}
}

func (w *system) startSinks(tracking, sms string) {
	w.Helper()
	w.tracking, w.sms = w.launch("tracking", tracking), w.launch("sms", sms)
}

func (w *system) sinks() []*member {
	if w.tracking == nil {
		return nil
	}
	return []*member{w.tracking, w.sms}
}

// checkSinks checks that each charge has one event at Bloomreach, and at most one text. Bloomreach dropped the batch that was processed
// again.
func (w *system) checkSinks() {
	w.Helper()
	a := w.check()
	w.requireAlive()
	w.checkBloomreach(a)
	w.checkTexts(a)
	again, all := w.bloomreach.repeated()
	w.logf("%d records, 0 lost, 0 duplicated; %d of %d commands sent again, Bloomreach dropped %d", len(a.raw), again, all, w.lab.Bloomreach.Deduplicated())
	assert.Positive(w, w.lab.Bloomreach.Deduplicated(), "the batch that was not committed")
}

// checkTexts compares the texts with the raw records: each was sent once, or is unknown.
func (w *system) checkTexts(a *audit) {
	w.Helper()
	charges := a.paid()
	var counts map[message.Status]int
	ended := assert.Eventually(w, func() bool {
		records, err := kafkatest.ReadAll(w.Context(), w.cluster, w.topics.Messages())
		require.NoError(w, err)
		messages, err := lab.Messages(records)
		require.NoError(w, err)
		counts = lab.Statuses(messages)
		return counts[message.Accepted]+counts[message.Unknown] == len(charges)
	}, 5*time.Minute, 10*time.Second) // each reads all changes of all texts
	require.True(w, ended, "every charge has a text with an outcome: %d charges, %v; without a text: %v", len(charges), counts, w.textless(charges))
	sent := map[string]int{}
	for _, text := range w.lab.Texts.Texts() {
		sent[text.ID]++
		assert.Equal(w, 1, sent[text.ID], "text %s", text.ID)
	}
	w.logf("%d charges, %d texts at the gateway, %v", len(charges), len(sent), counts)
	assert.GreaterOrEqual(w, len(sent), counts[message.Accepted])
	assert.LessOrEqual(w, len(sent), len(charges))
	assert.GreaterOrEqual(w, counts[message.Unknown], len(charges)-len(sent), "a text that was not sent is unknown")
	assert.LessOrEqual(w, counts[message.Unknown], textsAtOnce*w.members, "texts being sent")
}

// textless describes the charges that have no text: what the topics from trigger to message have about each.
func (w *system) textless(charges map[int64]bool) (list []string) {
	w.Helper()
	about := map[int64][]string{}
	for _, topic := range []string{w.topics.Triggers(), w.topics.Messages(), w.topics.DeadLetters(topology.RoleSMS)} {
		for r, err := range w.scan(topic) {
			require.NoError(w, err)
			for _, item := range regexp.MustCompile(`"charge/(\d+)"`).FindAllSubmatch(r.Value, -1) {
				number, _ := strconv.ParseInt(string(item[1]), 10, 64)
				about[number] = append(about[number], fmt.Sprintf("%s %d/%d", topic, r.Partition, r.Offset))
			}
		}
	}
	for number := range charges {
		if !slices.ContainsFunc(about[number], func(place string) bool { return strings.HasPrefix(place, w.topics.Messages()+" ") }) {
			list = append(list, fmt.Sprintf("%d: %v", number, about[number]))
		}
	}
	return list
}

// textsAtOnce is how many texts a process sends at once: the default of sms.at_once.
const textsAtOnce = 10

// smsGroup is the group that reads the triggers.
func (w *system) smsGroup() string { return w.topics.Group(topology.RoleSMS, "") }
