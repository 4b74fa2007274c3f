package message

import (
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Revoke revokes the triggers that a revocation makes untrue. A planned message without any left of its own flow is suppressed; what is
// left of flows that it absorbed is planned on. Triggers of a message that is claimed or unknown are marked only: if it turns out that
// it was not sent, they are not texted. Revoke returns NothingToRevoke if it has no effect.
func (b *Book) Revoke(r subscriber.Revocation) (reason.Reason, error) {
	all, err := b.OfCustomer(r.Store, r.RechargeCustomerID)
	if err != nil {
		return "", err
	}
	if r.Erased {
		return b.erase(r, all)
	}
	why := reason.NothingToRevoke
	for _, m := range all {
		before := snapshot(m)
		if m.Status != Planned && m.Status != Claimed && m.Status != Unknown || !m.revoke(r) {
			continue
		}
		why = ""
		if m.Status == Planned {
			err = b.replan(&before, m)
		} else {
			err = b.save(&before, m)
		}
		if err != nil {
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

// replan saves a planned message whose triggers have changed. If none of its own flow is left, it goes on with those of the flows that it
// absorbed, and opens others for those that are not linked to them. Without any it is suppressed.
func (b *Book) replan(before, m *Message) error {
	if m.hasOwn() {
		return b.save(before, m)
	}
	actions := b.actions(m)
	if len(actions) == 0 {
		m.suppress(reason.Revoked)
		return b.save(before, m)
	}
	for _, action := range actions[1:] {
		o := b.open(action[0])
		o.Triggers, o.ReleaseAt, o.Deferred = action, m.ReleaseAt, m.Deferred
		o.lead()
		was, err := b.message(o.Store, o.CustomerID, o.ID) // suppressed when its triggers were merged, or m
		if err != nil {
			return err
		}
		if o.ID == m.ID {
			o.ID = idOf(o.Cause, action[0].ID+" again")
			was = nil
		}
		if err := b.save(was, o); err != nil {
			return err
		}
		m.Triggers = slices.DeleteFunc(m.Triggers, func(t Trigger) bool { return o.has(t.ID) })
	}
	m.Flow = actions[0][0].Flow
	m.lead()
	return b.save(before, m)
}

// actions divides the triggers that are not revoked into those that are linked.
func (b *Book) actions(m *Message) (list [][]Trigger) {
	for _, t := range m.Triggers {
		if t.Revoked {
			continue
		}
		action := []Trigger{t}
		list = slices.DeleteFunc(list, func(other []Trigger) bool {
			joined := slices.ContainsFunc(other, func(o Trigger) bool { return b.link(o.Trigger, t.Trigger) })
			if joined {
				action = append(slices.Clone(other), action...)
			}
			return joined
		})
		list = append(list, action)
	}
	for _, action := range list {
		slices.SortFunc(action, inTime)
	}
	return list
}
