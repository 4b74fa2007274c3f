package membership

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/segment"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Counts are how many customers there are, and how many of them are members.
type Counts struct {
	Customers int
	Members   []int // by rule
	// Strangers have received texts and have no row in recharge.customers. They are members of nothing.
	Strangers int
}

// Count counts the members of segments now.
func (s Source) Count(ctx context.Context, now time.Time, rules ...segment.Rule) (Counts, error) {
	counts := Counts{Members: make([]int, len(rules))}
	reader, err := s.open()
	if err != nil {
		return counts, err
	}
	defer reader.Close()
	var lock sync.Mutex
	err = reader.Each(ctx, func(ctx context.Context, partition int) error {
		found, strangers, err := s.read(ctx, reader, partition)
		if err != nil {
			return err
		}
		lock.Lock()
		defer lock.Unlock()
		counts.Customers, counts.Strangers = counts.Customers+len(found), counts.Strangers+strangers
		for _, c := range found {
			for i, rule := range rules {
				if c.has(rule, now) {
					counts.Members[i]++
				}
			}
		}
		return nil
	})
	return counts, err
}

// Members calls visit with the rows of the members of a segment, partition by partition, in the order of their IDs in each. An error of visit ends
// it.
func (s Source) Members(ctx context.Context, now time.Time, rule segment.Rule, visit func(subscriber.CustomerRow) error) error {
	return s.MembersAfter(ctx, now, rule, Position{}, func(_ Position, row subscriber.CustomerRow) error { return visit(row) })
}

// ids returns the IDs in numerical order.
func (p people) ids() []string { return slices.SortedFunc(maps.Keys(p), byID) }

func byID(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }
