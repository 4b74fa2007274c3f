package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Member is a member of a consumer group.
type Member struct {
	// ID is the member's id, which begins with its client id.
	ID string
	// Host is the address of the member, as the brokers see it.
	Host string
	// Info is what its process shows, if HasInfo: brokers do not return it during a rebalance, and members of other programs have none.
	Info    kafka.MemberInfo
	HasInfo bool
}

// GroupMembers returns the members of a group, by id, those without partitions included. Transient errors are retried for half a minute.
func (l *LagReader) GroupMembers(ctx context.Context, group string) (members []Member, err error) {
	var found []kafkago.DescribeGroupsResponseMember
	err = l.pool.Retry(ctx, func() (err error) {
		found, err = l.describe(ctx, group)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("describe group %s: %w", group, err)
	}
	for _, each := range found {
		info, hasInfo := kafka.ReadMemberInfo(each.MemberMetadata.UserData)
		members = append(members, Member{ID: each.MemberID, Host: host(each.ClientHost), Info: info, HasInfo: hasInfo})
	}
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
	return members, nil
}
