package subscriber

import (
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// A customer changes to another product by adding it and canceling the old one, in this order or the other. Recharge recommends
// it to merchants between prepaid and recurring subscriptions
// (https://support.getrecharge.com/hc/en-us/articles/12576137503127-Swapping-between-recurring-and-prepaid-subscriptions).

const (
	// replacedWithin is the longest time between the two, by Recharge's times.
	replacedWithin = 10 * time.Minute
	// checkoutSpan is the longest time between the first and the last subscription of one checkout. They do not replace each other.
	checkoutSpan = time.Minute
)

// replaced reports whether the subscription of a trigger was replaced when it was canceled.
func (st *State) replaced(t Trigger) bool {
	if t.Subscription == nil {
		return false
	}
	old := SubscriptionState{Subscription: *t.Subscription}
	for id, s := range st.Subscriptions {
		if id != old.ID && s.replaces(old, t.OccurredAt) {
			return true
		}
	}
	return false
}

// replaces reports whether s replaces a subscription that was canceled at a time. It must be newer: of several subscriptions that
// are canceled together, one is replaced by none. Of one that was deleted, the time of its creation is not stored.
func (s SubscriptionState) replaces(old SubscriptionState, canceledAt time.Time) bool {
	switch {
	case s.CreatedAt.Sub(canceledAt).Abs() > replacedWithin:
		return false
	case s.CreatedAt.Sub(old.CreatedAt) <= checkoutSpan:
		return false
	}
	return s.activeAfter(later(s.CreatedAt, canceledAt))
}

// activeAfter reports whether the subscription did not end until some time after at. One that is canceled later, or was activated
// again, counts.
func (s SubscriptionState) activeAfter(at time.Time) bool {
	ended := later(s.CancelledAt, later(s.Last[flow.Canceled], s.Last[flow.Expired]))
	return s.Status == statusActive || ended.After(at)
}

// revokeReplaced drafts revocations for the subscriptions that the webhook's new one replaces.
func (d *draft) revokeReplaced() {
	created := d.webhook.Subscription.ID
	s := d.state.Subscriptions[created]
	var replaced []string
	for id, old := range d.state.Subscriptions {
		canceledAt := old.Last[flow.Canceled]
		if old.exists() && s.replaces(old, canceledAt) {
			replaced = append(replaced, id)
		}
	}
	slices.Sort(replaced)
	for _, id := range replaced {
		canceledAt := d.state.Subscriptions[id].Last[flow.Canceled]
		d.out.Revocations = append(d.out.Revocations, Revocation{
			ID: factID(d.settings.Store, "replaced", id, instant(canceledAt), created), Cause: d.webhook.Topic,
			Flows: flow.RevokedBy(flow.Replaced), Items: []string{"subscription/" + id},
			OccurredAt: later(s.CreatedAt, justAfter(canceledAt)), // a revocation is of what happened before it
		})
	}
}

// giftSpan is how long after its checkout a prepaid gift is canceled, or expires because its charges are limited to one. Shops do so to prevent a renewal, and Recharge sends no
// notification then
// (https://support.getrecharge.com/hc/en-us/articles/15109208558615-Subscription-cancelled-but-customer-did-not-receive-a-cancellation-notification).
const giftSpan = 24 * time.Hour

// isPrepaidGift reports whether a canceled or expired subscription is a prepaid one that only was to end after its paid orders.
func isPrepaidGift(s *Subscription, endedAt time.Time) bool {
	age := endedAt.Sub(s.CreatedAt)
	return prepaid(s) && age >= 0 && age <= giftSpan
}

// prepaid reports whether one charge pays for several orders. Version 2021-01 has no field for it.
func prepaid(s *Subscription) bool {
	return s.IsPrepaid || s.OrderInterval > 0 && s.ChargeInterval > s.OrderInterval
}
