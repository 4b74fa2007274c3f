package customerstate

import (
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// ApplyOwner compares an owner record, received at a time, with the stored owner of its subscription, and stores the newer one.
// It returns the move that the former owner must hear of, nil if there is none.
func (tx *Tx) ApplyOwner(o subscriber.Owner, receivedAt time.Time) (*subscriber.Move, error) {
	key := Ref{o.Store, o.SubscriptionID}.key(ownerRows, "")
	var known *subscriber.OwnerState
	if row := tx.rows.Get(key); row != nil {
		known = &subscriber.OwnerState{}
		if err := decodeBy(tx.partition.codec.owners, row, known); err != nil {
			return nil, fmt.Errorf("decode row %s: %w", key, err)
		}
	}
	next, move := subscriber.ApplyOwner(known, o, receivedAt)
	if next == known {
		return move, nil
	}
	if err := tx.setState(key, next); err != nil {
		return nil, fmt.Errorf("encode owner: %w", err)
	}
	return move, nil
}
