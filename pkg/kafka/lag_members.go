package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/segmentio/kafka-go"
)

// Members fills in who has the partitions of lags, as the groups' coordinators say.
func (l *LagReader) Members(ctx context.Context, lags []Lag) error {
	owners := map[string]map[recordID]kafka.DescribeGroupsResponseMember{}
	for i := range lags {
		lag := &lags[i]
		if owners[lag.Group] == nil {
			err := l.weather(ctx, func() error {
				var err error
				owners[lag.Group], err = l.owners(ctx, lag.Group)
				return err
			})
			if err != nil {
				return fmt.Errorf("ask for members of group %s: %w", lag.Group, err)
			}
		}
		owner := owners[lag.Group][recordID{topic: lag.Topic, partition: lag.Partition}]
		lag.Member, lag.Host = owner.MemberID, host(owner.ClientHost)
	}
	return nil
}

// host is an address without what brokers put around it: Apache Kafka a slash before it, the embedded broker a port.
func host(address string) string {
	address = strings.TrimPrefix(address, "/")
	if alone, _, err := net.SplitHostPort(address); err == nil {
		return alone
	}
	return address
}

// owners are the members of a group by partition. A group that does not exist has none.
func (l *LagReader) owners(ctx context.Context, group string) (map[recordID]kafka.DescribeGroupsResponseMember, error) {
	answer, err := l.client().DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
	if err != nil {
		return nil, err
	}
	owners := map[recordID]kafka.DescribeGroupsResponseMember{}
	for _, g := range answer.Groups {
		if g.Error != nil && !errors.Is(g.Error, kafka.GroupIdNotFound) {
			return nil, g.Error
		}
		for _, member := range g.Members {
			for _, t := range member.MemberAssignments.Topics {
				for _, partition := range t.Partitions {
					owners[recordID{topic: t.Topic, partition: partition}] = member
				}
			}
		}
	}
	return owners, nil
}
