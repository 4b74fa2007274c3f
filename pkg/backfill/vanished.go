package backfill

import (
	"context"
	"fmt"
	"iter"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Up to fewVanished customers, or a twentieth of those that are known, may have vanished without the question whether the token is right, but
// not all of them.
const fewVanished = 20

// publishVanished publishes the deletion of each known customer who was not listed and whom Recharge does not know.
func (r *run) publishVanished(ctx context.Context, known iter.Seq2[string, error], anyNumber bool) error {
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
	r.Phase = PhaseDone
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
