package story_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/ledger/sqlite"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const customers = 60 // three webhooks, three events and three texts each

// TestKill ends every role with kill -9 in the middle of a story and starts it
// again: no webhook that got a 200 is lost, every fact reaches Bloomreach once,
// in the customer's order, and no text goes out twice. A text that was in hand
// when its process died is unknown in the ledger, and never sent again.
func TestKill(t *testing.T) {
	eachBroker(t, func(t *testing.T, l *lab.Lab, processes map[string]*lab.Process) {
		gate, sent := make(chan struct{}), make(chan error, 1)
		go func() { sent <- sendLives(t.Context(), l, len(processes)+1, gate) }()
		for role := range processes {
			gate <- struct{}{}
			if role == "sms" || role == "" {
				holdText(t, l)
			}
			processes[role].Kill()
			processes[role] = start(t, l, processes[role].Roles...)
		}
		require.NoError(t, <-sent)
		eventually(t, func() bool { return len(trackedFacts(l)) == 3*customers && settledTexts(t, l) == 3*customers })
		checkOrder(t, l)
		stop(t, processes)
		checkTold(t, l)
		checkTexts(t, l)
	}, "subscription_started", "charge_paid", "subscription_canceled")
}

// holdText lets the gateway take one text and never answer, and returns when the
// process waits for that answer: the worst moment to die.
func holdText(t *testing.T, l *lab.Lab) {
	t.Helper()
	before := len(l.Texts.Texts())
	l.Texts.Next(1, smstest.Behaviour{Accept: true, Hang: true})
	eventually(t, func() bool { return len(l.Texts.Texts()) > before })
}

// sendLives sends three webhooks per customer, mixed but in each one's order. It
// stops at the gate between parts, so that something is always still to come.
func sendLives(ctx context.Context, l *lab.Lab, parts int, gate <-chan struct{}) error {
	now := time.Now().UTC()
	const all = 3 * customers
	for i := range all {
		if i > 0 && i%(all/parts) == 0 && i/(all/parts) < parts {
			<-gate
		}
		if err := deliver(ctx, l, life(i/customers, 1+i%customers, now)); err != nil {
			return fmt.Errorf("webhook %d: %w", i, err)
		}
	}
	return nil
}

// life is one of a customer's webhooks: a subscription starts, is paid for, ends.
func life(step, id int, now time.Time) lab.Webhook {
	at := now.Format("2006-01-02T15:04:05+00:00")
	customer := fmt.Sprintf(`{"id":%d,"email":"c%d@example.com","phone":"+1503555%04d","hash":"h%d"}`, id, id, id, id)
	w := lab.Webhook{Store: lab.Store}
	switch step {
	case 0:
		w.Topic = "subscription/created"
		w.Body = fmt.Appendf(nil, `{"subscription":{"id":%d,"customer_id":%d,"status":"active","price":"9.99","quantity":1,"created_at":%q,"updated_at":%q},"customer":%s}`, 1000+id, id, at, at, customer)
	case 1:
		w.Topic = "charge/paid"
		w.Body = fmt.Appendf(nil, `{"charge":{"id":%d,"customer":%s,"status":"success","total_price":"9.99","currency":"USD","processed_at":%q,"shipping_address":{"phone":"+1503555%04d"}}}`, 2000+id, customer, at, id)
	default:
		w.Topic = "subscription/cancelled"
		w.Body = fmt.Appendf(nil, `{"subscription":{"id":%d,"customer_id":%d,"status":"cancelled","created_at":%q,"cancelled_at":%q,"updated_at":%q},"customer":%s}`, 1000+id, id, at, at, at, customer)
	}
	return w
}

// trackedFacts counts how often Bloomreach keeps each fact.
func trackedFacts(l *lab.Lab) map[string]int {
	facts := map[string]int{}
	for _, e := range l.Bloomreach.Events() {
		facts[fmt.Sprint(e.Type, e.Properties["status"], e.Properties["subscription_id"], e.Properties["charge_id"])]++
	}
	return facts
}

func checkTold(t *testing.T, l *lab.Lab) {
	t.Helper()
	for fact, times := range trackedFacts(l) {
		assert.Equal(t, 1, times, fact)
	}
	t.Logf("commands: %d reached bloomreach, %d of them repetitions that it dropped", len(l.Bloomreach.Received()), l.Bloomreach.Deduplicated())
}

// checkOrder reads the events: each customer's first of each kind come in order.
func checkOrder(t *testing.T, l *lab.Lab) {
	t.Helper()
	seen := map[string]string{}
	for _, r := range read(t, l, pipeline.Topics{Prefix: l.Prefix}.Events()) {
		key, value := string(r.Key), string(r.Value)
		for _, status := range []string{"created", "paid", "canceled"} {
			if strings.Contains(value, `"status":"`+status+`"`) && !strings.Contains(seen[key], status) {
				seen[key] += status + " "
			}
		}
	}
	assert.Len(t, seen, customers)
	for key, order := range seen {
		assert.Equal(t, "created paid canceled ", order, key)
	}
}

// settledTexts counts texts that went out or never will.
func settledTexts(t *testing.T, l *lab.Lab) int {
	t.Helper()
	counts := ledgerCounts(t, l)
	return counts[ledger.StateAccepted] + counts[ledger.StateUnknown]
}

func ledgerCounts(t *testing.T, l *lab.Lab) map[ledger.State]int {
	t.Helper()
	texts, err := sqlite.Open(t.Context(), filepath.Join(l.Dir, "ledger.db"), ledger.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, texts.Close()) }()
	counts, err := texts.Counts(t.Context(), lab.Store)
	require.NoError(t, err)
	return counts
}

// checkTexts compares ledger and gateway: a text may be at the gateway and
// unknown in the ledger, when its process died between the two, or nowhere, but
// never at the gateway twice and never missing without the ledger saying so.
func checkTexts(t *testing.T, l *lab.Lab) {
	t.Helper()
	assert.Empty(t, l.Texts.Doubled())
	counts := ledgerCounts(t, l)
	missing := 3*customers - len(l.Texts.Texts())
	assert.GreaterOrEqual(t, counts[ledger.StateUnknown], missing)
	assert.Positive(t, counts[ledger.StateUnknown], "the text in hand when its process died")
	t.Logf("texts: %d sent, %d unknown in the ledger", len(l.Texts.Texts()), counts[ledger.StateUnknown])
}
