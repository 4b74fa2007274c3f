package subscriber

import (
	"maps"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Memory is what is known of one customer of a store: a function of what came in about them. Its rows are what the
// transformer keeps; see rows.go. The zero value knows nothing.
type Memory struct {
	Customer      KnownCustomer
	Subscriptions map[string]KnownSubscription // by id
	told          told
	// asked says that the API has just been asked for the customer: nobody else can tell more.
	asked bool
}

// KnownSubscription is a subscription as its newest snapshot shows it, and what happened to it. Of one that is gone only
// the id is left.
type KnownSubscription struct {
	Subscription
	Status    string    `json:"status"` // active, cancelled, expired, deleted
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	// Rank and Hash decide between snapshots of one instant.
	Rank int    `json:"rank,omitempty"`
	Hash string `json:"hash,omitempty"`
	// Last is when each kind of thing happened last, by the source's time; deleted, when that was received first.
	Last map[happening]time.Time `json:"last,omitempty"`
}

// happening is what may contradict something else.
type happening string

const (
	activated happening = "activated"
	canceled  happening = "canceled"
	deleted   happening = "deleted"
	expired   happening = "expired"
	paused    happening = "paused"
	skipped   happening = "skipped"
	unskipped happening = "unskipped"
)

const (
	statusActive    = "active"
	statusCancelled = "cancelled"
	statusExpired   = "expired"
	statusDeleted   = "deleted"
)

// clone is a copy that can be changed without harm. What lies behind the pointers and maps of its values is replaced, never
// changed.
func (m *Memory) clone() *Memory {
	c := &Memory{Customer: m.Customer, Subscriptions: maps.Clone(m.Subscriptions), told: m.told.clone(), asked: m.asked}
	if c.Subscriptions == nil {
		c.Subscriptions = make(map[string]KnownSubscription)
	}
	return c
}

// gone says that the customer was deleted: nothing personal is kept any more.
func (m *Memory) gone() bool { return !m.Customer.DeletedAt.IsZero() }

// askable says that the API may know more of the customer.
func (m *Memory) askable() bool { return !m.asked && !m.gone() }

// Asked is the same memory after the API was asked for the customer: nobody else can tell more.
func (m *Memory) Asked() *Memory {
	asked := *m
	asked.asked = true
	return &asked
}

// absorb takes in what a webhook shows of the customer and the subscription, whichever is newer.
func (m *Memory) absorb(w recharge.Webhook, receivedAt time.Time) {
	if m.gone() {
		return
	}
	var p person
	m.Customer.mention(p.fromResource(w), firstTime(changedAt(w), receivedAt))
	if w.Customer != nil {
		m.Customer.absorb(w.Topic, w.Customer, receivedAt)
	}
	if w.Subscription != nil {
		m.snapshot(w.Topic, w.Hash, w.Subscription, receivedAt)
	}
}

// changedAt is when a webhook's resource changed.
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

// topicRead is as which what the API shows enters: it changed nothing.
const topicRead recharge.Topic = "subscription/read"

// snapshot takes over a subscription unless a newer one was seen, and notes what happened.
func (m *Memory) snapshot(topic recharge.Topic, hash string, s *recharge.Subscription, receivedAt time.Time) {
	known, seen := m.Subscriptions[s.ID]
	known.note(topic, s, receivedAt)
	next := KnownSubscription{
		Subscription: *subscriptionOf(s), Status: statusOf(topic, s, known),
		UpdatedAt: firstTime(s.UpdatedAt, s.CancelledAt, s.CreatedAt, receivedAt),
		Rank:      rankOf(topic), Hash: hash[:min(len(hash), 16)], Last: known.Last,
	}
	if next.Status == statusDeleted {
		next.Subscription = Subscription{ID: s.ID}
	}
	if seen && !next.newerThan(known) {
		next = known
	}
	m.Subscriptions[s.ID] = next
}

// statusOf is the status that a snapshot shows, or that its topic says.
func statusOf(topic recharge.Topic, s *recharge.Subscription, known KnownSubscription) string {
	switch {
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

// vanished notes that a list of all subscriptions lacks one. Unlike a deletion, which is final, a newer snapshot brings it
// back.
func (m *Memory) vanished(id string, at time.Time) {
	s := m.Subscriptions[id]
	m.Subscriptions[id] = KnownSubscription{
		Subscription: Subscription{ID: id}, Status: statusDeleted, UpdatedAt: at, Rank: rankOf(topicRead), Last: s.Last,
	}
}

// newerThan orders snapshots: deleted is final, else the newer one, else the topic that says more, else any, as long as it
// is always the same.
func (s KnownSubscription) newerThan(other KnownSubscription) bool {
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

func (s KnownSubscription) final() bool { return s.Rank == rankDeleted }

const rankDeleted = 5

// rankOf says which of two snapshots of the same instant to believe.
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

// note remembers the last time of what a webhook tells.
func (s *KnownSubscription) note(topic recharge.Topic, r *recharge.Subscription, receivedAt time.Time) {
	at := firstTime(r.UpdatedAt, receivedAt)
	switch topic {
	case "subscription/activated":
		s.happened(activated, at)
	case "subscription/cancelled":
		s.happened(canceled, firstTime(r.CancelledAt, at))
	case "subscription/deleted":
		if s.Last[deleted].IsZero() {
			s.happened(deleted, receivedAt)
		}
	case "subscription/paused":
		s.happened(paused, at)
	case "subscription/skipped":
		s.happened(skipped, at)
	case "subscription/unskipped":
		s.happened(unskipped, at)
	}
}

func (s *KnownSubscription) happened(what happening, at time.Time) {
	if !at.After(s.Last[what]) {
		return
	}
	last := maps.Clone(s.Last)
	if last == nil {
		last = make(map[happening]time.Time)
	}
	last[what] = at
	s.Last = last
}
