package subscriber

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// A resource that was read from Recharge's API shows what its webhooks would have reported, if it has a time of its own: that a subscription was
// created, canceled or has expired; that a charge was created, paid or refunded, and that its last attempt failed; that a customer has changed.
// The ids of the facts are those that the webhooks give, so what a webhook reported is not emitted again, and what is not emitted now still may be by
// its webhook. Nobody is texted, but texts that what happened makes wrong are revoked, and withheld if their webhooks come later.

// backfilled drafts the facts that a resource shows.
func (d *draft) backfilled() {
	switch {
	case d.webhook.Subscription != nil:
		d.backfilledSubscription()
	case d.webhook.Charge != nil:
		d.backfilledCharge()
	}
	d.updateOnly()
}

// dropEarly removes what a backfill is not for: texts, and facts from before its time.
func (d *draft) dropEarly() {
	if d.webhook.Backfill == nil {
		return
	}
	early := func(e Event) bool { return !d.wants(e.OccurredAt) }
	d.out.Events, d.out.Facts, d.out.Triggers = without(d.out.Events, early), without(d.out.Facts, early), nil
}

// wants reports whether a backfill is for facts of a time.
func (d *draft) wants(at time.Time) bool {
	since := d.webhook.Backfill.FactsSince
	return !since.IsZero() && !at.Before(since)
}

func (d *draft) backfilledSubscription() {
	s := d.webhook.Subscription
	if !s.CreatedAt.IsZero() {
		d.subscriptionEvent(StatusCreated, s.CreatedAt, "")
	}
	if s.CancelledAt.IsZero() || s.Status != statusCancelled && s.Status != statusExpired {
		return
	}
	d.noteHappened(flow.Canceled, s.CancelledAt)
	if s.Status == statusExpired {
		if d.wants(s.CancelledAt) { // an expiration is noted with its fact
			d.expired()
		}
		d.revoke(flow.Expired, s.CancelledAt, factID(d.settings.Store, "backfill", "expired", s.ID, instant(s.CancelledAt)))
		return
	}
	fact := d.subscriptionEvent(StatusCanceled, s.CancelledAt, d.changed(s.CancelledAt.Truncate(time.Second)))
	d.revoke(flow.Canceled, s.CancelledAt, fact)
}

func (d *draft) backfilledCharge() {
	c := d.webhook.Charge
	if !c.CreatedAt.IsZero() {
		d.chargeEvent(StatusCreated, c.CreatedAt)
	}
	switch rank := rankOfCharge(c.Status); {
	case isClosed(c) && !c.ProcessedAt.IsZero():
		at, fact := d.paid()
		d.notePaidCharge(c.ID)
		d.revoke(flow.Paid, at, fact)
		if rank > rankOfCharge("success") {
			d.refunded()
		}
	case rank == rankOfCharge("error") && !c.UpdatedAt.IsZero() && c.Attempts > 0:
		at := firstTime(c.AttemptedAt, c.UpdatedAt) // it may have changed since in another way
		d.noteAttempt(c.ID, c.ErrorType, at)
		d.failedAttempt(at)
	}
}

// notePaidCharge stores that a charge is paid, although no payment may be emitted.
func (d *draft) notePaidCharge(id string) {
	if d.state.gone() || d.customerID == "" {
		return
	}
	known := d.state.Customer.Charges[id]
	known.Paid = true
	d.setCharge(id, known)
}

// knowsPaid reports whether a charge is known to be paid.
func (st *State) knowsPaid(store, charge string) bool {
	return st.Customer.Charges[charge].Paid || st.Emitted.has(paidFact(store, charge))
}
