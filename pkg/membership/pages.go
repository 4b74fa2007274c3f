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
			at, c := Position{partition, id}, found[id]
			if !at.isBehind(after) || !c.has(rule, now) {
				continue
			}
			if err := visit(at, c.row); err != nil {
				return err
			}
		}
	}
	return nil
}

// isBehind reports whether a position of the same partition, or a later one, is behind another one.
func (p Position) isBehind(other Position) bool {
	return p.Partition > other.Partition || other.ID == "" || byID(p.ID, other.ID) > 0
}
