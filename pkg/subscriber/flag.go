package subscriber

import "time"

// active tells whether any subscription is active, and since when that is so; known is false where nobody can tell.
//
// A customer object's count decides where it is newer than every subscription known. Otherwise the subscriptions do: one
// that is active is enough; that none is counts only once all are known, or where a count of the same instant agrees.
func (m *Memory) active() (value bool, at time.Time, known bool) {
	count := m.Customer.Count
	newest, some := m.subscriptionsSay()
	switch {
	case count != nil && count.At.After(newest):
		return count.Active > 0, count.At, true
	case some:
		return true, newest, true
	case !m.Customer.CompleteAt.IsZero():
		return false, firstTime(newest, m.Customer.CompleteAt), true
	case count != nil && !count.At.Before(newest):
		return count.Active > 0, count.At, true
	case count != nil && count.Active == 0 && !count.At.Before(m.changedLast()):
		return false, newest, true // what came later are deletions, and they made none active
	}
	return false, time.Time{}, false
}

// changedLast is when any subscription changed last, by its own time: that of a deletion is none.
func (m *Memory) changedLast() (last time.Time) {
	for _, s := range m.Subscriptions {
		if s.UpdatedAt.After(last) {
			last = s.UpdatedAt
		}
	}
	return last
}

// subscriptionsSay returns the time of the newest snapshot, and whether any subscription is active.
func (m *Memory) subscriptionsSay() (newest time.Time, some bool) {
	for _, s := range m.Subscriptions {
		at := s.UpdatedAt
		if s.Status == statusDeleted {
			at = firstTime(s.Last[deleted], at)
		}
		if at.After(newest) {
			newest = at
		}
		some = some || s.Status == statusActive
	}
	return newest, some
}

// flag drafts the property where it changed for the profile, and remembers what was said. The error is a *LookupNeeded where
// it did and nobody knows yet for which profile.
func (d *draft) flag() error {
	value, at, known := d.memory.active()
	if !known || !d.flagged() {
		return nil
	}
	to := d.settings.destination(d.customerID, d.memory.Customer.Email)
	if to == "" {
		return d.whose()
	}
	said := d.memory.Customer.Flag
	if said != nil && said.To != to && said.Value && !d.settings.KeepOldProfile {
		// Bloomreach does not merge the profiles of two addresses: the one from before would be active for ever.
		d.sayFlag(false, at, said.To)
	}
	if !d.memory.Customer.Flag.says(value, to) {
		d.sayFlag(value, at, to)
	}
	return nil
}

func (f *Flag) says(value bool, to string) bool { return f != nil && f.Value == value && f.To == to }

// flagged says that the customer has a flag at all.
func (d *draft) flagged() bool {
	return d.settings.ActiveProperty && d.customerID != "" && !d.memory.gone()
}

// whose has the API asked for the profile that a flag is for. Where nobody can tell, the flag waits for whoever does.
func (d *draft) whose() error {
	if d.settings.API && !d.memory.asked && !d.imported {
		return &LookupNeeded{CustomerID: d.customerID}
	}
	return nil
}

// sayFlag never says a time twice, nor an earlier one: Bloomreach takes the property with the newest update_timestamp. It is
// told microseconds.
func (d *draft) sayFlag(value bool, at time.Time, to string) {
	at = at.Truncate(time.Microsecond)
	if said := d.memory.Customer.Flag; said != nil && !at.After(said.At) {
		at = said.At.Add(time.Microsecond)
	}
	d.memory.Customer.Flag = &Flag{Value: value, At: at, To: to}
	e := Event{
		Type: EventProperty, OccurredAt: at, Property: &Property{Name: PropertyActive, Value: value},
		Store: d.settings.Store, RechargeCustomerID: d.customerID, CustomerIDs: map[string]string{d.settings.CustomerIDName: to},
	}
	e.ID = propertyID(e, to)
	d.out.Events = append(d.out.Events, e)
}

// ask asks for what would make the flag sure: a subscription ended, or the flag was said, and now nobody can tell.
func (d *draft) ask() {
	if !d.settings.API || !d.flagged() {
		return
	}
	said := d.memory.Customer.Flag
	if _, _, known := d.memory.active(); !known && (d.ended() || said != nil && said.Value) {
		d.out.Asks = append(d.out.Asks, Ask{Kind: AskFlag, Due: d.receivedAt})
	}
}

// ended says that the webhook shows a subscription which is not active.
func (d *draft) ended() bool {
	s := d.webhook.Subscription
	return s != nil && d.memory.Subscriptions[s.ID].Status != statusActive
}
