package customerstate

import (
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// ApplyChargeOwner stores the customer of a charge by an owner record that was received at a time. It returns the deletion that a customer
// must hear of, nil if there is none.
func (tx *Tx) ApplyChargeOwner(o subscriber.ChargeOwner, receivedAt time.Time) (*subscriber.ChargeDeletion, error) {
	charge := Ref{o.Store, o.ChargeID}
	known, err := tx.chargeOwner(charge)
	if err != nil {
		return nil, err
	}
	next, deletion := subscriber.ApplyChargeOwner(known, o, receivedAt)
	return deletion, tx.setChargeOwner(charge, known, next)
}

// ApplyChargeDeleted stores that a charge was deleted, as a webhook says that was received at a time. It returns the deletion that the
// customer must hear of, or why there is none.
func (tx *Tx) ApplyChargeDeleted(store, chargeID string, receivedAt time.Time) (*subscriber.ChargeDeletion, reason.Reason, error) {
	charge := Ref{store, chargeID}
	known, err := tx.chargeOwner(charge)
	if err != nil {
		return nil, "", err
	}
	next, deletion, why := subscriber.ApplyChargeDeleted(known, store, chargeID, receivedAt)
	return deletion, why, tx.setChargeOwner(charge, known, next)
}

func (tx *Tx) chargeOwner(charge Ref) (known subscriber.ChargeOwnerState, err error) {
	key := charge.key(chargeOwnerRows, "")
	if row := tx.rows.Get(key); row != nil {
		if err := decode(row, &known); err != nil {
			return known, fmt.Errorf("decode row %s: %w", key, err)
		}
	}
	return known, nil
}

func (tx *Tx) setChargeOwner(charge Ref, known, next subscriber.ChargeOwnerState) error {
	if next == known {
		return nil
	}
	if err := tx.setState(charge.key(chargeOwnerRows, ""), next); err != nil {
		return fmt.Errorf("encode owner of charge: %w", err)
	}
	return nil
}
