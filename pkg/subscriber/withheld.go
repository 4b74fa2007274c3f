package subscriber

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// dropWithheld removes triggers whose texts would be untrue or pointless. They count as emitted: if what withholds one is
// revoked later, this is a new fact.
func (d *draft) dropWithheld() {
	d.out.Triggers = without(d.out.Triggers, func(t Trigger) bool {
		why := d.withheld(t)
		if why == "" {
			return false
		}
		d.state.Emitted.add(t.ID, d.receivedAt)
		d.skip(why)
		return true
	})
}

// withheld returns why a trigger is not emitted, "" if it is.
func (d *draft) withheld(t Trigger) reason.Reason {
	rule := flow.RuleOf(t.Flow)
	switch {
	case d.state.contradicted(d.settings.Store, t):
		return reason.Contradicted
	case (rule.FiredBy == flow.Canceled || rule.FiredBy == flow.Expired) && isPrepaidGift(t.Subscription, t.OccurredAt):
		return reason.PrepaidGift
	case rule.FiredBy == flow.Paid && isNothing(t.Charge.TotalPrice):
		return reason.NothingCharged
	}
	return ""
}

// isNothing reports whether an amount is not above zero. An absent amount is unknown.
func isNothing(amount string) bool {
	return strings.HasPrefix(amount, "-") || amount != "" && strings.Trim(amount, "0.") == ""
}

// contradicted reports whether a trigger is late: a happening that revokes its flow occurred after it but was received before
// it, so its text would be untrue. A newer snapshot of the resource alone is no contradiction: updates may arrive before the
// webhook of the change.
func (st *State) contradicted(store string, t Trigger) bool {
	if st.gone() {
		return true // there is no recipient any more
	}
	revokers := flow.RuleOf(t.Flow).RevokedBy
	return st.chargeContradicts(store, t, revokers) || st.subscriptionsContradict(t, revokers) || revokers.Has(flow.Replaced) && st.replaced(t)
}

// chargeContradicts reports whether a happening of the trigger's charge contradicts it. A payment always does. A final failure
// does unless the trigger is of a later attempt.
func (st *State) chargeContradicts(store string, t Trigger, revokers flow.Revokers) bool {
	if t.Charge == nil {
		return false
	}
	if revokers.Has(flow.Paid) && st.knowsPaid(store, t.Charge.ID) {
		return true
	}
	failedAt, failed := st.Customer.FailedCharges[t.Charge.ID]
	return failed && revokers.Has(flow.FailedForGood) && !t.OccurredAt.After(failedAt)
}

// subscriptionsContradict reports whether later happenings contradict the trigger for all of its subscriptions. A text that is
// true for one of them is sent.
func (st *State) subscriptionsContradict(t Trigger, revokers flow.Revokers) bool {
	contradicted := false
	for _, item := range t.Items {
		id, ok := strings.CutPrefix(item, "subscription/")
		if !ok {
			continue
		}
		if !st.Subscriptions[id].happenedAfter(t.OccurredAt, revokers) {
			return false
		}
		contradicted = true
	}
	return contradicted
}

func (s SubscriptionState) happenedAfter(at time.Time, by flow.Revokers) bool {
	for _, what := range by {
		if s.Last[what].After(at) {
			return true
		}
	}
	return false
}

// noteFailed stores when a charge failed finally. The first time is kept, because the revocation is emitted only once. Entries
// expire together with the emitted facts.
func (d *draft) noteFailed(charge string, at time.Time) {
	known := d.state.Customer.FailedCharges
	_, noted := known[charge]
	if noted || d.state.gone() || d.state.knowsPaid(d.settings.Store, charge) {
		return
	}
	failed := map[string]time.Time{charge: at}
	maps.Copy(failed, known)
	maps.DeleteFunc(failed, func(_ string, at time.Time) bool { return month(at) < OldestEmitted(d.receivedAt) })
	d.state.Customer.setFailed(failed)
}

// notePaid removes a charge from the failed ones.
func (d *draft) notePaid(charge string) {
	d.state.Customer.forgetFailures(charge)
	known := d.state.Customer.FailedCharges
	if _, noted := known[charge]; !noted {
		return
	}
	failed := maps.Clone(known)
	delete(failed, charge)
	d.state.Customer.setFailed(failed)
}

func (k *CustomerState) setFailed(charges map[string]time.Time) {
	k.FailedCharges = charges
	if len(charges) == 0 {
		k.FailedCharges = nil
	}
}

func paidFact(store, charge string) string {
	return factID(store, string(EventCharge), StatusPaid, charge)
}

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
	ended := later(s.CanceledAt, later(s.Last[flow.Canceled], s.Last[flow.Expired]))
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
