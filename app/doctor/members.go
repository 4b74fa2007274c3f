package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

const checkMembers = "members"

// members compares what the members of the groups run with what they should: see kafka.MemberInfo. There is a row for each that differs. The
// gateway is a member of no group, so it is not compared.
func (i Installation) members(ctx context.Context) (rows []Row) {
	reader, err := admin.NewLagReader(i.Cluster, i.Now)
	if err != nil {
		return []Row{notChecked(checkMembers, err.Error())}
	}
	defer reader.Close()
	var seen []string
	for _, group := range i.Groups {
		name := cmp.Or(group.Membership, group.Name)
		if slices.Contains(seen, name) {
			continue
		}
		seen = append(seen, name)
		members, err := reader.GroupMembers(ctx, name)
		if err != nil {
			return append(rows, notChecked(checkMembers, err.Error()))
		}
		for _, member := range members {
			if row, differs := i.differing(group.Role, member); differs {
				row.Check = "group " + name
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// differing returns the row of a member that runs something else. Of another version the configuration is not compared: it may have other keys.
func (i Installation) differing(role topology.Role, member admin.Member) (row Row, differs bool) {
	if !member.HasInfo {
		return Row{}, false
	}
	runs, should := member.Info, i.Runs[role]
	restart := "restart rechargeflow run " + string(role) + " there with "
	switch {
	case runs.Version == "":
		row.Found, row.Cure = fmt.Sprintf("does not show its version, and is older than this one, %s", should.Version), restart+"version "+should.Version
	case runs.Version != should.Version:
		row.Found, row.Cure = fmt.Sprintf("runs version %s, and this is %s", runs.Version, should.Version), restart+"version "+should.Version
	case runs.Configuration != should.Configuration:
		row.Found = fmt.Sprintf("runs with another configuration (%s) than this file and environment (%s)", runs.Configuration, should.Configuration)
		row.Cure = restart + "this configuration, or run doctor with the file and environment that it has"
	default:
		return Row{}, false
	}
	row.Status, row.Found = Warning, named(member)+" "+row.Found
	return row, true
}

// named names a member.
func named(member admin.Member) string {
	name := fmt.Sprintf("member %s at %s", member.ID, member.Host)
	if member.Info.Started.IsZero() {
		return name
	}
	return name + ", started " + member.Info.Started.Format(time.RFC3339) + ","
}
