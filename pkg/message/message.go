package message

import (
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Status is where a message is in its life, see the table in the package's documentation.
type Status string

// The statuses.
const (
	Planned     Status = "planned"
	Claimed     Status = "claimed"
	Accepted    Status = "accepted"
	Sent        Status = "sent"
	Delivered   Status = "delivered"
	Undelivered Status = "undelivered"
	Rejected    Status = "rejected"
	Unknown     Status = "unknown"
	Suppressed  Status = "suppressed"
)

// Message is one text about one action of a customer.
type Message struct {
	ID         string   `json:"id"`
	Store      string   `json:"store"`
	CustomerID string   `json:"customer_id"` // Recharge's
	Flow       flow.Key `json:"flow"`
	Cause      string   `json:"cause"`
	// Triggers are in the order of their source times, those of absorbed flows and late ones included.
	Triggers []Trigger `json:"triggers"`

	// Changes counts the changes of the message.
	Changes int           `json:"changes"`
	Status  Status        `json:"status"`
	Reason  reason.Reason `json:"reason,omitempty"` // of suppressed; Paused of a planned one that is held
	// Moved means that the last change was one of the status.
	Moved bool `json:"-"`
	// ReleaseAt is when a planned message is due. Deferred means that it was held back at least once.
	ReleaseAt time.Time `json:"release_at,omitzero"`
	Deferred  bool      `json:"deferred,omitempty"`

	Attempt   int       `json:"attempt,omitempty"` // counts claims
	OptOut    bool      `json:"opt_out,omitempty"` // the claimed text says how to opt out
	ClaimedAt time.Time `json:"claimed_at,omitzero"`
	Lease     time.Time `json:"lease,omitzero"` // the end of the claim
	EndedAt   time.Time `json:"ended_at,omitzero"`

	// Links are the short links of the claimed text, until LinksEnd.
	Links    []Link    `json:"links,omitempty"`
	LinksEnd time.Time `json:"links_end,omitzero"`
	// ClickedAt is the first click of a person.
	ClickedAt time.Time `json:"clicked_at,omitzero"`

	ProviderID string `json:"provider_id,omitempty"`
	// Code and Error are the provider's, or say why there is no answer.
	Code  string `json:"code,omitempty"`
	Error string `json:"error,omitempty"`
}

// Trigger is a trigger of a message.
type Trigger struct {
	subscriber.Trigger

	Origin Origin `json:"origin"`
	// Revoked means that it has become untrue. Late means that it came when the message was not planned any more.
	Revoked bool `json:"revoked,omitempty"`
	Late    bool `json:"late,omitempty"`
	// RevokedItems are the subscriptions among its items that no text is about any more.
	RevokedItems []string `json:"revoked_items,omitempty"`
}

// Origin is the raw record that a trigger came from, and the trace and the arrival of its webhook.
type Origin struct {
	Topic       string    `json:"topic"`
	Partition   int       `json:"partition"`
	Offset      int64     `json:"offset"`
	ReceivedAt  time.Time `json:"received_at"`
	Traceparent string    `json:"traceparent,omitempty"`
	Bytes       int       `json:"bytes"` // of the trigger's record
}

// Live returns the triggers of the message's own flow that are worth a text at a time.
func (m *Message) Live(now time.Time) (live []subscriber.Trigger) {
	for _, t := range m.Triggers {
		if m.isLive(t, now) {
			live = append(live, t.left())
		}
	}
	return live
}

// left returns the trigger without the items that were revoked.
func (t Trigger) left() subscriber.Trigger {
	left := t.Trigger
	left.Items = slices.DeleteFunc(slices.Clone(t.Items), func(item string) bool { return slices.Contains(t.RevokedItems, item) })
	return left
}

// Items returns the resources that the live triggers are about and that are not revoked, each once.
func (m *Message) Items(now time.Time) (items []string) {
	for _, t := range m.Triggers {
		if !m.isLive(t, now) {
			continue
		}
		for _, item := range t.Items {
			if !slices.Contains(t.RevokedItems, item) && !slices.Contains(items, item) {
				items = append(items, item)
			}
		}
	}
	return items
}

// isLive reports whether a trigger is of the message's own flow and worth a text at a time.
func (m *Message) isLive(t Trigger, now time.Time) bool {
	return t.Flow == m.Flow && !t.Revoked && !t.Late && now.Before(t.StaleAt)
}

// hasOwn reports whether a trigger of the message's own flow is left unrevoked.
func (m *Message) hasOwn() bool {
	return slices.ContainsFunc(m.Triggers, func(t Trigger) bool { return t.Flow == m.Flow && !t.Revoked })
}

func (m *Message) has(trigger string) bool {
	return slices.ContainsFunc(m.Triggers, func(t Trigger) bool { return t.ID == trigger })
}

// ended reports whether nothing but a report of the provider can change the message.
func (m *Message) ended() bool { return m.Status != Planned && m.Status != Claimed }

// latest is the time from which none of the triggers is worth a text.
func (m *Message) latest() (at time.Time) {
	for _, t := range m.Triggers {
		if t.StaleAt.After(at) {
			at = t.StaleAt
		}
	}
	return at
}

// releaseAt makes a planned message due at a time, at the latest when it is stale: then it is suppressed.
func (m *Message) releaseAt(at time.Time) {
	m.ReleaseAt = at
	if latest := m.latest(); at.After(latest) {
		m.ReleaseAt = latest
	}
}

// suppress ends a planned message without a text.
func (m *Message) suppress(why reason.Reason) {
	m.Status, m.Reason, m.ReleaseAt = Suppressed, why, time.Time{}
}
