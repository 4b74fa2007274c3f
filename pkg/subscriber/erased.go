package subscriber

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// A customer whose personal data was erased at Recharge still has subscriptions. Their facts are emitted in stores that identify
// customers by Recharge's id. No event has the erased e-mail, and no profile is made for a placeholder.

// erased reports whether the customer's personal data was erased.
func (st *State) erased() bool { return !st.Customer.ErasedAt.IsZero() }

// erased reports whether the webhook, or the state after it, shows that the personal data was erased. A late webhook about the
// customer before they came back has the same outputs as one in time.
func (d *draft) erased() bool { return d.state.erased() || d.webhook.Erased() }

// erase removes the personal data, unless a newer object has some.
func (k *CustomerState) erase(at time.Time) {
	if at.Before(k.UpdatedAt) {
		return
	}
	*k = CustomerState{
		Seen: k.Seen, FirstAt: k.FirstAt, PhoneKnown: true, PlatformID: k.PlatformID, CreatedAt: k.CreatedAt, UpdatedAt: at,
		Count: k.Count, CompleteAt: k.CompleteAt, ActiveProperty: k.ActiveProperty, Activated: k.Activated,
		FailedCharges: k.FailedCharges, Failures: k.Failures, Charges: k.Charges, ChargesExpiredTo: k.ChargesExpiredTo, Orders: k.Orders, ErasedAt: at,
	}
}

// eraseTexts drafts the revocation of all texts of a customer who was deleted, or whose personal data was erased. A customer without a fact
// has none.
func (d *draft) eraseTexts() {
	at, cause := d.state.Customer.ErasedAt, recharge.Topic("customer/updated")
	switch {
	case len(d.before.Emitted) == 0:
		return
	case d.gone && !d.before.gone():
		at, cause = d.receivedAt, "customer/deleted"
	case d.before.erased() || !d.state.erased():
		return
	}
	d.out.Revocations = append(d.out.Revocations, Revocation{
		ID: factID(d.settings.Store, "erasure", d.customerID, instant(at)), Cause: cause, Flows: flow.Keys(), Items: []string{"customer/" + d.customerID},
		OccurredAt: at, Erased: true,
	})
}

// dropErased removes the outputs that need the personal data of an erased customer.
func (d *draft) dropErased() {
	if !d.erased() {
		return
	}
	if p := d.state.Customer.ActiveProperty; d.state.erased() && p != nil && p.To != d.customerID {
		d.state.Customer.ActiveProperty = nil // its profile is an e-mail
	}
	d.out.Triggers = nil
	d.out.Events = without(d.out.Events, func(e Event) bool {
		return d.settings.CustomerID == ByEmail || e.Type == EventCustomerChange
	})
	d.out.Skip = reason.CustomerErased
}
