package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
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

// webhooks lays webhooks of an hour ago into one partition.
func (d *desk) webhooks(partition, count int) {
	d.t.Helper()
	for range count {
		require.NoError(d.t, d.producer.Produce(d.t.Context(), kafka.Record{
			Topic: d.topics.Webhooks(), Partition: partition, Value: []byte("{}"), Time: time.Now().Add(-time.Hour),
		}))
	}
}

// reader consumes as a role does, until the test ends, and finishes so many records.
func (d *desk) reader(role pipeline.Role, finish int) *kafka.Consumer {
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
				return kafka.First(0), assert.AnError
			}
			finish--
			return kafka.First(1), nil
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
	d.reader(pipeline.RoleTransformer, 1)
	lag := "lag -config " + write(t, twoStores)
	line := `(?m)^staging.rechargeflow.transformer staging.recharge.webhooks 2 1 3 2 36\d\d\.\d 127.0.0.1 .*@.*$`
	require.Eventually(t, func() bool {
		stdout, _ := d.exits(exitOK, lag)
		return assert.ObjectsAreEqual(1, strings.Count(squeezed(stdout), " 2 1 3 2 36"))
	}, 30*time.Second, 50*time.Millisecond)

	stdout, _ := d.exits(exitOK, lag)
	stdout = squeezed(stdout) + "\n"
	assert.True(t, strings.HasPrefix(stdout, "GROUP TOPIC PARTITION COMMITTED END LAG SECONDS HOST MEMBER\n"), stdout)
	assert.Regexp(t, line, stdout)
	assert.Regexp(t, `(?m)^staging.rechargeflow.transformer staging.recharge.redrive.transformer 0 never 0 0 0.0 127.0.0.1 .*@.*$`, stdout)
	assert.Contains(t, stdout, "\nstaging.rechargeflow.tracking.acme staging.recharge.events 0 never 0 0 0.0 - nobody\n")
	assert.Contains(t, stdout, "\nstaging.rechargeflow.sms.acme staging.recharge.sms-triggers 3 never 0 0 0.0 - nobody\n")
	assert.Len(t, strings.Fields(strings.ReplaceAll(stdout, " ", "_")), 1+3*2*4, "three groups, two topics, four partitions")
	assert.NotContains(t, stdout, "beta")

	stdout, _ = d.exits(exitOK, lag+" -json -max-seconds 7200 -max-records 2")
	var rows []map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &rows))
	require.Len(t, rows, 24)
	assert.Contains(t, rows[0], "lag_seconds")

	_, stderr := d.exits(exitFailed, lag+" -max-seconds 60")
	assert.Regexp(t, `^rechargeflow lag: group staging.rechargeflow.transformer, partition 2 of staging.recharge.webhooks: 36\d\d\.\d s behind, more than 60\n$`, stderr)
	_, stderr = d.exits(exitFailed, lag+" -max-records 1")
	assert.Equal(t, "rechargeflow lag: group staging.rechargeflow.transformer, partition 2 of staging.recharge.webhooks: 2 records behind, more than 1\n", stderr)
	_, stderr = d.exits(exitFailed, lag+" -max-records 0 -max-seconds 0")
	assert.Equal(t, 2, strings.Count(stderr, "\n"))
}

// Without stores the groups of sinks have no names: it says so, where a script that reads the lag does not look.
func TestLagWithoutStores(t *testing.T) {
	d := newDesk(t)
	stdout, stderr := d.exits(exitOK, "lag -json")
	assert.NotContains(t, stdout, "tracking")
	assert.Regexp(t, `^rechargeflow lag: no store is configured, so only the transformer's group .*\(staging.rechargeflow.tracking.\{store\}, staging.rechargeflow.sms.\{store\}\).* -config .*\n$`, stderr)
	_, stderr = d.exits(exitOK, "lag -config "+write(t, twoStores))
	assert.Empty(t, stderr)
}

// The groups that are asked about are those that the stages read with, and their topics.
func TestLagAsksAboutTheGroupsOfTheStages(t *testing.T) {
	path := write(t, twoStores)
	loaded, ok := (&options{config: path}).load(call{stderr: &bytes.Buffer{}})
	require.True(t, ok)
	t.Chdir(t.TempDir()) // where the ledger and the state are made
	p := &process{cfg: loaded.Config, log: zap.NewNop(), roles: pipeline.Roles(), health: telemetry.NewHealth()}
	t.Cleanup(p.close)
	built, err := p.options(t.Context())
	require.NoError(t, err)
	require.NoError(t, p.remember(kafka.Cluster{Brokers: []string{"127.0.0.1:1"}}, pipeline.Runtime{Now: time.Now}, &built))
	stages, err := pipeline.Stages(pipeline.Roles(), built, pipeline.Runtime{})
	require.NoError(t, err)
	groups, reads := groupsOf(loaded.Config)
	require.Len(t, groups, len(stages))
	for i, stage := range stages {
		assert.Equal(t, stage.Group, groups[i])
		assert.Equal(t, stage.Topics, reads[stage.Group])
	}
}

// A running process tells the lag of the partitions it has as soon as it has them, and none while the brokers don't answer.
func TestLagWatch(t *testing.T) {
	d := newDesk(t)
	d.webhooks(2, 3)
	consumer := d.reader(pipeline.RoleTransformer, 1)
	core, warnings := observer.New(zap.WarnLevel)
	watch, err := newLagWatch(d.cluster, zap.New(core))
	require.NoError(t, err)
	watch.add("staging.rechargeflow.transformer", consumer.Status)
	m := telemetry.NewMetrics()
	m.Lags(watch.report)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- watch.run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	page := func() string {
		answer := httptest.NewRecorder()
		m.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
		return answer.Body.String()
	}
	require.NotContains(t, page(), "kafka_consumergroup")
	require.Eventually(t, func() bool {
		watch.soon()
		return strings.Contains(page(), `group="staging.rechargeflow.transformer",partition="2",topic="staging.recharge.webhooks"} 2`)
	}, 30*time.Second, 20*time.Millisecond)
	assert.Regexp(t, `kafka_consumergroup_group_max_lag_seconds\{cluster_name="[^"]+",group="staging.rechargeflow.transformer"\} 36\d\d`, page())
	assert.Contains(t, page(), `partition="3",topic="staging.recharge.redrive.transformer"} 0`)
	assert.Zero(t, warnings.Len())

	require.NoError(t, d.broker.Close())
	require.Eventually(t, func() bool {
		watch.soon()
		return !strings.Contains(page(), "kafka_consumergroup")
	}, 30*time.Second, 20*time.Millisecond)
	assert.NotEmpty(t, warnings.FilterMessage("ask for lag").All())
}
