package faults_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// callbackCheck computes what must have come of texts and callbacks, and compares it with the topics.
type callbackCheck struct {
	*callbackSystem
	charges  map[int64]bool              // paid
	taken    map[string]takenText        // what the provider has, by message
	changes  map[string][]message.Change // by message
	ends     map[string]message.Status   // by message
	numbers  map[string]string           // by customer of Recharge
	found    []string
	latest   time.Duration // from an accepted STOP or START to the last decision on a text that did not know it
	statuses map[message.Status]int
}

// inForce is how long after a STOP or START was accepted a text may be decided on without it: a process that can't read recharge.consent for longer claims nothing.
const inForce = 3 * time.Second

// checkCallbacks waits until nothing is missing in the topics, and fails the test if something stays wrong.
func (w *callbackSystem) checkCallbacks() {
	w.Helper()
	charges := w.newAudit(w.scan).paid()
	const limit = 10 * time.Minute // the claim of a text whose process was killed ends after 36 s, and the last texts may wait for their turn
	for began, read := time.Now(), time.Duration(0); ; w.wait(max(2*time.Second, read), nil) {
		now := time.Now()
		c := w.check(charges)
		read = time.Since(now)
		if len(c.found) == 0 {
			w.logf("%d charges, texts: %v, %d of the provider; %d callbacks were accepted; longest time until a STOP or START was in force: %v",
				len(charges), c.statuses, len(c.taken), w.calls.count("200"), c.latest)
			require.Positive(w, c.statuses[message.Delivered])
			require.Positive(w, c.statuses[message.Suppressed])
			return
		}
		w.logf("%d findings so far, texts: %v; the first: %s", len(c.found), c.statuses, c.found[0])
		if time.Since(began) > limit {
			for _, m := range w.all() {
				w.Logf("%s: %s", m.name, lastOf(m.Output()))
			}
			require.Failf(w, "the result is not as expected", "%d findings, the first:\n%s", len(c.found), strings.Join(c.found[:min(len(c.found), 20)], "\n"))
		}
	}
}

func (w *callbackSystem) check(charges map[int64]bool) *callbackCheck {
	w.Helper()
	c := &callbackCheck{
		callbackSystem: w, charges: charges, taken: map[string]takenText{}, changes: map[string][]message.Change{}, ends: map[string]message.Status{},
		numbers: map[string]string{}, statuses: map[message.Status]int{},
	}
	for customer := range customers {
		c.numbers[fmt.Sprint(customer+1)] = phoneOf(customer)
	}
	c.checkProvider()
	c.read(w.topics.Messages(), func(r kafka.Record) {
		var change message.Change
		require.NoError(w, json.Unmarshal(r.Value, &change))
		c.changes[change.ID] = append(c.changes[change.ID], change)
	})
	w.calls.note(c.checkTexts)
	w.calls.note(c.checkConsent)
	w.calls.note(c.checkReports)
	c.read(w.topics.DeadLetters(topology.RoleSMS), func(r kafka.Record) { c.find("dead letter %s", r.Value) })
	return c
}

func (c *callbackCheck) find(format string, args ...any) {
	c.found = append(c.found, fmt.Sprintf(format, args...))
}

// read reads a topic. An error is a finding: it is read again.
func (c *callbackCheck) read(topic string, take func(kafka.Record)) {
	c.Helper()
	for r, err := range c.scan(topic) {
		if err != nil {
			c.find("%v", err)
			return
		}
		take(r)
	}
}

// checkProvider reads what the provider has: no text twice.
func (c *callbackCheck) checkProvider() {
	c.calls.note(func() {
		for _, text := range c.calls.taken {
			address, ok := sms.ParseTextID(text.id)
			if _, twice := c.taken[address.SendKey]; twice || !ok {
				c.find("text %s was sent twice, or has no id", text.id)
			}
			c.taken[address.SendKey], c.ends[address.SendKey] = text, c.calls.ends[text.id]
		}
		if c.calls.open > 0 {
			c.find("%d callbacks are not accepted yet", c.calls.open)
		}
		c.found = append(c.found, c.calls.failures...)
	})
}

// checkTexts checks that each charge and each HELP has one text, with the status that the provider has reported of it.
func (c *callbackCheck) checkTexts() {
	of, helps, asked := map[string]int{}, 0, map[string]bool{}
	for id, changes := range c.changes {
		c.checkChanges(id, changes)
		last := changes[len(changes)-1]
		c.statuses[last.Status]++
		for _, t := range last.Triggers {
			if last.Flow == "help" {
				helps++
				asked[t.ID] = true
				continue
			}
			for _, item := range t.Items {
				of[item]++
			}
		}
	}
	if replies := len(c.calls.helped); helps != replies || len(asked) != replies {
		c.find("%d replies asked for help, %d texts answer %d of them", replies, helps, len(asked))
	}
	for charge := range c.charges {
		if n := of[fmt.Sprint("charge/", charge)]; n != 1 {
			c.find("charge %d has %d texts", charge, n)
		}
	}
	for id := range c.taken {
		if c.changes[id] == nil {
			c.find("the provider has text %s, which nobody has claimed", id)
		}
	}
	lost := int(c.front.lost.Load())
	if most := textsAtOnce*c.members + lost; c.statuses[message.Unknown]+c.statuses[message.Claimed] > most {
		c.find("%v: at most %d texts were being sent, or lost", c.statuses, most)
	}
}

// checkChanges checks one text.
func (c *callbackCheck) checkChanges(id string, changes []message.Change) {
	status := message.Status("")
	for n, change := range changes {
		switch {
		case change.Change != n+1:
			c.find("text %s: change %d is the %dth", id, change.Change, n+1)
		case !slices.Contains(following()[status], change.Status):
			c.find("text %s is %s after %s", id, change.Status, status)
		}
		status = change.Status
		c.checkDecision(change)
	}
	_, taken := c.taken[id]
	last := changes[len(changes)-1]
	switch {
	case taken && status != c.ends[id]:
		c.find("text %s is %s (%s), and the provider has reported that it is %s", id, status, last.Code, c.ends[id])
	case !taken && status == message.Claimed && whole(), !taken && !slices.Contains([]message.Status{message.Claimed, message.Unknown, message.Suppressed}, status):
		c.find("text %s is %s (%s), and the provider does not have it", id, status, last.Code)
	}
}

// following are the statuses that may follow a status.
func following() map[message.Status][]message.Status {
	taken := []message.Status{message.Accepted, message.Sent, message.Undelivered, message.Delivered}
	return map[message.Status][]message.Status{
		"":                  {message.Planned, message.Claimed, message.Suppressed},
		message.Planned:     {message.Planned, message.Claimed, message.Suppressed},
		message.Claimed:     append(slices.Clone(taken), message.Planned, message.Unknown),
		message.Unknown:     append(slices.Clone(taken), message.Planned),
		message.Accepted:    taken[1:],
		message.Sent:        taken[2:],
		message.Undelivered: taken[3:],
	}
}

// checkDecision checks that a text is claimed only if its number has not answered STOP, and suppressed only if it has.
func (c *callbackCheck) checkDecision(change message.Change) {
	unless := map[message.Status]consent.Status{message.Claimed: consent.OptedOut, message.Suppressed: consent.OptedIn}[change.Status]
	known, since, number := consent.OptedIn, time.Time{}, c.numbers[change.RechargeCustomerID]
	for _, d := range c.calls.decisions[number] {
		if change.At.Before(d.sent) {
			break
		}
		if d.accepted.IsZero() || change.At.Before(d.accepted) {
			return // it may be in force
		}
		known, since = d.status, d.accepted
	}
	if known != unless {
		return
	}
	if late := change.At.Sub(since); late < inForce && !since.IsZero() {
		c.latest = max(c.latest, late)
		return
	}
	c.find("text %s to %s is %s (%s) at %v, %v after it is %s", change.ID, number, change.Status, change.Reason, change.At, change.At.Sub(since), known)
}

// checkConsent checks that each accepted STOP and START is in recharge.consent, no other, and that the last one of each number holds.
func (c *callbackCheck) checkConsent() {
	stored := map[*decision]bool{}
	c.read(c.topics.Consent(), func(r kafka.Record) {
		change, err := consent.Decode(r.Value)
		require.NoError(c, err)
		at := slices.IndexFunc(c.calls.decisions[change.Number], func(d *decision) bool {
			return d.status == change.Status && (change.Event == d.id || change.Event == "" && change.At.Equal(d.at))
		})
		if at < 0 {
			c.find("nobody has sent %+v", change)
			return
		}
		stored[c.calls.decisions[change.Number][at]] = true
	})
	rows, err := consent.Topic(c.topics.Consent()).Read(c.Context(), c.cluster)
	if err != nil {
		c.find("%v", err)
		return
	}
	for number, decisions := range c.calls.decisions {
		for _, d := range decisions {
			if !stored[d] {
				c.find("%s of %s at %v was accepted, and is not stored", d.status, number, d.at)
			}
		}
		history, last := consent.History(rows, lab.Store, number), decisions[len(decisions)-1]
		if len(history) == 0 || history[0].Status != last.status || len(history) != len(decisions) {
			c.find("%s: the last of %d decisions is %s at %v, the history is %+v", number, len(decisions), last.status, last.at, history)
		}
	}
}

// checkReports checks that each accepted report is in recharge.sms-receipts, and none that was forged.
func (c *callbackCheck) checkReports() {
	missing := maps.Clone(c.calls.accepted)
	c.read(c.topics.Receipts(), func(r kafka.Record) {
		var receipt message.Receipt
		require.NoError(c, json.Unmarshal(r.Value, &receipt))
		if text := c.taken[receipt.MessageID]; receipt.Attempt == 0 {
			delete(missing, reported{text.id, receipt.Outcome})
		}
		if receipt.Code == forgedCode {
			c.find("the forged report %s is stored", r.Value)
		}
	})
	for report := range missing {
		c.find("report %s of %s was accepted, and is not stored", report.status, report.text)
	}
}
