package expected

import (
	"time"

	"github.com/rechargeflow/rechargeflow/test/histories"
)

// state is the state of a customer after some webhooks.
type state struct {
	erased    bool
	customer  *histories.CustomerObject // the newest one
	mentioned string                    // the e-mail that a resource has, where there was no customer object yet
	mentionAt time.Time                 // the updated_at of the newest such resource
	count     *histories.CustomerObject // the newest object that counts, the lower one of two
	snapshots map[string]*snapshot      // by subscription
	complete  bool                      // all subscriptions are known
	lookedUp  bool                      // the customer was
	charges   map[string]*charge
	deletions map[string]bool      // charges of which a deletion was received
	swapped   map[string]time.Time // the last swap of a subscription
	emitted   map[string]bool      // facts
	property  *active
}

// snapshot is the newest snapshot of a subscription.
type snapshot struct {
	histories.Subscription

	rank    int
	silent  bool      // canceled without a webhook, after its charge failed for good
	deleted time.Time // when the deletion was received first
}

// active is the last value of recharge_subscription_active.
type active struct {
	value bool
	at    time.Time
	to    string
}

func (s *state) email() string {
	if s.customer != nil {
		return s.customer.Email
	}
	return s.mentioned
}

// emailAt returns the time of the object that has the e-mail.
func (s *state) emailAt() time.Time {
	if s.customer != nil {
		return s.customer.Updated
	}
	return s.mentionAt
}

const rankDeleted = 5

// rank orders snapshots with the same time: deleted, canceled, activated, created, any other.
func rank(topic string) int {
	switch topic {
	case "subscription/deleted":
		return rankDeleted
	case "subscription/cancelled":
		return 4
	case "subscription/activated":
		return 3
	case "subscription/created":
		return 2
	}
	return 1
}

// apply updates the state by a webhook.
func (s *state) apply(d histories.Delivery) {
	if email := mentioned(d); email != "" && s.customer == nil {
		s.mentioned = email
		if at := updated(d); at.After(s.mentionAt) {
			s.mentionAt = at
		}
	}
	if d.Customer != nil {
		s.applyCustomer(d.Customer)
	}
	if d.Subscription != nil {
		s.applySubscription(string(d.Topic), d.ID, *d.Subscription, d.Received)
	}
	if d.Charge != nil {
		s.applyCharge(d)
	}
}

// mentioned is the e-mail in a body outside of a customer object.
func mentioned(d histories.Delivery) string {
	switch {
	case d.Subscription != nil:
		return d.Subscription.Email
	case d.Charge != nil:
		return d.Charge.Email
	case d.Order != nil:
		return d.Order.Email
	}
	return ""
}

// updated is the updated_at of a body's resource.
func updated(d histories.Delivery) time.Time {
	switch {
	case d.Subscription != nil:
		return d.Subscription.Updated
	case d.Charge != nil:
		return d.Charge.Updated
	}
	return d.Order.Updated
}

func (s *state) applyCustomer(c *histories.CustomerObject) {
	if s.customer == nil || c.Updated.After(s.customer.Updated) {
		s.customer = c
	}
	if s.count == nil || c.Updated.After(s.count.Updated) || c.Updated.Equal(s.count.Updated) && c.Active < s.count.Active {
		s.count = c
	}
}

// applySubscription keeps the snapshot with the newer updated_at. A deletion is final.
func (s *state) applySubscription(topic, id string, shown histories.Subscription, received time.Time) {
	before := s.snapshots[id]
	next := &snapshot{Subscription: shown, rank: rank(topic)}
	switch {
	case before != nil && before.rank == rankDeleted:
		return
	case next.rank == rankDeleted:
		next.deleted = received
		if before != nil && before.Updated.After(next.Updated) {
			next.Updated = before.Updated
		}
	case before != nil && (shown.Updated.Before(before.Updated) || shown.Updated.Equal(before.Updated) && next.rank <= before.rank):
		return
	}
	s.snapshots[id] = next
}

// active reports whether any subscription is active, and as of when. A count that is newer than every subscription decides. Else
// any active subscription decides. Else no subscription is active if all are known, or if the count of the same instant is 0, or
// if the count was 0 and subscriptions were only deleted since. A deletion has no time: it is a microsecond after the newest object.
func (s *state) active() (value bool, at time.Time, certain bool) {
	newest, changed, some := s.newest()
	ended := changed
	if newest.After(changed) {
		ended = s.last().Add(time.Microsecond)
	}
	switch {
	case s.count != nil && s.count.Updated.After(newest):
		return s.count.Active > 0, s.count.Updated, true
	case some:
		return true, changed, true
	case s.complete, s.count != nil && s.count.Active == 0 && !s.count.Updated.Before(changed):
		return false, ended, true
	}
	return false, time.Time{}, false
}

// last returns the time of the newest object.
func (s *state) last() time.Time {
	_, last, _ := s.newest()
	for _, c := range []*histories.CustomerObject{s.customer, s.count} {
		if c != nil && c.Updated.After(last) {
			last = c.Updated
		}
	}
	return last
}

// newest returns the time of the newest snapshot, where a deletion has the time of its receipt, the latest updated_at, and whether
// any subscription is active.
func (s *state) newest() (newest, changed time.Time, some bool) {
	for _, each := range s.snapshots {
		last := each.Updated
		if each.Updated.After(changed) {
			changed = each.Updated
		}
		if !each.deleted.IsZero() {
			last = each.deleted
		} else if each.Status == "active" {
			some = true
		}
		if last.After(newest) {
			newest = last
		}
	}
	return newest, changed, some
}
