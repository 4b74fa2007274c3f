package membership

import (
	"context"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/segment"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Position is that of a member in the order of Members. The zero value is before all.
type Position struct {
	Partition int
	ID        string // Recharge's
}

// MembersAfter is Members for those behind a position. It calls visit with the position of each, too.
func (s Source) MembersAfter(ctx context.Context, now time.Time, rule segment.Rule, after Position, visit func(Position, subscriber.CustomerRow) error) error {
	reader, err := s.open()
	if err != nil {
		return err
	}
	defer reader.Close()
	numbers, err := reader.Numbers(ctx)
	if err != nil {
		return err
	}
	for _, partition := range numbers {
		if partition < after.Partition {
			continue
		}
		found, _, err := s.read(ctx, reader, partition)
		if err != nil {
			return err
		}
		for _, id := range found.ids() {
			c := found[id]
			if partition == after.Partition && after.ID != "" && byID(id, after.ID) <= 0 || !c.has(rule, now) {
				continue
			}
			if err := visit(Position{partition, id}, c.row); err != nil {
				return err
			}
		}
	}
	return nil
}
