package story_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const customers = 60 // three webhooks, three events and three texts each

// TestKill kills every role with SIGKILL under load and restarts it, the transformer once more with its state directory removed. No
// accepted webhook is lost, every fact is in recharge.events once and reaches Bloomreach once, in the customer's order, and no text
// is sent twice. A text that was being sent when its process died is unknown, and is never sent again.
//
// The embedded broker dies with its process. A transaction that it was ending is then not atomic: some of its topics may have their
// records and others not. The records of an open transaction have no marker, so that readers take them for a part of the next one.
// There only the destinations are checked.
func TestKill(t *testing.T) {
	eachBroker(t, func(t *testing.T, l *lab.Lab, processes map[string]*lab.Process) {
		gate, sent, now := make(chan struct{}), make(chan error, 1), time.Now().UTC()
		for id := 1; id <= customers; id++ {
			require.NoError(t, l.API.Put(webhook(2, id, now).Body)) // the API's answer after the cancellation
		}
		kills := killings(processes)
		go func() { sent <- sendAll(t.Context(), l, len(kills)+1, now, gate) }()
		for _, k := range kills {
			gate <- struct{}{}
			if k.role == "sms" || k.role == "" {
				holdText(t, l)
			}
			killed := processes[k.role]
			killed.Kill()
			if k.wipe {
				require.DirExists(t, killed.StateDir)
				require.NoError(t, os.RemoveAll(killed.StateDir))
			}
			processes[k.role] = start(t, l, killed.Roles...)
		}
		require.NoError(t, <-sent)
		topics := topology.Topics{Prefix: l.Prefix}
		eventually(t, func() bool {
			return len(trackedFacts(l)) == 3*customers && settledTexts(t, l) == 3*customers && allInactive(l)
		})
		if len(l.Brokers) > 0 {
			checkEvents(t, read(t, l, topics.Events()))
			checkTables(t, read(t, l, topics.Customers()), read(t, l, topics.Subscriptions()))
			checkOrder(t, l)
		}
		counts := statuses(t, l)
		stop(t, processes)
		checkTracked(t, l)
		checkTexts(t, l, counts)
	}, "subscription_started", "charge_paid", "subscription_canceled")
}

// killing kills one process; wipe removes its local state, too.
type killing struct {
	role string
	wipe bool
}

// killings kill each process, and the one with state a second time.
func killings(processes map[string]*lab.Process) []killing {
	var kills []killing
	for role := range processes {
		kills = append(kills, killing{role: role})
		if role == "" || role == "transformer" {
			kills = append(kills, killing{role: role, wipe: true})
		}
	}
	return kills
}

// holdText lets the SMS gateway accept one text and never answer, and returns when the process waits for that answer: the worst
// moment for a crash.
func holdText(t *testing.T, l *lab.Lab) {
	t.Helper()
	before := len(l.Texts.Texts())
	l.Texts.Next(1, smstest.Behaviour{Accept: true, Hang: true})
	eventually(t, func() bool { return len(l.Texts.Texts()) > before })
}

// sendAll sends three webhooks per customer, interleaved but in each customer's order. It stops at the gate between parts, so that
// there are always webhooks left.
func sendAll(ctx context.Context, l *lab.Lab, parts int, now time.Time, gate <-chan struct{}) error {
	const all = 3 * customers
	for i := range all {
		if i > 0 && i%(all/parts) == 0 && i/(all/parts) < parts {
			<-gate
		}
		if err := deliver(ctx, l, webhook(i/customers, 1+i%customers, now)); err != nil {
			return fmt.Errorf("webhook %d: %w", i, err)
		}
	}
	return nil
}

// webhook is one of a customer's three: a subscription is created, paid, canceled.
func webhook(step, id int, now time.Time) lab.Webhook {
	at := now.Format("2006-01-02T15:04:05+00:00")
	customer := fmt.Sprintf(`{"id":%d,"email":%q,"phone":"+1503555%04d","hash":"h%d"}`, id, email(id), id, id)
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

func email(id int) string { return fmt.Sprintf("c%d@example.com", id) }

// trackedFacts counts how often Bloomreach has each fact.
func trackedFacts(l *lab.Lab) map[string]int {
	facts := map[string]int{}
	for _, e := range l.Bloomreach.Events() {
		facts[fmt.Sprint(e.Type, e.Properties["status"], e.Properties["subscription_id"], e.Properties["charge_id"])]++
	}
	return facts
}

func checkTracked(t *testing.T, l *lab.Lab) {
	t.Helper()
	for fact, times := range trackedFacts(l) {
		assert.Equal(t, 1, times, fact)
	}
	t.Logf("commands: %d reached bloomreach, %d of them duplicates that it dropped", len(l.Bloomreach.Received()), l.Bloomreach.Deduplicated())
}

// allInactive reports whether every customer is inactive at Bloomreach.
func allInactive(l *lab.Lab) bool {
	for id := 1; id <= customers; id++ {
		if c, _ := l.Bloomreach.Customer("registered", email(id)); c[subscriber.PropertyActive] != false {
			return false
		}
	}
	return true
}

// checkEvents checks that each fact is in recharge.events once: three of each customer, and two values of the property.
func checkEvents(t *testing.T, events []kafka.Record) {
	t.Helper()
	facts, ids := map[string]int{}, map[string]int{}
	for _, r := range events {
		var e subscriber.Event
		require.NoError(t, json.Unmarshal(r.Value, &e))
		ids[e.ID]++
		facts[fmt.Sprint(e.RechargeCustomerID, " ", e.Type, " ", e.Status, " ", e.Property != nil && e.Property.Value)]++
	}
	assert.Len(t, ids, 5*customers)
	for id, times := range ids {
		assert.Equal(t, 1, times, id)
	}
	assert.Len(t, facts, 5*customers)
}

// checkTables checks the last rows: every subscription is canceled.
func checkTables(t *testing.T, customerRows, subscriptions []kafka.Record) {
	t.Helper()
	rows := last(customerRows)
	assert.Len(t, rows, customers)
	for key, row := range rows {
		assert.Contains(t, string(row), `"subscription_active":false`, key)
	}
	rows = last(subscriptions)
	assert.Len(t, rows, customers)
	for key, row := range rows {
		assert.Contains(t, string(row), `"status":"canceled"`, key)
	}
}

// last is the last value of each key, without deleted rows.
func last(records []kafka.Record) map[string][]byte {
	rows := map[string][]byte{}
	for _, r := range records {
		if rows[string(r.Key)] = r.Value; r.Value == nil {
			delete(rows, string(r.Key))
		}
	}
	return rows
}

// checkOrder checks that each customer's first events of each kind are in order.
func checkOrder(t *testing.T, l *lab.Lab) {
	t.Helper()
	seen := map[string]string{}
	for _, r := range read(t, l, topology.Topics{Prefix: l.Prefix}.Events()) {
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

// settledTexts counts the texts that were sent or never will be.
func settledTexts(t *testing.T, l *lab.Lab) int {
	t.Helper()
	counts := statuses(t, l)
	return counts[message.Accepted] + counts[message.Unknown]
}

func statuses(t *testing.T, l *lab.Lab) map[message.Status]int {
	t.Helper()
	messages, err := lab.Messages(read(t, l, topology.Topics{Prefix: l.Prefix}.Messages()))
	require.NoError(t, err)
	return lab.Statuses(messages)
}

// checkTexts compares recharge.messages and SMS gateway. A text whose process died while sending may be at the gateway or not, and is
// unknown. No text is at the gateway twice, and none is missing unless it is unknown.
func checkTexts(t *testing.T, l *lab.Lab, counts map[message.Status]int) {
	t.Helper()
	assert.Empty(t, l.Texts.Duplicates())
	missing := 3*customers - len(l.Texts.Texts())
	assert.GreaterOrEqual(t, counts[message.Unknown], missing)
	assert.Positive(t, counts[message.Unknown], "the text that was being sent when its process died")
	t.Logf("texts: %d sent, %d unknown", len(l.Texts.Texts()), counts[message.Unknown])
}
