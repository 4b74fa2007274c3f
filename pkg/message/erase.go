package message

import (
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// erase removes the personal data from all messages of a customer. Planned ones are suppressed. What was sent is known by its status only.
func (b *Book) erase(r subscriber.Revocation, all []*Message) (reason.Reason, error) {
	b.rows.Delete(optOutKey(r.Store, r.RechargeCustomerID))
	if len(all) == 0 {
		return reason.NothingToRevoke, nil
	}
	for _, m := range all {
		before := snapshot(m)
		removal := Removal{Message: m, Text: m.Attempt > 0, Ended: m.Links}
		m.Links, m.LinksEnd = nil, time.Time{}
		for i := range m.Triggers {
			m.Triggers[i] = m.Triggers[i].erased()
		}
		if m.Status == Planned {
			m.suppress(reason.CustomerErased)
		}
		if err := b.save(&before, m); err != nil {
			return "", err
		}
		if removal.Text || len(removal.Ended) > 0 {
			b.removed = append(b.removed, removal)
		}
	}
	return "", nil
}

// isErased reports whether the customer was erased since the text was claimed.
func (m *Message) isErased() bool {
	return !slices.ContainsFunc(m.Triggers, func(t Trigger) bool { return !t.Revoked || t.Recipient != subscriber.Recipient{} })
}

// erased returns the trigger without personal data. It is revoked: a claimed text that was not sent is not sent again.
func (t Trigger) erased() Trigger {
	t.Revoked, t.Recipient = true, subscriber.Recipient{}
	if t.Subscription != nil { // the customer may have typed the reason
		s := *t.Subscription
		s.CancellationReason, s.CancellationReasonComments = "", ""
		t.Subscription = &s
	}
	return t
}
