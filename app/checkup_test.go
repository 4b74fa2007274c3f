package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/app/doctor"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// clinic is an installation with a transformer's group of two partitions.
type clinic struct {
	t       *testing.T
	cluster kafka.Cluster
	i       doctor.Installation
	group   topology.Group
}

func newClinic(t *testing.T) *clinic {
	t.Helper()
	cluster := kafkatest.Embedded(t).Cluster()
	cfg := settings(t, `
kafka: {partitions: 2, durability: single, brokers: ["`+cluster.Brokers[0]+`"]}
stores: [{name: acme, customer_id: recharge_id, recharge: {secrets: [client-secret]}, bloomreach: {enabled: false}}]
`)
	spec, err := BuiltInTopics(cfg.Kafka)
	require.NoError(t, err)
	_, err = admin.Apply(t.Context(), cluster, spec)
	require.NoError(t, err)
	i := Checkup(config.Loaded{Config: cfg}, nil, CheckupOptions{
		Roles: []topology.Role{topology.RoleTransformer}, Version: telemetry.Version{Version: "v1.3.0"}, Now: time.Now,
	})
	require.Len(t, i.Groups, 1)
	return &clinic{t: t, cluster: cluster, i: i, group: i.Groups[0]}
}

// rows returns those about the group.
func (c *clinic) rows() (rows []doctor.Row) {
	for _, row := range doctor.Run(c.t.Context(), c.i) {
		if row.Check == "group "+c.group.Name {
			rows = append(rows, row)
		}
	}
	return rows
}

// joins adds a member that handles nothing, until the test ends, and waits until it has partitions.
func (c *clinic) joins(info kafka.MemberInfo, topics ...string) {
	c.t.Helper()
	member := kafka.NewConsumer(c.cluster, kafka.ConsumerConfig{
		Group: c.group.Name, Topics: topics, Info: info, FetchWait: 50 * time.Millisecond, SessionTimeout: 6 * time.Second, HeartbeatInterval: 100 * time.Millisecond,
	}, zap.NewNop())
	ctx, stop := context.WithCancel(context.WithoutCancel(c.t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- member.Run(ctx, func(context.Context, []kafka.Record) (kafka.Finished, error) {
			return kafka.Finished{}, errors.New("not now")
		})
	}()
	c.t.Cleanup(func() {
		stop()
		require.NoError(c.t, <-ended)
	})
	require.Eventually(c.t, func() bool { return len(member.Status().Partitions) > 0 }, 30*time.Second, 10*time.Millisecond)
}

// awaitMembers waits for that many members with partitions, and until brokers return what they show: during a rebalance they do not.
func (c *clinic) awaitMembers(count int) {
	c.t.Helper()
	reader, err := admin.NewLagReader(c.cluster, time.Now)
	require.NoError(c.t, err)
	defer reader.Close()
	require.Eventually(c.t, func() bool {
		members, err := reader.GroupMembers(c.t.Context(), c.group.Name)
		return err == nil && len(members) == count && !slices.ContainsFunc(members, func(m admin.Member) bool { return !m.HasInfo })
	}, 30*time.Second, 10*time.Millisecond)
}

// runs is what a member should show.
func (c *clinic) runs() kafka.MemberInfo { return c.i.Runs[c.group.Role] }

func TestCheckupOfGroups(t *testing.T) {
	const webhooks = "recharge.webhooks"
	for name, c := range map[string]struct {
		topics []string      // that the member consumes; none: there is no member
		age    time.Duration // of a record that is not committed; 0: there is none
		status doctor.Status
		found  string
		cure   string
	}{
		"no member":       {status: doctor.Failed, found: `^members: 0, lag: 0 records$`, cure: "start rechargeflow run transformer"},
		"nobody, behind":  {age: time.Hour, status: doctor.Failed, found: `^members: 0, lag: 1 records, the oldest of 1h0m\ds in partition 1 of ` + webhooks, cure: "start rechargeflow run transformer"},
		"up to date":      {topics: []string{webhooks, "recharge.redrive.transformer"}, status: doctor.OK, found: `^members: 1, lag: 0 records$`},
		"a little behind": {topics: []string{webhooks, "recharge.redrive.transformer"}, age: 30 * time.Second, status: doctor.OK, found: `^members: 1, lag: 1 records, the oldest of 3\ds in partition 1 of ` + webhooks + `$`},
		"behind":          {topics: []string{webhooks, "recharge.redrive.transformer"}, age: 2 * time.Minute, status: doctor.Warning, found: `^members: 1, lag: 1 records, the oldest of 2m\ds in partition 1 of ` + webhooks + `$`, cure: "see rechargeflow ready and the log for what it waits for"},
		"far behind":      {topics: []string{webhooks, "recharge.redrive.transformer"}, age: 6 * time.Minute, status: doctor.Failed, found: `, the oldest of 6m\ds `, cure: "see rechargeflow ready and the log for what it waits for"},
		"not all owned":   {topics: []string{webhooks}, status: doctor.Warning, found: `^members: 1, lag: 0 records, partitions without a member: 2$`, cure: "a rebalance may be in progress; if it lasts, see rechargeflow lag --partitions"},
		"behind, and not": {topics: []string{webhooks}, age: 2 * time.Minute, status: doctor.Warning, found: `^members: 1, lag: 1 records, `, cure: "see rechargeflow ready and the log for what it waits for"},
	} {
		t.Run(name, func(t *testing.T) {
			clinic := newClinic(t)
			if c.age > 0 {
				producer := kafka.NewProducer(clinic.cluster, kafka.ProducerConfig{})
				require.NoError(t, producer.Produce(t.Context(), kafka.Record{Topic: webhooks, Partition: 1, Value: []byte("{}"), Time: time.Now().Add(-c.age)}))
				require.NoError(t, producer.Close())
			}
			if len(c.topics) > 0 {
				clinic.joins(clinic.runs(), c.topics...)
			}
			rows := clinic.rows()
			require.Len(t, rows, 1, "members are as they should be: %v", rows)
			assert.Equal(t, c.status, rows[0].Status)
			assert.Regexp(t, c.found, rows[0].Found)
			assert.Equal(t, c.cure, rows[0].Cure)
		})
	}
}

// Members of another version or configuration are named, each with what differs. What they have otherwise is not compared.
func TestCheckupOfMembersThatRunSomethingElse(t *testing.T) {
	began := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		info  func(*kafka.MemberInfo)
		found string // "" for no row
		cure  string
	}{
		"the same":      {info: func(*kafka.MemberInfo) {}},
		"other version": {info: func(m *kafka.MemberInfo) { m.Version = "v1.2.0" }, found: `^member \S+ at 127.0.0.1, started 2026-03-01T10:00:00Z, runs version v1.2.0, and this is v1.3.0$`, cure: "restart rechargeflow run transformer there with version v1.3.0"},
		"both differ": {
			info: func(m *kafka.MemberInfo) { m.Version, m.Configuration = "v1.4.0", "0123456789ab" }, found: ` runs version v1.4.0, and this is v1.3.0$`,
			cure: "restart rechargeflow run transformer there with version v1.3.0",
		},
		"other configuration": {
			info: func(m *kafka.MemberInfo) { m.Configuration = "0123456789ab" }, found: ` runs with another configuration \(0123456789ab\) than this file and environment \([0-9a-f]{12}\)$`,
			cure: "restart rechargeflow run transformer there with this configuration, or run doctor with the file and environment that it has",
		},
		"before it was shown": {
			info: func(m *kafka.MemberInfo) { *m = kafka.MemberInfo{} }, found: `^member \S+ at 127.0.0.1 does not show its version, and is older than this one, v1.3.0$`,
			cure: "restart rechargeflow run transformer there with version v1.3.0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			clinic := newClinic(t)
			good := clinic.runs()
			good.Started = began.Add(time.Hour)
			clinic.joins(good, clinic.group.Topics...)
			other := clinic.runs()
			other.Started = began
			c.info(&other)
			clinic.joins(other, clinic.group.Topics...)

			clinic.awaitMembers(2)
			rows := clinic.rows()
			assert.True(t, strings.HasPrefix(rows[0].Found, "members: 2, "), rows[0].Found)
			if c.found == "" {
				assert.Len(t, rows, 1)
				return
			}
			require.Len(t, rows, 2, "the other member is as it should be")
			assert.Equal(t, doctor.Warning, rows[1].Status)
			assert.Regexp(t, c.found, rows[1].Found)
			assert.Equal(t, c.cure, rows[1].Cure)
		})
	}
}
