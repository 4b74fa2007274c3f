package subscriber

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// State is the state of one customer of a store. It depends only on the records about them. pkg/customerstate loads and saves
// it. The zero value is the state of a new customer.
type State struct {
	Emitted       Emitted                      `json:"emitted,omitempty"`
	Customer      CustomerState                `json:"customer,omitzero"`
	Subscriptions map[string]SubscriptionState `json:"subscriptions,omitempty"` // by id
	// lookedUp means that the API was just called for the customer: another lookup would not help.
	lookedUp bool
}

// SubscriptionState is a subscription according to its newest snapshot, and its last happenings. For a deleted one, and for a
// one-time product, only the id is stored.
type SubscriptionState struct {
	Subscription
	Status    string    `json:"status"`      // active, cancelled, expired, deleted, onetime
	UpdatedAt time.Time `json:"at,omitzero"` // of the snapshot; that of Subscription is not set
	// Rank and Hash order snapshots with the same time.
	Rank int    `json:"rank,omitempty"`
	Hash string `json:"hash,omitempty"`
	// Last is the time of the last happening of each kind, by Recharge's time; for a deletion, the time of first receipt.
	Last map[flow.Happening]time.Time `json:"last,omitempty"`
	// OwnerSentAt is when the last owner record was published, by the time of receipt of its cause.
	OwnerSentAt time.Time `json:"owner_sent_at,omitzero"`
	// Held is set if the subscription has moved to another customer.
	Held *Held `json:"held,omitempty"`
}

const (
	statusActive    = "active"
	statusCancelled = "cancelled"
	statusExpired   = "expired"
	statusDeleted   = "deleted"
	statusOneTime   = recharge.StatusOneTime
)

// exists reports whether it is a subscription and was not deleted.
func (s SubscriptionState) exists() bool {
	return s.Status != statusDeleted && s.Status != statusOneTime
}

// Equal reports whether two states of a subscription have the same row.
func (s *SubscriptionState) Equal(other *SubscriptionState) bool {
	return s.Subscription == other.Subscription && s.texts() == other.texts() && s.times() == other.times() && s.Rank == other.Rank &&
		maps.Equal(s.Last, other.Last) && equalTo(s.Held, other.Held)
}

func (s *SubscriptionState) texts() [2]string { return [...]string{s.Status, s.Hash} }

func (s *SubscriptionState) times() [2]time.Time { return [...]time.Time{s.UpdatedAt, s.OwnerSentAt} }

// equalTo compares what two pointers point to.
func equalTo[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// clone returns a copy that can be changed. Values behind its pointers and maps must be replaced, not changed.
func (st *State) clone() *State {
	c := &State{Customer: st.Customer, Subscriptions: maps.Clone(st.Subscriptions), Emitted: st.Emitted.clone(), lookedUp: st.lookedUp}
	if c.Subscriptions == nil {
		c.Subscriptions = make(map[string]SubscriptionState)
	}
	return c
}

// SubscriptionIDs returns the ids of the subscriptions, sorted.
func (st *State) SubscriptionIDs() []string {
	ids := slices.AppendSeq(make([]string, 0, len(st.Subscriptions)), maps.Keys(st.Subscriptions))
	slices.Sort(ids)
	return ids
}

// gone reports whether the customer was deleted: no personal data is stored any more.
func (st *State) gone() bool { return !st.Customer.DeletedAt.IsZero() }

// canLookUp reports whether a lookup of the customer can help.
func (st *State) canLookUp() bool { return !st.lookedUp && !st.gone() }

// LookedUp returns the state after a lookup of the customer: no decision requires another lookup.
func (st *State) LookedUp() *State {
	after := *st
	after.lookedUp = true
	return &after
}

// AsSaved returns the state as it is when it is loaded again.
func (st *State) AsSaved() State {
	saved := *st
	saved.lookedUp = false
	return saved
}

// absorb applies the customer and the subscription of a webhook, if they are newer.
func (st *State) absorb(w recharge.Webhook, receivedAt time.Time) {
	if st.gone() {
		return
	}
	if w.Customer != nil {
		st.Customer.absorb(w.Topic, w.Customer, receivedAt)
	}
	var p person
	switch at := firstTime(changedAt(w), receivedAt); {
	case !w.Erased():
		st.Customer.mention(p.fromResource(w), at)
	case w.Customer == nil || !w.Customer.Erased:
		st.Customer.erase(at)
	}
	if w.Subscription != nil {
		st.snapshot(w.Topic, w.Hash, w.Subscription, receivedAt)
	}
}

// changedAt returns when a webhook's resource changed.
func changedAt(w recharge.Webhook) time.Time {
	switch {
	case w.Subscription != nil:
		return w.Subscription.UpdatedAt
	case w.Charge != nil:
		return w.Charge.UpdatedAt
	case w.Order != nil:
		return w.Order.UpdatedAt
	}
	return time.Time{}
}

// topicRead is the topic of an object that was read from the API, not sent because of a change.
const topicRead recharge.Topic = "subscription/read"

// snapshot applies a subscription unless a newer one is known, and records its happening.
func (st *State) snapshot(topic recharge.Topic, hash string, s *recharge.Subscription, receivedAt time.Time) {
	known, seen := st.Subscriptions[s.ID]
	known.note(topic, s, receivedAt)
	next := SubscriptionState{
		Subscription: *subscriptionOf(s), Status: statusOf(topic, s, known),
		UpdatedAt: firstTime(s.UpdatedAt, s.CancelledAt, s.CreatedAt, receivedAt),
		Rank:      rankOf(topic), Hash: hash[:min(len(hash), 16)], Last: known.Last, OwnerSentAt: known.OwnerSentAt,
	}
	next.Subscription.UpdatedAt = time.Time{} // the state has its own
	if topic == "subscription/deleted" {      // a deletion has no time of its own
		next.UpdatedAt = later(known.UpdatedAt, firstTime(s.UpdatedAt, s.CancelledAt, s.CreatedAt))
	}
	if !next.exists() {
		next.Subscription = Subscription{ID: s.ID}
	}
	if seen && !next.newerThan(known) {
		next = known.withLate(next)
	}
	st.Subscriptions[s.ID] = next
}

// statusOf returns the status of a snapshot, or the one implied by its topic.
func statusOf(topic recharge.Topic, s *recharge.Subscription, known SubscriptionState) string {
	switch {
	case s.Status == statusOneTime, s.Status == "" && known.Status == statusOneTime:
		return statusOneTime
	case topic == "subscription/deleted":
		return statusDeleted
	case s.Status != "":
		return s.Status
	case topic == "subscription/cancelled":
		return statusCancelled
	case topic == "subscription/activated" || known.Status == statusDeleted:
		return statusActive
	}
	return orElse(known.Status, statusActive)
}

// vanish marks a subscription as deleted that is missing in a list of all subscriptions. Unlike a deletion this is not final: a
// newer snapshot restores it.
func (st *State) vanish(id string, at time.Time) {
	s := st.Subscriptions[id]
	st.Subscriptions[id] = SubscriptionState{
		Subscription: Subscription{ID: id}, Status: statusDeleted, UpdatedAt: at, Rank: rankOf(topicRead), Last: s.Last,
	}
}

// vanished reports whether the subscription was missing in a list. Then its time is that of the list.
func (s SubscriptionState) vanished() bool {
	return s.Status == statusDeleted && !s.final() && s.Held == nil
}

// newerThan orders snapshots: a deletion is final; otherwise by time, then topic, then hash, so that the order of arrival makes
// no difference.
func (s SubscriptionState) newerThan(other SubscriptionState) bool {
	if s.final() != other.final() {
		return s.final()
	}
	if !s.UpdatedAt.Equal(other.UpdatedAt) {
		return s.UpdatedAt.After(other.UpdatedAt)
	}
	if s.Rank != other.Rank {
		return s.Rank > other.Rank
	}
	return s.Hash > other.Hash
}

func (s SubscriptionState) final() bool { return s.Rank == rankDeleted }

const rankDeleted = 5

// rankOf orders snapshots with the same time by their topic.
func rankOf(topic recharge.Topic) int {
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

// note records the happening of a webhook.
func (s *SubscriptionState) note(topic recharge.Topic, r *recharge.Subscription, receivedAt time.Time) {
	at := firstTime(r.UpdatedAt, receivedAt)
	switch topic {
	case "subscription/activated":
		s.happened(flow.Activated, at)
	case "subscription/cancelled":
		s.happened(flow.Canceled, firstTime(r.CancelledAt, at))
	case "subscription/deleted":
		if s.Last[flow.Deleted].IsZero() {
			s.happened(flow.Deleted, receivedAt)
		}
	case "subscription/paused":
		s.happened(flow.Paused, at)
	case "subscription/skipped":
		s.happened(flow.Skipped, at)
	case "subscription/unskipped":
		s.happened(flow.Unskipped, at)
	}
}

func (s *SubscriptionState) happened(what flow.Happening, at time.Time) {
	if !at.After(s.Last[what]) {
		return
	}
	last := maps.Clone(s.Last)
	if last == nil {
		last = make(map[flow.Happening]time.Time)
	}
	last[what] = at
	s.Last = last
}

// deletedTTL is how long the deletion marker of a customer is stored. Recharge sends their last webhooks within days.
const deletedTTL = 100 * 24 * time.Hour

// recordTTL is how old a record may be that is decided on. It is more than the 400 days for which raw webhooks are kept, and
// the week that one of their segments may take to fill.
const recordTTL = 425 * 24 * time.Hour

// OldestRecord returns the earliest receipt time of a record that may still be processed. No such record needs data that had
// expired by then.
func OldestRecord(now time.Time) time.Time { return now.Add(-recordTTL) }

// CheckAge returns an error for a record that was received so long ago that the state that it needs may have expired.
func CheckAge(receivedAt, now time.Time) error {
	if !receivedAt.Before(OldestRecord(now)) {
		return nil
	}
	return fmt.Errorf("record was received at %s: the state that it needs may have expired", receivedAt.Format(time.RFC3339))
}

// WithoutExpired returns the state without data that has expired at a time, whether or not its rows are already removed: the
// result does not depend on when rows are removed. Emitted facts have their own TTL, even after a deletion.
func (st *State) WithoutExpired(at time.Time) *State {
	if st.Customer.Expired(at) {
		st = &State{Subscriptions: make(map[string]SubscriptionState), Emitted: st.Emitted, lookedUp: st.lookedUp}
	}
	oldest := OldestEmitted(at)
	for month := range st.Emitted {
		if month < oldest {
			left := st.clone()
			left.Emitted.expire(at)
			return left
		}
	}
	return st
}

// Expired reports whether the customer was deleted so long ago that even the deletion is abandoned.
func (k *CustomerState) Expired(at time.Time) bool {
	return !k.DeletedAt.IsZero() && !at.Before(k.DeletedAt.Add(deletedTTL))
}
