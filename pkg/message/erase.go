package message

import (
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// erase removes the personal data from all messages of a customer. Planned ones are suppressed. What was sent is known by its status only.
func (b *Book) erase(all []*Message) (reason.Reason, error) {
	if len(all) == 0 {
		return reason.NothingToRevoke, nil
	}
	b.rows.Delete(optOutKey(all[0].Store, all[0].CustomerID))
	for _, m := range all {
		before := snapshot(m)
		for i := range m.Triggers {
			m.Triggers[i] = m.Triggers[i].erased()
		}
		if m.Status == Planned {
			m.suppress(reason.CustomerErased)
		}
		if err := b.save(&before, m); err != nil {
			return "", err
		}
		if m.Attempt > 0 {
			b.removed = append(b.removed, m)
		}
	}
	return "", nil
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
