package message

import (
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// link reports whether two triggers of a customer are of one action: they have the same flow and cause, or the flow of one absorbs that of
// the other, and they happened less than the window of the flow apart. The actions are what triggers are linked to, directly or through others, so
// the order in which they come makes no difference.
func (b *Book) link(one, other subscriber.Trigger) bool {
	apart := one.OccurredAt.Sub(other.OccurredAt).Abs()
	if one.Flow == other.Flow {
		return one.Cause == other.Cause && b.within(one, apart)
	}
	return absorbs(one, other) && b.within(one, apart) || absorbs(other, one) && b.within(other, apart)
}

func (b *Book) within(t subscriber.Trigger, apart time.Duration) bool {
	return apart == 0 || apart < b.settings.Flow(t.Store, t.Flow).Window
}

// absorbs reports whether the flow of a trigger absorbs another trigger.
func absorbs(own, other subscriber.Trigger) bool {
	for _, a := range flow.RuleOf(own.Flow).Absorbs {
		if a.Flow == other.Flow {
			return inScope(a.Scope, own, other)
		}
	}
	return false
}

// inScope reports whether two triggers of a customer are of the same checkout, or about the same charge.
func inScope(scope flow.Scope, own, absorbed subscriber.Trigger) bool {
	if scope == flow.SameCheckout {
		return ofCheckout(own, absorbed)
	}
	return chargeOf(own) != "" && chargeOf(own) == chargeOf(absorbed)
}

// ofCheckout reports whether a charge or an order is of the checkout that created a subscription: it has it among its items, or is known to
// be of a checkout and names none.
func ofCheckout(created, other subscriber.Trigger) bool {
	checkout := other.Charge != nil && strings.EqualFold(other.Charge.Type, "checkout")
	if other.Charge != nil && other.Charge.Type != "" && !checkout {
		return false // recurring
	}
	named := false
	for _, item := range other.Items {
		if strings.HasPrefix(item, "subscription/") {
			named = true
			if slices.Contains(created.Items, item) {
				return true
			}
		}
	}
	return checkout && !named
}

func chargeOf(t subscriber.Trigger) string {
	switch {
	case t.Charge != nil:
		return t.Charge.ID
	case t.Order != nil:
		return t.Order.ChargeID
	}
	return ""
}
