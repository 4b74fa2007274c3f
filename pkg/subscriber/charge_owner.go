package subscriber

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// The webhook of a deleted charge has the charge's id and nothing else, so it is in the partition of that id, which need not be that of
// the customer. docs/adr/0023-charges-and-facts.md explains the two records below.

// ChargeOwner is the value of an owner record of a charge that is not paid yet: its customer.
type ChargeOwner struct {
	Store      string    `json:"store"`
	ChargeID   string    `json:"charge_id"`
	CustomerID string    `json:"customer_id"`
	At         time.Time `json:"at"` // of the snapshot that says so
}

// ChargeDeletion is the value of a record for the customer of a charge that was deleted, or that has moved to another customer.
type ChargeDeletion struct {
	Store      string    `json:"store"`
	ChargeID   string    `json:"charge_id"`
	CustomerID string    `json:"customer_id"`
	ReceivedAt time.Time `json:"received_at"` // of the webhook
}

// ChargeOwnerState is what the partition of a charge's id stores: its customer, its deletion, or both.
type ChargeOwnerState struct {
	CustomerID string    `json:"customer_id,omitempty"`
	At         time.Time `json:"at,omitzero"`         // of the owner record
	DeletedAt  time.Time `json:"deleted_at,omitzero"` // when the deletion was first received
	ReceivedAt time.Time `json:"received_at"`         // of the last record
}

// chargeOwnerTTL is how long the owner of a charge is stored. An open charge is deleted or paid before.
const chargeOwnerTTL = recordTTL

// Expired reports whether the row is too old to be used for a record received at a time.
func (s *ChargeOwnerState) Expired(at time.Time) bool {
	return !at.Before(s.ReceivedAt.Add(chargeOwnerTTL))
}

// withoutExpired returns the zero value if the row has expired, whether or not it is already removed.
func (s ChargeOwnerState) withoutExpired(at time.Time) ChargeOwnerState {
	if s.Expired(at) {
		return ChargeOwnerState{}
	}
	return s
}

// ApplyChargeOwner applies an owner record, received at a time, to what is known of its charge. It returns the deletion that a customer must
// hear of: the charge was deleted before, or it has moved from one customer to another when they were merged.
func ApplyChargeOwner(known ChargeOwnerState, o ChargeOwner, receivedAt time.Time) (ChargeOwnerState, *ChargeDeletion) {
	known = known.withoutExpired(receivedAt)
	next := ChargeOwnerState{CustomerID: o.CustomerID, At: o.At.UTC(), DeletedAt: known.DeletedAt, ReceivedAt: receivedAt.UTC()}
	if known.CustomerID == "" || known.CustomerID == o.CustomerID {
		return next, next.deletion(o.Store, o.ChargeID)
	}
	if !known.DeletedAt.IsZero() { // the customer before has heard of it
		next.CustomerID = o.CustomerID
		return next, next.deletion(o.Store, o.ChargeID)
	}
	former := known.CustomerID
	if next.At.Before(known.At) {
		next, former = known, o.CustomerID
	}
	return next, &ChargeDeletion{Store: o.Store, ChargeID: o.ChargeID, CustomerID: former, ReceivedAt: receivedAt.UTC()}
}

// ApplyChargeDeleted applies the webhook of a deleted charge. It returns the deletion that the customer must hear of, or why there is none:
// the customer is not known yet, or has heard of it.
func ApplyChargeDeleted(known ChargeOwnerState, store, charge string, receivedAt time.Time) (ChargeOwnerState, *ChargeDeletion, reason.Reason) {
	known = known.withoutExpired(receivedAt)
	if !known.DeletedAt.IsZero() {
		return known, nil, reason.Duplicate
	}
	known.DeletedAt, known.ReceivedAt = receivedAt.UTC(), receivedAt.UTC()
	return known, known.deletion(store, charge), reason.ChargeOwnerUnknown
}

func (s *ChargeOwnerState) deletion(store, charge string) *ChargeDeletion {
	if s.CustomerID == "" || s.DeletedAt.IsZero() {
		return nil
	}
	return &ChargeDeletion{Store: store, ChargeID: charge, CustomerID: s.CustomerID, ReceivedAt: s.DeletedAt}
}

// ApplyChargeDeletion removes a deleted charge from the table. It is final.
func ApplyChargeDeletion(s Settings, st *State, deleted ChargeDeletion, at time.Time) (Decision, *State, error) {
	before := st.WithoutExpired(at)
	d := draft{settings: s, receivedAt: at.UTC(), before: before, state: before.clone(), customerID: deleted.CustomerID}
	d.chargeDeleted(deleted.ChargeID)
	d.conclude(reason.ChargeDeleted)
	return d.out, d.state, nil
}

// chargeDeleted removes the row of a charge.
func (d *draft) chargeDeleted(id string) {
	known := d.state.Customer.Charges[id]
	if d.state.gone() || known.Rank == rankDeletedCharge {
		return
	}
	if known.Row != "" {
		d.out.Charges = append(d.out.Charges, TableRow{ChargeID: id})
	}
	d.setCharge(id, ChargeState{At: later(known.At, d.receivedAt), Rank: rankDeletedCharge, Closed: true})
}

// ReadChargeOwner decodes the value of an owner record of a charge. The error does not quote it.
func ReadChargeOwner(value []byte) (o ChargeOwner, err error) {
	if json.Unmarshal(value, &o) != nil || o.Store == "" || o.ChargeID == "" || o.CustomerID == "" || o.At.IsZero() {
		return ChargeOwner{}, fmt.Errorf("decode owner record of a charge: %w", errNotAsWritten)
	}
	return o, nil
}

// ReadChargeDeletion decodes the value of a deletion record. The error does not quote it.
func ReadChargeDeletion(value []byte) (c ChargeDeletion, err error) {
	if json.Unmarshal(value, &c) != nil || c.Store == "" || c.ChargeID == "" || c.CustomerID == "" || c.ReceivedAt.IsZero() {
		return ChargeDeletion{}, fmt.Errorf("decode deletion record: %w", errNotAsWritten)
	}
	return c, nil
}

// AppendJSON appends the state as JSON.
func (s ChargeOwnerState) AppendJSON(b []byte) ([]byte, error) {
	value, err := json.Marshal(s)
	return append(b, value...), err
}
