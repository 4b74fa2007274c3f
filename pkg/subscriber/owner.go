package subscriber

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// A subscription moves to another customer when customers are merged: from then on its webhooks have another customer_id
// (https://shopify.dev/docs/api/admin-graphql/latest/mutations/customerMerge). Nothing says so to the former owner, whose state
// is in another partition. docs/adr/0014-subscriptions-that-move.md explains the two records below.

// Owner is the value of an owner record: a customer who has a subscription, and the time of the newest snapshot that says so.
type Owner struct {
	Store          string    `json:"store"`
	SubscriptionID string    `json:"subscription_id"`
	CustomerID     string    `json:"customer_id"`
	At             time.Time `json:"at"`
}

// Move is the value of a moved record: a subscription of CustomerID that belongs to another customer since a time. ReceivedAt is when
// the webhook was received that says so: if the merge left updated_at unchanged, it happened at any time before.
type Move struct {
	Store          string    `json:"store"`
	SubscriptionID string    `json:"subscription_id"`
	CustomerID     string    `json:"customer_id"`
	To             string    `json:"to"`
	At             time.Time `json:"at"`
	ReceivedAt     time.Time `json:"received_at"`
}

// OwnerState is the newest known owner of a subscription.
type OwnerState struct {
	CustomerID string    `json:"customer_id"`
	At         time.Time `json:"at"`
	// ReceivedAt is when the webhook was received that the owner record is from.
	ReceivedAt time.Time `json:"received_at"`
}

// Held is the last snapshot of a subscription before it moved to another customer, and when the webhook of the move was received.
type Held struct {
	At         time.Time `json:"at"`
	Active     bool      `json:"active,omitempty"`
	ReceivedAt time.Time `json:"received_at,omitzero"`
}

const (
	// ownerEvery is the time after which an owner record is published again. It is less than ownerTTL, so that the owner of a
	// subscription whose webhooks arrive is always known.
	ownerEvery = 180 * 24 * time.Hour
	// ownerTTL is how long an owner is stored after the last owner record.
	ownerTTL = recordTTL
	// rankMoved lets a snapshot that has the same time as the move, such as a repeated webhook, not restore the subscription.
	rankMoved = 6
)

// ApplyOwner applies an owner record, received at a time, to the known owner of its subscription, nil if there is none. It
// returns the new owner, and the move if the other customer of the two must hear of it.
func ApplyOwner(known *OwnerState, o Owner, receivedAt time.Time) (*OwnerState, *Move) {
	next := &OwnerState{CustomerID: o.CustomerID, At: o.At.UTC(), ReceivedAt: receivedAt.UTC()}
	if known == nil || known.Expired(receivedAt) {
		return next, nil
	}
	owner, former := known, next
	if next.newerThan(known) {
		owner, former = next, known
	}
	if owner.CustomerID == former.CustomerID {
		return owner, nil
	}
	return owner, &Move{
		Store: o.Store, SubscriptionID: o.SubscriptionID, CustomerID: former.CustomerID, To: owner.CustomerID,
		At: owner.At, ReceivedAt: owner.ReceivedAt,
	}
}

// Expired reports whether the owner is too old to be used for a record received at a time.
func (s *OwnerState) Expired(at time.Time) bool { return !at.Before(s.ReceivedAt.Add(ownerTTL)) }

// newerThan orders owners by the time of their snapshots. If a merge leaves updated_at unchanged, the time of receipt decides.
func (s *OwnerState) newerThan(other *OwnerState) bool {
	if !s.At.Equal(other.At) {
		return s.At.After(other.At)
	}
	if !s.ReceivedAt.Equal(other.ReceivedAt) {
		return s.ReceivedAt.After(other.ReceivedAt)
	}
	return s.CustomerID > other.CustomerID
}

// ApplyMove applies a moved record, received at a time, to the state of the former owner. If the state has a newer snapshot of the
// subscription, it has moved back: the answer is another owner record. After an error the state is unchanged.
func ApplyMove(s Settings, st *State, m Move, at time.Time) (Decision, *State, error) {
	before := st.WithoutExpired(at)
	d := draft{settings: s, receivedAt: at.UTC(), before: before, state: before.clone(), customerID: m.CustomerID}
	known := d.state.Subscriptions[m.SubscriptionID]
	switch {
	case !known.held():
	case known.UpdatedAt.After(m.At):
		d.publishOwner(known)
	default:
		d.state.movedAway(known, m)
	}
	if err := d.activeProperty(); err != nil {
		return Decision{}, st, err
	}
	d.profile()
	d.requestSubscriptions()
	d.conclude(reason.MoveApplied)
	return d.out, d.state, nil
}

// held reports whether the subscription is known, exists, and is the customer's.
func (s SubscriptionState) held() bool { return s.ID != "" && s.exists() }

// movedAway marks a subscription as deleted that moved to another customer. Like one that vanished, a newer snapshot restores it.
func (st *State) movedAway(s SubscriptionState, m Move) {
	st.Subscriptions[s.ID] = SubscriptionState{
		Subscription: Subscription{ID: s.ID}, Status: statusDeleted, UpdatedAt: m.At.UTC(), Rank: rankMoved, Last: s.Last,
		Held: &Held{At: s.UpdatedAt, Active: s.Status == statusActive, ReceivedAt: m.ReceivedAt.UTC()},
	}
}

// withLate returns a state after an older snapshot: that one may be the last before a move.
func (s SubscriptionState) withLate(late SubscriptionState) SubscriptionState {
	if s.Held != nil && late.UpdatedAt.After(s.Held.At) {
		s.Held = &Held{At: late.UpdatedAt, Active: late.Status == statusActive, ReceivedAt: s.Held.ReceivedAt}
	}
	return s
}

// movedSince counts the subscriptions that were active at a time and moved to another customer after it.
func (st *State) movedSince(at time.Time) (n int) {
	for _, s := range st.Subscriptions {
		if s.Held != nil && s.Held.Active && !s.Held.At.After(at) && s.movedBy().After(at) {
			n++
		}
	}
	return n
}

// movedBy returns the time by which a subscription had moved. If the move left updated_at unchanged, only the receipt of its webhook
// shows it.
func (s SubscriptionState) movedBy() time.Time {
	if s.Held.At.Equal(s.UpdatedAt) {
		return later(s.UpdatedAt, s.Held.ReceivedAt)
	}
	return s.UpdatedAt
}

// changedAt returns the time of the last change. For a subscription that moved it is a microsecond before the move: the new owner may
// have the same profile, and their TRUE has the time of the move.
func (s SubscriptionState) changedAt() time.Time {
	if s.Held != nil {
		return s.UpdatedAt.Add(-time.Microsecond)
	}
	return s.UpdatedAt
}

// noteOwner publishes an owner record for a subscription that the customer has or had until its deletion, if none was published
// lately.
func (d *draft) noteOwner(id string) {
	s := d.state.Subscriptions[id]
	owned := s.held() || s.Status == statusDeleted && s.final()
	if owned && d.customerID != "" && !d.receivedAt.Before(s.OwnerSentAt.Add(ownerEvery)) {
		d.publishOwner(s)
	}
}

func (d *draft) publishOwner(s SubscriptionState) {
	s.OwnerSentAt = d.receivedAt
	d.state.Subscriptions[s.ID] = s
	d.out.Owners = append(d.out.Owners, Owner{
		Store: d.settings.Store, SubscriptionID: s.ID, CustomerID: d.customerID, At: firstTime(s.UpdatedAt, d.receivedAt),
	})
}

var errNotAsWritten = errors.New("value does not match its schema")

// ReadOwner decodes the value of an owner record. The error does not quote it.
func ReadOwner(value []byte) (o Owner, err error) {
	if json.Unmarshal(value, &o) != nil || o.Store == "" || o.SubscriptionID == "" || o.CustomerID == "" || o.At.IsZero() {
		return Owner{}, fmt.Errorf("decode owner record: %w", errNotAsWritten)
	}
	return o, nil
}

// ReadMove decodes the value of a moved record. The error does not quote it.
func ReadMove(value []byte) (m Move, err error) {
	if json.Unmarshal(value, &m) != nil || m.Store == "" || m.SubscriptionID == "" || m.CustomerID == "" || m.To == "" || m.At.IsZero() || m.ReceivedAt.IsZero() {
		return Move{}, fmt.Errorf("decode moved record: %w", errNotAsWritten)
	}
	return m, nil
}
