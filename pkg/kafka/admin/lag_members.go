package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

// Members sets the member and host of each lag, as the groups' coordinators report them.
func (l *LagReader) Members(ctx context.Context, lags []Lag) error {
	owners := map[string]map[recordID]kafkago.DescribeGroupsResponseMember{}
	for i := range lags {
		lag := &lags[i]
		group := cmp.Or(lag.Membership, lag.Group)
		if owners[group] == nil {
			err := l.pool.Retry(ctx, func() error {
				var err error
				owners[group], err = l.owners(ctx, group)
				return err
			})
			if err != nil {
				return fmt.Errorf("describe group %s: %w", group, err)
			}
		}
		owner := owners[group][recordID{topic: lag.Topic, partition: lag.Partition}]
		lag.Member, lag.Host = owner.MemberID, host(owner.ClientHost)
	}
	return nil
}

// host returns an address without what brokers add to it: Apache Kafka a leading slash, the embedded broker a port.
func host(address string) string {
	address = strings.TrimPrefix(address, "/")
	if alone, _, err := net.SplitHostPort(address); err == nil {
		return alone
	}
	return address
}

// owners returns the members of a group by partition. A group that does not exist has none.
func (l *LagReader) owners(ctx context.Context, group string) (map[recordID]kafkago.DescribeGroupsResponseMember, error) {
	members, err := l.describe(ctx, group)
	if err != nil {
		return nil, err
	}
	owners := map[recordID]kafkago.DescribeGroupsResponseMember{}
	for _, member := range members {
		for _, t := range member.MemberAssignments.Topics {
			for _, partition := range t.Partitions {
				owners[recordID{topic: t.Topic, partition: partition}] = member
			}
		}
	}
	return owners, nil
}

// describe returns the members of a group.
func (l *LagReader) describe(ctx context.Context, group string) (members []kafkago.DescribeGroupsResponseMember, err error) {
	answer, err := conn.Plain(l.pool.Client().DescribeGroups(ctx, &kafkago.DescribeGroupsRequest{GroupIDs: []string{group}}))
	if err != nil {
		return nil, err
	}
	for _, g := range answer.Groups {
		if g.Error != nil && !errors.Is(g.Error, kafkago.GroupIdNotFound) {
			return nil, g.Error
		}
		members = append(members, g.Members...)
	}
	return members, nil
}
