package message

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Add adds a trigger: it joins the message of the same action, or opens one. It returns why no text comes of it: Duplicate,
// FlowInactive, or MergedLate if the text of its action is on its way or sent; "" if one is planned.
func (b *Book) Add(t subscriber.Trigger) (reason.Reason, error) {
	all, err := b.OfCustomer(t.Store, t.RechargeCustomerID)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(all, func(m *Message) bool { return m.has(t.ID) }) {
		return reason.Duplicate, nil
	}
	if !b.active(t.Store, t.Flow) {
		return reason.FlowInactive, nil
	}
	linked := slices.DeleteFunc(all, func(m *Message) bool { return m.Status != Planned && !m.maybeSent() || !m.linked(t) })
	if i := slices.IndexFunc(linked, (*Message).maybeSent); i >= 0 {
		linked[0], linked[i] = linked[i], linked[0]
		return reason.MergedLate, b.join(linked, Trigger{Trigger: t, Late: true})
	}
	if len(linked) > 0 {
		return "", b.join(linked, Trigger{Trigger: t})
	}
	return "", b.save(nil, b.open(Trigger{Trigger: t}))
}

// maybeSent reports whether the customer has the text, or may get it.
func (m *Message) maybeSent() bool {
	return m.Status != Planned && m.Status != Suppressed && m.Status != Rejected
}

// open returns a planned message for a trigger. It is due after the window of its flow, so that others can join it.
func (b *Book) open(t Trigger) *Message {
	return &Message{
		ID: idOf(t.Cause, t.ID), Store: t.Store, CustomerID: t.RechargeCustomerID, Flow: t.Flow, Cause: t.Cause,
		Triggers: []Trigger{t}, Status: Planned, ReleaseAt: b.now.Add(flow.RuleOf(t.Flow).Window),
	}
}

// join adds a trigger to the first of the messages that it links, and the triggers of the others, which are planned.
func (b *Book) join(linked []*Message, t Trigger) error {
	host, before := linked[0], snapshot(linked[0])
	host.insert(t)
	for _, other := range linked[1:] {
		if other.maybeSent() || !host.fits(other) {
			continue
		}
		was := snapshot(other)
		for _, each := range other.Triggers {
			each.Late = each.Late || t.Late
			host.insert(each)
		}
		if !host.maybeSent() && other.ReleaseAt.Before(host.ReleaseAt) {
			host.ReleaseAt, host.Deferred = other.ReleaseAt, other.Deferred
		}
		other.suppress(reason.Merged)
		if err := b.save(&was, other); err != nil {
			return err
		}
	}
	if !host.maybeSent() {
		host.lead()
	}
	return b.save(&before, host)
}

// insert adds a trigger in the order of source times.
func (m *Message) insert(t Trigger) {
	at, _ := slices.BinarySearchFunc(m.Triggers, t, inTime)
	m.Triggers = slices.Insert(m.Triggers, at, t)
}

// inTime orders triggers by their source times.
func inTime(a, b Trigger) int {
	return cmp.Or(a.OccurredAt.Compare(b.OccurredAt), cmp.Compare(a.ID, b.ID))
}

// lead gives the message the flow that absorbs the others among its triggers, and the cause of its first trigger.
func (m *Message) lead() {
	for _, t := range m.Triggers {
		if !t.Revoked && flow.RuleOf(t.Flow).Absorbs.Has(m.Flow) {
			m.Flow = t.Flow
		}
	}
	for _, t := range m.Triggers {
		if !t.Revoked && t.Flow == m.Flow {
			m.Cause = t.Cause
			return
		}
	}
}

const (
	// longestSpan is the longest time between the first and the last trigger of a message.
	longestSpan = 10 * time.Minute
	// longestList is how many triggers a message has, so that its row stays well below a record's limit.
	longestList = 200
)

// linked reports whether a trigger is of the same action as one of the message.
func (m *Message) linked(t subscriber.Trigger) bool {
	return m.fits(&Message{Triggers: []Trigger{{Trigger: t}}}) &&
		slices.ContainsFunc(m.Triggers, func(other Trigger) bool { return !other.Revoked && link(other.Trigger, t) })
}

// fits reports whether the message stays small enough with the triggers of another.
func (m *Message) fits(other *Message) bool {
	first, last := m.Triggers[0].OccurredAt, m.Triggers[len(m.Triggers)-1].OccurredAt
	for _, t := range []Trigger{other.Triggers[0], other.Triggers[len(other.Triggers)-1]} {
		if t.OccurredAt.Before(first) {
			first = t.OccurredAt
		}
		if t.OccurredAt.After(last) {
			last = t.OccurredAt
		}
	}
	return last.Sub(first) <= longestSpan && len(m.Triggers)+len(other.Triggers) <= longestList
}

// idOf returns the ID of a message: 64 hex digits. It stays the same whenever the trigger is read again.
func idOf(cause, trigger string) string {
	sum := sha256.Sum256([]byte(cause + "\n" + trigger))
	return hex.EncodeToString(sum[:])
}
