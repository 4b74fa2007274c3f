package subscriber

import (
	"strings"

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
