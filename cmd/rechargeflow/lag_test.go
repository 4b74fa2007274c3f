package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

const twoStores = `stores:
  - name: acme
    recharge: {secrets: [s1], token: t1}
    bloomreach: {url: "https://api.exponea.com", project: p, key_id: k, secret: s}
    sms: {driver: log, shop_name: Acme}
  - name: beta
    recharge: {secrets: [s2], token: t2}
    bloomreach: {enabled: false}
`

// webhooks writes webhooks of an hour ago to one partition.
func (d *desk) webhooks(partition, count int) {
	d.t.Helper()
	for range count {
		require.NoError(d.t, d.producer.Produce(d.t.Context(), kafka.Record{
			Topic: d.topics.Webhooks(), Partition: partition, Value: []byte("{}"), Time: time.Now().Add(-time.Hour),
		}))
	}
}

// reader consumes as a role does, until the test ends, and finishes that many records.
func (d *desk) reader(role topology.Role, finish int) *kafka.Consumer {
	d.t.Helper()
	consumer := kafka.NewConsumer(d.cluster, kafka.ConsumerConfig{
		Group: d.topics.Group(role, ""), Topics: d.topics.Reads(role), MaxBatch: 1,
		FetchWait: 50 * time.Millisecond, SessionTimeout: 6 * time.Second, HeartbeatInterval: 100 * time.Millisecond,
	}, zap.NewNop())
	ctx, stop := context.WithCancel(context.WithoutCancel(d.t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- consumer.Run(ctx, func(context.Context, []kafka.Record) (kafka.Finished, error) {
			if finish == 0 {
				return kafka.Finished{}, assert.AnError
			}
			finish--
			return kafka.Finished{First: 1}, nil
		})
	}()
	d.t.Cleanup(func() {
		stop()
		require.NoError(d.t, <-ended)
	})
	require.Eventually(d.t, func() bool { return len(consumer.Status().Partitions) > 0 }, 30*time.Second, 10*time.Millisecond)
	return consumer
}

func TestLag(t *testing.T) {
	d := newDesk(t)
	d.webhooks(2, 3)
	d.reader(topology.RoleTransformer, 1)
	lag := "lag --config " + write(t, twoStores)
	line := `(?m)^staging.rechargeflow.transformer staging.recharge.webhooks 2 1 3 2 36\d\d\.\d 127.0.0.1 .*@.*$`
	require.Eventually(t, func() bool {
		stdout, _ := d.exits(cli.ExitOK, lag+" -v")
		return assert.ObjectsAreEqual(1, strings.Count(squeezed(stdout), " 2 1 3 2 36"))
	}, 30*time.Second, 50*time.Millisecond)

	stdout, _ := d.exits(cli.ExitOK, lag+" --partitions")
	stdout = squeezed(stdout) + "\n"
	assert.True(t, strings.HasPrefix(stdout, "GROUP TOPIC PARTITION COMMITTED END LAG SECONDS HOST MEMBER\n"), stdout)
	assert.Regexp(t, line, stdout)
	assert.Regexp(t, `(?m)^staging.rechargeflow.transformer staging.recharge.redrive.transformer 0 never 0 0 0.0 127.0.0.1 .*@.*$`, stdout)
	assert.Contains(t, stdout, "\nstaging.rechargeflow.tracking.acme staging.recharge.events 0 never 0 0 0.0 - nobody\n")
	assert.Contains(t, stdout, "\nstaging.rechargeflow.sms staging.recharge.sms-triggers 3 never 0 0 0.0 - nobody\n")
	assert.Len(t, strings.Fields(strings.ReplaceAll(stdout, " ", "_")), 1+8*4, "three groups, eight topics, four partitions")
	assert.NotContains(t, stdout, "beta")

	stdout, _ = d.exits(cli.ExitOK, lag)
	assert.Regexp(t, `^GROUP LAG SECONDS WORST MEMBERS
staging.rechargeflow.transformer 2 36\d\d\.\d staging.recharge.webhooks/2 1
staging.rechargeflow.tracking.acme 0 0.0 - none
staging.rechargeflow.sms 0 0.0 - none
?$`, squeezed(stdout))

	stdout, _ = d.exits(cli.ExitOK, lag+" --json --max-seconds 7200 --max-records 2")
	var rows []map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &rows))
	require.Len(t, rows, 32)
	assert.Contains(t, rows[0], "lag_seconds")

	_, stderr := d.exits(cli.ExitFailed, lag+" --max-seconds 60")
	assert.Regexp(t, `^rechargeflow lag: group staging.rechargeflow.transformer, partition 2 of staging.recharge.webhooks: 36\d\d\.\d s behind, more than 60\n$`, stderr)
	_, stderr = d.exits(cli.ExitFailed, lag+" --max-records 1")
	assert.Equal(t, "rechargeflow lag: group staging.rechargeflow.transformer, partition 2 of staging.recharge.webhooks: 2 records behind, more than 1\n", stderr)
	_, stderr = d.exits(cli.ExitFailed, lag+" --max-records 0 --max-seconds 0")
	assert.Equal(t, 2, strings.Count(stderr, "\n"))
}

// Without stores the groups of sinks are unknown. The hint goes to standard error, so that scripts can read the lag.
func TestLagWithoutStores(t *testing.T) {
	d := newDesk(t)
	stdout, stderr := d.exits(cli.ExitOK, "lag --json")
	assert.NotContains(t, stdout, "tracking")
	assert.Regexp(t, `^rechargeflow lag: no store is configured, so the groups of stores \(staging.rechargeflow.tracking.\{store\}\) are missing: .* --config .*\n$`, stderr)
	_, stderr = d.exits(cli.ExitOK, "lag --config "+write(t, twoStores))
	assert.Empty(t, stderr)
}
