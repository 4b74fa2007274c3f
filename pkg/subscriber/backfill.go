package subscriber

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// A resource that was read from Recharge's API shows what its webhooks would have told, if it has a time of its own: that a subscription was
// created, canceled or has expired; that a charge was created, paid or refunded, and that its last attempt failed. The ids of the facts are those that
// the webhooks give, so what a webhook told is not emitted again. Nobody is texted, but texts that what happened makes wrong are revoked.

// backfilled drafts the facts that a resource shows.
func (d *draft) backfilled() {
	switch {
	case d.webhook.Subscription != nil:
		d.backfilledSubscription()
	case d.webhook.Charge != nil:
		d.backfilledCharge()
	}
	since := d.webhook.Backfill.FactsSince
	early := func(e Event) bool { return since.IsZero() || e.OccurredAt.Before(since) }
	d.out.Events, d.out.Facts, d.out.Triggers = without(d.out.Events, early), without(d.out.Facts, early), nil
	d.updateOnly()
}

func (d *draft) backfilledSubscription() {
	s := d.webhook.Subscription
	if !s.CreatedAt.IsZero() {
		d.subscriptionEvent(StatusCreated, s.CreatedAt, "")
	}
	switch {
	case s.Status == statusExpired:
		d.expired()
	case s.Status == statusCancelled && !s.CancelledAt.IsZero():
		fact := d.subscriptionEvent(StatusCanceled, s.CancelledAt, d.changed(s.CancelledAt.Truncate(time.Second)))
		d.revoke(flow.Canceled, s.CancelledAt, fact)
	}
}

func (d *draft) backfilledCharge() {
	c := d.webhook.Charge
	if !c.CreatedAt.IsZero() {
		d.chargeEvent(StatusCreated, c.CreatedAt)
	}
	switch rank := rankOfCharge(c.Status); {
	case isClosed(c) && !c.ProcessedAt.IsZero():
		at, fact := d.paid()
		d.revoke(flow.Paid, at, fact)
		if rank > rankOfCharge("success") {
			d.refunded()
		}
	case rank == rankOfCharge("error") && !c.UpdatedAt.IsZero():
		d.noteAttempt(c.ID, c.ErrorType, c.UpdatedAt)
		d.failedAttempt(c.UpdatedAt)
	}
}
