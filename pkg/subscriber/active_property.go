package subscriber

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// active returns whether any subscription is active, and since when; known is false if this is unknown. The count in a customer
// object decides if it is newer than every known subscription, unless all that it counted may have moved since. Otherwise the subscriptions decide: one active subscription is
// enough for true. False requires that all subscriptions are known, or that a count of the same instant agrees.
//
// The time is one of Recharge's. A deletion has none, so it is just after everything known: the time of its receipt could be
// later than the change by which another customer got the same profile.
func (st *State) active() (value bool, at time.Time, known bool) {
	count := st.Customer.Count
	newest, some := st.newestSnapshot()
	changed := st.changedLast()
	counts := count != nil && !st.allMovedSince(*count)
	switch {
	case counts && count.At.After(newest):
		return count.Active > 0, count.At, true
	case some:
		return true, changed, true
	case !st.Customer.CompleteAt.IsZero():
		return false, firstTime(st.endedAt(), st.Customer.CompleteAt), true
	case counts && !count.At.Before(newest):
		return count.Active > 0, count.At, true
	case count != nil && st.noneLeftOf(*count):
		return false, st.endedAt(), true
	}
	return false, time.Time{}, false
}

// noneLeftOf reports whether none of the subscriptions that were counted is active: what came later than a count of zero are
// deletions, which made none active; or all that were counted have moved to other customers.
func (st *State) noneLeftOf(count Count) bool {
	if count.Active == 0 {
		return !count.At.Before(st.changedLast())
	}
	return st.allMovedSince(count)
}

// allMovedSince reports whether all active subscriptions that were counted have moved to other customers since, or may have.
func (st *State) allMovedSince(count Count) bool {
	return count.Active > 0 && count.Active <= st.movedSince(count.At)
}

// endedAt returns since when no subscription is active.
func (st *State) endedAt() time.Time {
	changed := st.changedLast()
	if newest, _ := st.newestSnapshot(); newest.After(changed) { // a deletion
		return justAfter(st.knownLast())
	}
	return changed
}

// justAfter returns the next time that Bloomreach tells apart; for the zero time itself.
func justAfter(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(time.Microsecond)
}

// changedLast returns the time of the last change of a subscription. Deletions do not count.
func (st *State) changedLast() (last time.Time) {
	for _, s := range st.Subscriptions {
		if s.Status != statusOneTime && !s.vanished() {
			last = later(last, s.changedAt())
		}
	}
	return last
}

// knownLast returns the time of the newest object known of the customer.
func (st *State) knownLast() time.Time {
	return later(st.changedLast(), st.Customer.UpdatedAt)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// newestSnapshot returns the time of the newest snapshot, for a deletion that of its receipt, and whether any subscription is
// active.
func (st *State) newestSnapshot() (newest time.Time, some bool) {
	for _, s := range st.Subscriptions {
		if s.Status == statusOneTime {
			continue
		}
		at := s.changedAt()
		if s.Status == statusDeleted {
			at = firstTime(s.Last[flow.Deleted], at)
		}
		if at.After(newest) {
			newest = at
		}
		some = some || s.Status == statusActive
	}
	return newest, some
}

// activeProperty emits the property if its value or its profile has changed. The error is a *LookupNeeded if the profile is
// unknown.
func (d *draft) activeProperty() error {
	value, at, known := d.state.active()
	if !known || !d.hasActiveProperty() {
		return nil
	}
	to := d.settings.DestinationID(d.customerID, d.state.Customer.Email)
	if to == "" {
		return d.requireProfile()
	}
	if last := d.state.Customer.ActiveProperty; last == nil || last.To != to {
		d.clearOldProfile(last, at)
		at = later(at, d.profileAt())
	}
	if !d.state.Customer.ActiveProperty.is(value, to) {
		d.setActiveProperty(value, at, to)
	}
	return nil
}

// clearOldProfile sets the property of the profile before to FALSE. Bloomreach does not merge the profiles of two addresses: the old
// one would stay active for ever.
func (d *draft) clearOldProfile(last *ActiveProperty, at time.Time) {
	if last != nil && last.Value && !d.settings.KeepOldProfile {
		d.setActiveProperty(false, at, last.To)
		d.out.Events[len(d.out.Events)-1].Former = true
	}
}

// profileAt returns the time of the object that shows the customer's profile; for a profile that only they can have, the zero time.
// Before it an e-mail may have been that of another customer, whose FALSE must not win.
func (d *draft) profileAt() time.Time {
	if d.settings.CustomerID == ByRechargeID {
		return time.Time{}
	}
	return d.state.Customer.emailAt()
}

func (f *ActiveProperty) is(value bool, to string) bool {
	return f != nil && f.Value == value && f.To == to
}

// hasActiveProperty reports whether the property was ever emitted for the customer.
func (d *draft) hasActiveProperty() bool {
	if d.state.erased() && d.settings.CustomerID == ByEmail {
		return false
	}
	return d.settings.ActiveProperty && d.customerID != "" && !d.state.gone()
}

// requireProfile requires a lookup of the customer to learn the profile of the property. Without the API the property is
// emitted once a record identifies the customer.
func (d *draft) requireProfile() error {
	if d.settings.API && !d.state.lookedUp && !d.imported {
		return &LookupNeeded{CustomerID: d.customerID}
	}
	return nil
}

// setActiveProperty emits the property with a time, in microseconds, later than the last one: Bloomreach uses the property with
// the newest update_timestamp.
func (d *draft) setActiveProperty(value bool, at time.Time, to string) {
	email, ok := d.profileEmail(to)
	if !ok {
		return
	}
	at = at.Truncate(time.Microsecond)
	if last := d.state.Customer.ActiveProperty; last != nil && !at.After(last.At) {
		at = last.At.Add(time.Microsecond)
	}
	d.state.Customer.ActiveProperty = &ActiveProperty{Value: value, At: at, To: to}
	e := Event{
		Type: EventProperty, OccurredAt: at, Property: &Property{Name: PropertyActive, Value: value},
		Store: d.settings.Store, RechargeCustomerID: d.customerID, Email: email,
	}
	e.ID = propertyID(e, to)
	d.out.Events = append(d.out.Events, e)
}

// profileEmail returns the e-mail of an event for a profile. ok is false if the profile is from before a change of the store's
// customer_id: events no longer use such profiles.
func (d *draft) profileEmail(to string) (email string, ok bool) {
	if d.settings.CustomerID == ByRechargeID {
		return d.state.Customer.Email, to == d.customerID
	}
	return to, to != d.customerID
}

// requestSubscriptions requests the customer's subscriptions if one ended, or if the property is TRUE, and the state does not
// determine the property.
func (d *draft) requestSubscriptions() {
	if !d.settings.API || !d.hasActiveProperty() {
		return
	}
	last := d.state.Customer.ActiveProperty
	if _, _, known := d.state.active(); !known && (d.ended() || last != nil && last.Value) {
		d.requestLookup(recharge.LookupRequest{Kind: recharge.LookupSubscriptions, Due: d.receivedAt})
	}
}

// ended reports whether the webhook shows a subscription that is not active.
func (d *draft) ended() bool {
	s := d.webhook.Subscription
	return s != nil && !d.isOneTime() && d.state.Subscriptions[s.ID].Status != statusActive
}
