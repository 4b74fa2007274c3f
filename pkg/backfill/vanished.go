package backfill

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Up to fewVanished customers, or a twentieth of those that are known, may have vanished without the question whether the token is right, but
// not all of them.
const fewVanished = 20

// publishVanished publishes the deletion of each known customer who was not listed and whom Recharge does not know.
func (r *run) publishVanished(ctx context.Context, next Phase, known iter.Seq2[string, error], anyNumber bool) error {
	var gone []string
	total := 0
	for id, err := range known {
		if err != nil {
			return fmt.Errorf("read known customers: %w", err)
		}
		total++
		vanished, err := r.vanished(ctx, id)
		if err != nil {
			return err
		}
		if vanished {
			gone = append(gone, id)
		}
	}
	if !anyNumber && tooMany(len(gone), total) {
		return fmt.Errorf("%w: %d of %d", ErrVanished, len(gone), total)
	}
	records := make([]kafka.Record, 0, len(gone))
	for _, id := range gone {
		records = append(records, r.resource(id, "customer/deleted", []byte(`{"customer":{"id":`+id+`}}`)))
	}
	if err := r.Produce(ctx, records...); err != nil {
		return err
	}
	r.Vanished = len(gone)
	r.Phase = next
	return r.Dir.save(r.Progress, nil)
}

// tooMany reports whether so many of all customers have vanished that the token may be wrong.
func tooMany(gone, all int) bool {
	return gone > max(fewVanished, all/20) || gone == all && all > 1
}

func (r *run) vanished(ctx context.Context, id string) (bool, error) {
	listed, err := r.Dir.has(listedPrefix + id)
	if err != nil || listed {
		return false, err
	}
	return r.gone(ctx, id)
}

// publishDeleted publishes the deletion of each open charge, scheduled since a time, that was not listed and that Recharge does not show. The
// customers have shown that the token is that of the shop.
func (r *run) publishDeleted(ctx context.Context, open iter.Seq2[OpenCharge, error], since time.Time) error {
	r.Deleted = 0 // a phase begins again
	for charge, err := range open {
		if err != nil {
			return fmt.Errorf("read open charges: %w", err)
		}
		if charge.ScheduledDate.Start().Before(since) {
			continue
		}
		deleted, err := r.deleted(ctx, charge.ID)
		if err != nil {
			return err
		}
		if !deleted {
			continue
		}
		// as its webhook, which names no customer
		if err := r.Produce(ctx, r.resource("charge/"+charge.ID, "charge/deleted", []byte(`{"charge":{"id":`+charge.ID+`}}`))); err != nil {
			return err
		}
		r.Deleted++
	}
	r.Phase = PhaseDone
	return r.Dir.save(r.Progress, nil)
}

func (r *run) deleted(ctx context.Context, charge string) (bool, error) {
	listed, err := r.Dir.has(chargePrefix + charge)
	if err != nil || listed {
		return false, err
	}
	return r.goneCharge(ctx, charge)
}
