package lives

import "time"

// known is what is known of a customer after some webhooks.
type known struct {
	gone    bool
	met     *customer // the newest object
	mention string    // the e-mail that a charge has, where there was no object yet
	count   *customer // the newest object that counts, the lower one of two
	subs    map[int64]*snapshot
	all     bool // subscriptions are known
	asked   bool // who it is
	told    map[string]bool
	flag    *flag
}

// snapshot is the newest of a subscription.
type snapshot struct {
	subscription
	rank    int
	deleted time.Time // when that was received first
}

// flag is what was said last of recharge_subscription_active.
type flag struct {
	value bool
	at    time.Time
	to    string
}

func (k *known) email() string {
	if k.met != nil {
		return k.met.email
	}
	return k.mention
}

// rank orders snapshots of one instant: deleted, canceled, activated, created, anything else.
func rank(topic string) int {
	switch topic {
	case "subscription/deleted":
		return 5
	case "subscription/cancelled":
		return 4
	case "subscription/activated":
		return 3
	case "subscription/created":
		return 2
	}
	return 1
}

// take takes in what a webhook shows. The newer updated_at counts; deleted is final.
func (k *known) take(d Delivery) {
	if d.charge != nil && k.met == nil {
		k.mention = d.charge.email
	}
	if d.customer != nil && !d.customer.bare {
		k.takeCustomer(d.customer)
	}
	if d.subscription != nil {
		k.takeSubscription(d.Topic, *d.subscription, d.Received)
	}
}

func (k *known) takeCustomer(c *customer) {
	if k.met == nil || c.updated.After(k.met.updated) {
		k.met = c
	}
	if k.count == nil || c.updated.After(k.count.updated) || c.updated.Equal(k.count.updated) && c.active < k.count.active {
		k.count = c
	}
}

func (k *known) takeSubscription(topic string, s subscription, received time.Time) {
	before := k.subs[s.id]
	next := &snapshot{subscription: s, rank: rank(topic)}
	switch {
	case before != nil && before.rank == rank("subscription/deleted"):
		return
	case next.rank == rank("subscription/deleted"):
		next.deleted = received
	case before != nil && (s.updated.Before(before.updated) || s.updated.Equal(before.updated) && next.rank <= before.rank):
		return
	}
	k.subs[s.id] = next
}

// active tells whether any subscription is, and as of when: a count that is newer than every subscription decides; else one
// that is active does; else that none is counts where all are known, or where a count of the same instant says so.
func (k *known) active() (value bool, at time.Time, certain bool) {
	newest, some := k.snapshots()
	switch {
	case k.count != nil && k.count.updated.After(newest):
		return k.count.active > 0, k.count.updated, true
	case some:
		return true, newest, true
	case k.all, k.count != nil && k.count.updated.Equal(newest) && k.count.active == 0:
		return false, newest, true
	}
	return false, time.Time{}, false
}

// snapshots are the time of the newest, and whether any shows an active subscription. Of one that was deleted it is when
// that was received.
func (k *known) snapshots() (newest time.Time, some bool) {
	for _, s := range k.subs {
		last := s.updated
		if !s.deleted.IsZero() {
			last = s.deleted
		} else if s.status == "active" {
			some = true
		}
		if last.After(newest) {
			newest = last
		}
	}
	return newest, some
}
