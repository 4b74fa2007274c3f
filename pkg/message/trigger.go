package message

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// ErrTrigger means that a trigger can't be read as one.
var ErrTrigger = errors.New("trigger is incomplete")

// maxID is the longest id or cause of a trigger in bytes. Ours are shorter.
const maxID = 512

// check returns why a trigger can't be a part of a message. Store and customer are parts of the keys of rows.
func check(t subscriber.Trigger) error {
	for name, value := range map[string]string{"store": t.Store, "recharge_customer_id": t.RechargeCustomerID, "id": t.ID, "cause": t.Cause} {
		if value == "" || len(value) > maxID {
			return fmt.Errorf("%w: %s has %d bytes, it needs 1 to %d", ErrTrigger, name, len(value), maxID)
		}
	}
	switch {
	case strings.Contains(t.Store+t.RechargeCustomerID, "/"):
		return fmt.Errorf("%w: store or recharge_customer_id contains a slash", ErrTrigger)
	case t.OccurredAt.IsZero():
		return fmt.Errorf("%w: it needs occurred_at", ErrTrigger)
	case flow.RuleOf(t.Flow).FiredBy == "":
		return fmt.Errorf("%w: flow %q is unknown", ErrTrigger, t.Flow)
	}
	return nil
}

// Add adds a trigger: it joins the message of the same action, or opens one. It returns why no text comes of it: Duplicate,
// FlowInactive, or MergedLate if the text of its action is on its way or sent; "" if one is planned.
// ErrTrigger means that it has changed nothing.
func (b *Book) Add(t subscriber.Trigger, from Origin) (reason.Reason, error) {
	if err := check(t); err != nil {
		return "", err
	}
	all, err := b.OfCustomer(t.Store, t.RechargeCustomerID)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(all, func(m *Message) bool { return m.has(t.ID) }) {
		return reason.Duplicate, nil
	}
	if !b.settings.Flow(t.Store, t.Flow).Active {
		return reason.FlowInactive, nil
	}
	added := Trigger{Trigger: t, Origin: from}
	linked := slices.DeleteFunc(all, func(m *Message) bool { return m.Status != Planned && !m.maybeSent() || !b.linked(m, added) })
	if i := slices.IndexFunc(linked, (*Message).maybeSent); i >= 0 {
		linked[0], linked[i] = linked[i], linked[0]
		return reason.MergedLate, b.join(linked, added.late())
	}
	if len(linked) > 0 {
		return "", b.join(linked, added)
	}
	return "", b.save(nil, b.open(added))
}

func (t Trigger) late() Trigger {
	t.Late = true
	return t
}

// maybeSent reports whether the customer has the text, or may get it.
func (m *Message) maybeSent() bool {
	return m.Status != Planned && m.Status != Suppressed && m.Status != Rejected
}

// open returns a planned message for a trigger. It is due after the window of its flow, so that others can join it.
func (b *Book) open(t Trigger) *Message {
	return &Message{
		ID: idOf(t.Cause, t.ID), Store: t.Store, CustomerID: t.RechargeCustomerID, Flow: t.Flow, Cause: t.Cause,
		Triggers: []Trigger{t}, Status: Planned, ReleaseAt: b.now.Add(b.settings.Flow(t.Store, t.Flow).Window),
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
	longestSpan = flow.MaxWindow
	// longestList and mostBytes limit the triggers of a message and their size, so that its row stays below a record's limit. A trigger alone
	// always fits.
	longestList = 200
	mostBytes   = 400_000
)

// linked reports whether a trigger is of the same action as one of the message.
func (b *Book) linked(m *Message, t Trigger) bool {
	return m.fits(&Message{Triggers: []Trigger{t}}) &&
		slices.ContainsFunc(m.Triggers, func(other Trigger) bool { return !other.Revoked && b.link(other.Trigger, t.Trigger) })
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
	return last.Sub(first) <= longestSpan && len(m.Triggers)+len(other.Triggers) <= longestList && m.bytes()+other.bytes() <= mostBytes
}

func (m *Message) bytes() (sum int) {
	for _, t := range m.Triggers {
		sum += t.Origin.Bytes
	}
	return sum
}

// idOf returns the ID of a message: 64 hex digits. It stays the same whenever the trigger is read again.
func idOf(cause, trigger string) string {
	sum := sha256.Sum256([]byte(cause + "\n" + trigger))
	return hex.EncodeToString(sum[:])
}
