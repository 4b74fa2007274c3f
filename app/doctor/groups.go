package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// From these ages of the oldest uncommitted record on, a group is behind. The alert RechargeflowBehind has the second one.
const (
	behind    = time.Minute
	farBehind = 5 * time.Minute
)

// groups checks that each consumer group has members, and how far it is behind.
func (i Installation) groups(ctx context.Context) (rows []Row) {
	lags, err := i.lags(ctx)
	if err != nil {
		return []Row{{Check: checkGroups, Status: Failed, Found: err.Error()}}
	}
	for _, group := range i.Groups {
		rows = append(rows, ofGroup(group, lags))
	}
	return rows
}

func (i Installation) lags(ctx context.Context) ([]admin.Lag, error) {
	reader, err := admin.NewLagReader(i.Cluster, i.Now)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	var queries []admin.LagQuery
	for _, group := range i.Groups {
		partitions, err := reader.Partitions(ctx, group.Topics...)
		if err != nil {
			return nil, err
		}
		queries = append(queries, admin.LagQuery{Group: group.Name, Membership: group.Membership, Partitions: partitions})
	}
	lags, err := reader.Read(ctx, queries...)
	if err != nil {
		return nil, err
	}
	return lags, reader.Members(ctx, lags)
}

// state is that of a group in all its partitions.
type state struct {
	members map[string]bool
	unowned int // partitions
	records int64
	worst   admin.Lag // the partition that is furthest behind
}

func stateOf(group string, lags []admin.Lag) state {
	s := state{members: map[string]bool{}}
	for _, lag := range lags {
		if lag.Group != group {
			continue
		}
		if s.records += lag.Records; lag.Age > s.worst.Age || lag.Age == s.worst.Age && lag.Records > s.worst.Records {
			s.worst = lag
		}
		if lag.Member == "" {
			s.unowned++
		} else {
			s.members[lag.Member] = true
		}
	}
	return s
}

// ofGroup returns the row of a group.
func ofGroup(group topology.Group, lags []admin.Lag) Row {
	s := stateOf(group.Name, lags)
	row := Row{Check: "group " + group.Name, Status: OK, Found: fmt.Sprintf("members: %d, lag: %d records", len(s.members), s.records)}
	if s.records > 0 {
		row.Found += fmt.Sprintf(", the oldest of %s in partition %d of %s", s.worst.Age.Round(time.Second), s.worst.Partition, s.worst.Topic)
	}
	switch {
	case len(s.members) == 0:
		row.Status, row.Cure = Failed, "start rechargeflow run "+string(group.Role)
	case s.worst.Age >= farBehind:
		row.Status, row.Cure = Failed, "see rechargeflow ready and the log for what it waits for"
	case s.worst.Age >= behind:
		row.Status, row.Cure = Warning, "see rechargeflow ready and the log for what it waits for"
	case s.unowned > 0:
		row.Status, row.Cure = Warning, "a rebalance may be in progress; if it lasts, see rechargeflow lag --partitions"
		row.Found += fmt.Sprintf(", partitions without a member: %d", s.unowned)
	}
	return row
}
