package importing

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/backfill"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// known yields the ids of the store's customers in recharge.customers.
func (i *importRun) known(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		ids := map[string]bool{}
		for r, err := range kafka.Scan(ctx, i.cluster, i.topics.Customers(), time.Time{}) {
			if err != nil {
				yield("", err)
				return
			}
			id, mine := strings.CutPrefix(string(r.Key), i.store.Name+"/")
			switch {
			case !mine:
			case r.Value == nil:
				delete(ids, id)
			default:
				ids[id] = true
			}
		}
		for _, id := range slices.Sorted(maps.Keys(ids)) {
			if !yield(id, nil) {
				return
			}
		}
	}
}

// openCharges yields the store's charges in recharge.charges that are not paid.
func (i *importRun) openCharges(ctx context.Context) iter.Seq2[backfill.OpenCharge, error] {
	return func(yield func(backfill.OpenCharge, error) bool) {
		open := map[string]backfill.OpenCharge{}
		for r, err := range kafka.Scan(ctx, i.cluster, i.topics.Charges(), time.Time{}) {
			if err == nil && strings.HasPrefix(string(r.Key), i.store.Name+"/") {
				err = keepOpen(open, string(r.Key), r.Value)
			}
			if err != nil {
				yield(backfill.OpenCharge{}, err)
				return
			}
		}
		for _, key := range slices.Sorted(maps.Keys(open)) {
			if !yield(open[key], nil) {
				return
			}
		}
	}
}

// keepOpen adds a charge that is not paid, and removes one that is paid or has no row any more.
func keepOpen(open map[string]backfill.OpenCharge, key string, value []byte) error {
	var row struct {
		backfill.OpenCharge

		ProcessedAt time.Time `json:"processed_at"`
	}
	if value != nil {
		if err := json.Unmarshal(value, &row); err != nil {
			return fmt.Errorf("decode charge %s: %w", key, err)
		}
	}
	if value == nil || !row.ProcessedAt.IsZero() {
		delete(open, key)
		return nil
	}
	open[key] = row.OpenCharge
	return nil
}
