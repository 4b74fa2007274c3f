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
	byName := map[string]admin.GroupLag{}
	for _, each := range admin.ByGroup(lags) {
		byName[each.Group] = each
	}
	for _, group := range i.Groups {
		rows = append(rows, ofGroup(group, byName[group.Name]))
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

// ofGroup returns the row of a group.
func ofGroup(group topology.Group, lag admin.GroupLag) Row {
	row := Row{Check: "group " + group.Name, Status: OK, Found: fmt.Sprintf("members: %d, lag: %d records", len(lag.Members), lag.Records)}
	if lag.Records > 0 {
		row.Found += fmt.Sprintf(", the oldest of %s in partition %d of %s", lag.Worst.Age.Round(time.Second), lag.Worst.Partition, lag.Worst.Topic)
	}
	switch {
	case len(lag.Members) == 0:
		row.Status, row.Cure = Failed, "start rechargeflow run "+string(group.Role)
	case lag.Worst.Age >= farBehind:
		row.Status, row.Cure = Failed, "see rechargeflow ready and the log for what it waits for"
	case lag.Worst.Age >= behind:
		row.Status, row.Cure = Warning, "see rechargeflow ready and the log for what it waits for"
	case lag.Unowned > 0:
		row.Status, row.Cure = Warning, "a rebalance may be in progress; if it lasts, see rechargeflow lag --partitions"
		row.Found += fmt.Sprintf(", partitions without a member: %d", lag.Unowned)
	}
	return row
}
