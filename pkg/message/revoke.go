package message

import (
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Revoke revokes the planned triggers that a revocation makes untrue, and suppresses messages without any left. It returns
// NothingToRevoke if it has no effect.
func (b *Book) Revoke(r subscriber.Revocation) (reason.Reason, error) {
	all, err := b.OfCustomer(r.Store, r.RechargeCustomerID)
	if err != nil {
		return "", err
	}
	why := reason.NothingToRevoke
	for _, m := range all {
		before := snapshot(m)
		if m.Status != Planned || !m.revoke(r) {
			continue
		}
		why = ""
		if !m.hasOwn() {
			if err := b.splitOff(m); err != nil {
				return "", err
			}
			m.suppress(reason.Revoked)
		}
		if err := b.save(&before, m); err != nil {
			return "", err
		}
	}
	return why, nil
}

// revoke marks triggers, and reports whether any was.
func (m *Message) revoke(r subscriber.Revocation) (changed bool) {
	for i := range m.Triggers {
		t := &m.Triggers[i]
		if t.Revoked || !slices.Contains(r.Flows, t.Flow) {
			continue
		}
		for _, item := range r.Items {
			changed = t.revoke(item, r) || changed
		}
	}
	return changed
}

// revoke revokes one item of a trigger. The trigger is revoked if the item is its charge or order, or its last subscription.
func (t *Trigger) revoke(item string, r subscriber.Revocation) (changed bool) {
	if !slices.Contains(t.Items, item) || slices.Contains(t.RevokedItems, item) {
		return false
	}
	if !strings.HasPrefix(item, "subscription/") {
		t.Revoked = r.Cause == "charge/paid" || !r.OccurredAt.Before(t.OccurredAt)
		return t.Revoked
	}
	if !r.OccurredAt.After(t.OccurredAt) {
		return false
	}
	t.RevokedItems = append(slices.Clone(t.RevokedItems), item)
	t.Revoked = !slices.ContainsFunc(t.Items, func(each string) bool {
		return strings.HasPrefix(each, "subscription/") && !slices.Contains(t.RevokedItems, each)
	})
	return true
}

// splitOff opens messages for the triggers that are left of a message whose own triggers are all revoked.
func (b *Book) splitOff(m *Message) error {
	var opened []*Message
	for _, t := range m.Triggers {
		if t.Revoked {
			continue
		}
		if i := slices.IndexFunc(opened, func(o *Message) bool { return o.linked(t.Trigger) }); i >= 0 {
			opened[i].insert(t)
			opened[i].lead()
			continue
		}
		o := b.open(t)
		o.ReleaseAt, o.Deferred = m.ReleaseAt, m.Deferred
		opened = append(opened, o)
	}
	m.Triggers = slices.DeleteFunc(m.Triggers, func(t Trigger) bool { return !t.Revoked })
	for _, o := range opened {
		before, err := b.message(o.Store, o.CustomerID, o.ID) // suppressed when its triggers were merged
		if err != nil {
			return err
		}
		if err := b.save(before, o); err != nil {
			return err
		}
	}
	return nil
}
