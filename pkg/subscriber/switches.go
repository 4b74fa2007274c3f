package subscriber

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Switches let more webhooks trigger a flow. Each rests on what Recharge does not document, or is not wanted by every shop, so a store
// switches it on.
type Switches struct {
	// PauseByDate triggers subscription_paused when the next charge moves by more than an interval and a week.
	PauseByDate bool
	// ResumeByDate triggers subscription_resumed when the next charge of a paused subscription moves to an earlier day.
	ResumeByDate bool
	// FirstOrders triggers order_processed for the order of a first checkout, of which Recharge sends no order/processed.
	FirstOrders bool
	// NewAccounts triggers customer_account_activation when a customer is created, not only with the first subscription.
	NewAccounts bool
}

// AllSwitches returns all switches on.
func AllSwitches() Switches {
	return Switches{PauseByDate: true, ResumeByDate: true, FirstOrders: true, NewAccounts: true}
}

// Uses reports whether a topic can produce any output.
func (s Switches) Uses(topic recharge.Topic) bool {
	d := draft{settings: Settings{Switches: s}, webhook: recharge.Webhook{Topic: topic.Current()}}
	return d.table() != nil
}

// Unused returns why webhooks of a topic are skipped, "" if they can produce output. Topics that Recharge does not have are counted
// apart: such a webhook was registered with a mistyped address.
func (s Switches) Unused(topic recharge.Topic) reason.Reason {
	switch {
	case !topic.Known():
		return reason.TopicUnknown
	case !s.Uses(topic):
		return reason.TopicNotUsed
	}
	return ""
}

// roundedUp is by how much a renewal may be later than an interval: Recharge moves it to a day of the week if the shop wants one.
const roundedUp = 7 * 24 * time.Hour

// movedDate drafts what an update means that moves the next charge of an active subscription. A pause moves it far into the future, while a
// renewal and a skip move it by one interval; the end of a pause moves it back.
func (d *draft) movedDate() {
	s, on := d.webhook.Subscription, d.settings.Switches
	was, is := d.before.Subscriptions[s.ID], d.state.Subscriptions[s.ID]
	if was.NextChargeDate == s.NextChargeDate || !is.follows(was, s.UpdatedAt) {
		return
	}
	from, to := was.NextChargeDate.Start(), s.NextChargeDate.Start()
	switch {
	case from.IsZero() || to.IsZero():
	case on.PauseByDate && was.skipsBy(is, later(from, s.UpdatedAt), to):
		d.happenedByDate(flow.Paused, is)
	case on.ResumeByDate && was.pausedUntil(from, s.UpdatedAt) && to.Before(from):
		d.happenedByDate(flow.Activated, is)
	}
}

// skipsBy reports whether the next charge of an updated subscription is later than a renewal can be. The charge before is at from at the earliest: a
// date that has passed was renewed since, and Recharge sends no update of the subscription then.
func (s SubscriptionState) skipsBy(updated SubscriptionState, from, to time.Time) bool {
	return to.After(later(s.nextAfter(from), updated.nextAfter(from)).Add(roundedUp))
}

// paused reports whether the subscription was paused, and neither activated nor canceled since.
func (s SubscriptionState) paused() bool {
	return s.Last[flow.Paused].After(later(s.Last[flow.Activated], s.Last[flow.Canceled]))
}

// pausedUntil reports whether the subscription was paused, and its next charge is still more than an interval away. A pause ends with the next
// renewal, of which nothing else is known.
func (s SubscriptionState) pausedUntil(next, at time.Time) bool {
	return s.Last[flow.Paused].After(s.Last[flow.Activated]) && next.After(s.nextAfter(at))
}

// follows reports whether the state of an active subscription is that of an update at a time, and newer than before.
func (s SubscriptionState) follows(before SubscriptionState, at time.Time) bool {
	return s.Status == statusActive && before.Status == statusActive && s.UpdatedAt.Equal(at) && at.After(before.UpdatedAt)
}

// happenedByDate drafts what a moved date means, and stores it.
func (d *draft) happenedByDate(what flow.Happening, s SubscriptionState) {
	s.happened(what, s.UpdatedAt)
	d.state.Subscriptions[s.ID] = s
	fact := factID(d.settings.Store, "subscription_moved_date", string(what), s.ID, instant(s.UpdatedAt))
	if what == flow.Activated {
		d.fact(StatusResumed, s.UpdatedAt, fact)
	}
	d.happened(what, s.UpdatedAt, fact)
}

// nextAfter returns the date of the charge after one at a time. Without an interval it is a year later, so that nothing is taken for a
// pause.
func (s Subscription) nextAfter(at time.Time) time.Time {
	n := s.ChargeInterval
	if n == 0 {
		n = s.OrderInterval
	}
	switch {
	case n > 0 && s.IntervalUnit == "day":
		return at.AddDate(0, 0, n)
	case n > 0 && s.IntervalUnit == "week":
		return at.AddDate(0, 0, 7*n)
	case n > 0 && s.IntervalUnit == "month":
		return at.AddDate(0, n, 0)
	}
	return at.AddDate(1, 0, 0)
}

// firstOrder drafts the order of a first checkout. It has the fact of an order/processed, which Recharge sends for renewals.
func (d *draft) firstOrder() {
	o := d.webhook.Order
	if o.Type != orderCheckout {
		return
	}
	d.orderProcessed(firstTime(o.ProcessedAt, o.CreatedAt, o.UpdatedAt, d.receivedAt))
}

// orderCheckout is the type of an order of a checkout; those of renewals are recurring.
const orderCheckout = "checkout"
