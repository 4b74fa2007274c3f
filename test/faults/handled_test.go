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

// TestHandledKilled ends both sinks with kill -9 when a batch has had its effect and its offset is not committed yet.
func TestHandledKilled(t *testing.T) {
	together(t)
	w := sinksWorld(t)
	kills := pick(t, "KILLS", 1, 6)
	for range kills {
		for _, m := range w.sinksAt("kill") {
			<-m.Ended()
		}
	}
	w.startSinks("")
	w.checkSinks()
	w.say("both sinks killed %d times", kills)
}

// TestHandledFrozen makes both sinks zombies there: others have had their partitions for a while when they go on.
func TestHandledFrozen(t *testing.T) {
	together(t)
	w := sinksWorld(t)
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
	w.say("both sinks zombies %d times", freezes)
}

// sinksWorld is one transformer under load that texts too, on an embedded broker; the sinks are still to come.
func sinksWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, nil)
	w.lab.Flows = []string{"charge_paid"}
	w.load.paidAt = time.Now() // older texts are not worth sending
	w.load.rate.SetLimit(150)  // one text at a time
	w.gateway = w.launch("gateway")
	w.join()
	for _, m := range w.all() {
		require.NoError(t, m.AwaitReady(t.Context()), m.name)
	}
	w.load.start()
	return w
}

// sinksAt stops the sinks that are there, and starts others that end or stand still at the step, and waits for that.
func (w *world) sinksAt(act string) []*member {
	w.Helper()
	for _, m := range w.sinks() {
		require.NoError(w, m.Stop(40*time.Second), m.Output())
	}
	p := point{name: "handled", most: 20}
	w.startSinks(fmt.Sprintf("FAULTPOINT=%s %s:%d", act, p.name, 1+w.IntN(p.most)))
	for _, m := range w.sinks() {
		require.Truef(w, w.reach(p, w.saw(m)) && m.reached(), "%s did not reach it: %s", m.name, lastOf(m.Output()))
		w.say("%s: %s at %q", m.name, act, p.name)
	}
	reached := w.sinks()
	w.tracking, w.sms = nil, nil
	return reached
}

func (w *world) startSinks(environ string) {
	w.Helper()
	w.tracking, w.sms = w.launch("tracking", environ), w.launch("sms", environ)
}

func (w *world) sinks() []*member {
	if w.tracking == nil {
		return nil
	}
	return []*member{w.tracking, w.sms}
}

// checkSinks asks each charge whether it was told once, and texted at most once. What was handled again was dropped: by
// Bloomreach, and by the ledger.
func (w *world) checkSinks() {
	w.Helper()
	a := w.check()
	w.alive()
	w.toldAll(a)
	w.textedAll(a)
	again, all := w.door.repeated()
	w.say("%d records, 0 lost, 0 doubled; %d of %d commands sent again, Bloomreach dropped %d", len(a.raw), again, all, w.lab.Bloomreach.Deduplicated())
	assert.Positive(w, w.lab.Bloomreach.Deduplicated(), "the batch that was not committed")
	page, err := w.sms.Metrics(w.Context())
	require.NoError(w, err)
	passed := regexp.MustCompile(`(?m)^rechargeflow_records_total{.*reason="(already_sent|outcome_unknown)".*`)
	w.say("%s was asked for texts that the ledger knew: %v", w.sms.name, passed.FindAllString(page, -1)) // none where the batch had none
}

// textedAll holds the texts and the ledger against the raw records: each text went out once, or nobody can tell.
func (w *world) textedAll(a *account) {
	w.Helper()
	charges := map[int64]bool{}
	for _, raw := range a.raw {
		if kindOf(raw.number) == paid {
			charges[raw.number] = true
		}
	}
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
	w.say("%d charges, %d texts, the ledger has %v", len(charges), len(sent), counts)
	unknown := counts[ledger.StateUnknown]
	assert.Equal(w, len(charges), counts[ledger.StateAccepted]+unknown, "every charge is in the ledger, and settled")
	assert.GreaterOrEqual(w, len(sent), counts[ledger.StateAccepted])
	assert.LessOrEqual(w, len(sent), len(charges))
	assert.LessOrEqual(w, unknown, partitions*w.members, "what was in hand")
}

// smsGroup is who reads the triggers.
func (w *world) smsGroup() string { return w.topics.Group(pipeline.RoleSMS, lab.Store) }
