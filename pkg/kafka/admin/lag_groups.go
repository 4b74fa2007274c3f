package admin

import "slices"

// GroupLag is the lag of a group in all of its partitions.
type GroupLag struct {
	Group string
	// Records is the sum of the partitions.
	Records int64
	// Worst is the partition that is furthest behind: that with the oldest uncommitted record, of two as old that with more. Its Records
	// are 0 if none is behind.
	Worst Lag
	// Members are the ids of the members that own a partition, sorted. Unowned is the number of partitions without a member. Before
	// LagReader.Members all are unowned.
	Members []string
	Unowned int
}

// ByGroup sums up lags by group, in the order in which the groups first occur.
func ByGroup(lags []Lag) (groups []GroupLag) {
	for _, lag := range lags {
		at := slices.IndexFunc(groups, func(g GroupLag) bool { return g.Group == lag.Group })
		if at < 0 {
			at = len(groups)
			groups = append(groups, GroupLag{Group: lag.Group})
		}
		groups[at].add(lag)
	}
	return groups
}

func (g *GroupLag) add(lag Lag) {
	g.Records += lag.Records
	if lag.Age > g.Worst.Age || lag.Age == g.Worst.Age && lag.Records > g.Worst.Records {
		g.Worst = lag
	}
	if lag.Member == "" {
		g.Unowned++
		return
	}
	if at, known := slices.BinarySearch(g.Members, lag.Member); !known {
		g.Members = slices.Insert(g.Members, at, lag.Member)
	}
}
