package faults_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/ledger/sqlite"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// TestHandledKilled kills both sinks with SIGKILL after the effect of a batch and before its offset is committed.
func TestHandledKilled(t *testing.T) {
	parallelInSample(t)
	w := newSinksSystem(t)
	kills := pick(t, "KILLS", 1, 6)
	for range kills {
		for _, m := range w.sinksAt("kill") {
			<-m.Ended()
		}
	}
	w.startSinks("")
	w.checkSinks()
	w.logf("both sinks killed %d times", kills)
}

// TestHandledFrozen makes both sinks zombies at the same step: when they continue, others have owned their partitions for a while.
func TestHandledFrozen(t *testing.T) {
	parallelInSample(t)
	w := newSinksSystem(t)
	freezes := pick(t, "KILLS", 1, 6)
	for range freezes {
		zombies := w.sinksAt("freeze")
		w.startSinks("")
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
	w.logf("both sinks zombies %d times", freezes)
}

// newSinksSystem is one transformer under load, with triggers, on an embedded broker; the sinks are not started yet.
func newSinksSystem(t *testing.T) *system {
	t.Helper()
	w := newSystem(t, nil)
	w.lab.Flows = []string{"charge_paid"}
	require.NoError(t, w.lab.ActivateFlows(t.Context()))
	w.load.paidAt = time.Now() // older triggers are stale
	w.load.rate.SetLimit(150)  // one text at a time
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
	p := point{name: "handled", most: 20}
	w.startSinks(fmt.Sprintf("FAULTPOINT=%s %s:%d", act, p.name, 1+w.IntN(p.most)))
	for _, m := range w.sinks() {
		require.Truef(w, w.reach(p, w.reachedOrEnded(m)) && m.reached(), "%s did not reach the step: %s", m.name, lastOf(m.Output()))
		w.logf("%s: %s at %q", m.name, act, p.name)
	}
	reached := w.sinks()
	w.tracking, w.sms = nil, nil
	return reached
}

func (w *system) startSinks(environ string) {
	w.Helper()
	w.tracking, w.sms = w.launch("tracking", environ), w.launch("sms", environ)
}

func (w *system) sinks() []*member {
	if w.tracking == nil {
		return nil
	}
	return []*member{w.tracking, w.sms}
}

// checkSinks checks that each charge has one event at Bloomreach, and at most one text. Bloomreach and the ledger dropped the batch
// that was processed again.
func (w *system) checkSinks() {
	w.Helper()
	a := w.check()
	w.requireAlive()
	w.checkBloomreach(a)
	w.checkTexts(a)
	again, all := w.bloomreach.repeated()
	w.logf("%d records, 0 lost, 0 duplicated; %d of %d commands sent again, Bloomreach dropped %d", len(a.raw), again, all, w.lab.Bloomreach.Deduplicated())
	assert.Positive(w, w.lab.Bloomreach.Deduplicated(), "the batch that was not committed")
	page, err := w.sms.Metrics(w.Context())
	require.NoError(w, err)
	passed := regexp.MustCompile(`(?m)^rechargeflow_records_total{.*reason="(already_sent|outcome_unknown)".*`)
	w.logf("%s got texts that the ledger had already: %v", w.sms.name, passed.FindAllString(page, -1)) // none where the batch had none
}

// checkTexts compares the texts and the ledger with the raw records: each text was sent once, or its outcome is unknown.
func (w *system) checkTexts(a *audit) {
	w.Helper()
	charges := a.paid()
	sent := map[string]int{}
	for _, text := range w.lab.Texts.Texts() {
		sent[text.ID]++
		assert.Equal(w, 1, sent[text.ID], "text %s", text.ID)
	}
	texts, err := sqlite.Open(w.Context(), filepath.Join(w.lab.Dir, "ledger.db"), ledger.Options{})
	require.NoError(w, err)
	defer func() { require.NoError(w, texts.Close()) }()
	counts, err := texts.Counts(w.Context(), lab.Store)
	require.NoError(w, err)
	w.logf("%d charges, %d texts, the ledger has %v", len(charges), len(sent), counts)
	unknown := counts[ledger.StateUnknown]
	assert.Equal(w, len(charges), counts[ledger.StateAccepted]+unknown, "every charge is in the ledger, with an outcome")
	assert.GreaterOrEqual(w, len(sent), counts[ledger.StateAccepted])
	assert.LessOrEqual(w, len(sent), len(charges))
	assert.LessOrEqual(w, unknown, partitions*w.members, "texts being sent")
}

// smsGroup is the group that reads the triggers.
func (w *system) smsGroup() string { return w.topics.Group(pipeline.RoleSMS, lab.Store) }
