package app

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// transformer is the configuration of a transformer on these brokers.
func transformer(t *testing.T, brokers []string) config.Config {
	t.Helper()
	return settings(t, `
kafka: {brokers: ["`+brokers[0]+`"], durability: single}
admin: {listen: "127.0.0.1:0"}
shutdown_delay: 0s
transformer: {state_dir: "`+t.TempDir()+`"}
stores:
  - name: acme
    recharge: {secrets: [client-secret], token: api-token, api_url: "http://127.0.0.1:1"}
    bloomreach: {enabled: false}
`)
}

func TestRunWaitsForTopics(t *testing.T) {
	brokers := broker(t, admin.Spec{}).Brokers()
	p := start(t, transformer(t, brokers), topology.RoleTransformer)
	p.awaitLog("topic recharge.webhooks is missing: `rechargeflow topics apply` creates it")
	spec, err := BuiltInTopics(config.Kafka{Durability: config.DurabilitySingle})
	require.NoError(t, err)
	_, err = admin.Apply(t.Context(), kafka.Cluster{Brokers: brokers}, spec)
	require.NoError(t, err)
	p.awaitLog("broker checks passed")
	p.stop()
	require.NoError(t, p.end())
}

func TestRunEndsForAFaultThatWaitingDoesNotFix(t *testing.T) {
	brokers := broker(t, admin.Spec{}).Brokers()
	_, err := admin.Apply(t.Context(), kafka.Cluster{Brokers: brokers}, admin.Spec{Topics: []admin.TopicSpec{
		{Name: "recharge.webhooks", Partitions: 2, Replication: 1}, {Name: "recharge.events", Partitions: 3, Replication: 1},
	}})
	require.NoError(t, err)
	p := start(t, transformer(t, brokers), topology.RoleTransformer)
	require.ErrorContains(t, p.end(), "topic recharge.webhooks has 2 partitions, not 12 (kafka.partitions): set the number with which the topics were created; topic recharge.events has 3")
}

// Whatever a role reads and writes is in the built-in topics file.
func TestTopicsOfRolesAreInTheTopicsFile(t *testing.T) {
	spec, err := BuiltInTopics(config.Kafka{TopicPrefix: "staging."})
	require.NoError(t, err)
	for _, role := range topology.Roles() {
		topics := topology.Topics{Prefix: "staging."}
		names := slices.Compact(slices.Sorted(slices.Values(slices.Concat(topics.Reads(role), topics.Writes(role), tables("staging.", role)))))
		assert.Len(t, requirements(spec, []topology.Role{role}, "staging.").Topics, len(names), role)
		assert.NotEmpty(t, names, role)
	}
}

// The gateway is ready as long as the brokers answer and have its topic, whatever other topics are missing.
func TestGatewayReadiness(t *testing.T) {
	brokers := broker(t, admin.Spec{})
	cluster := kafka.Cluster{Brokers: brokers.Brokers()}
	a, err := New(transformer(t, cluster.Brokers), []topology.Role{topology.RoleGateway, topology.RoleTransformer}, Options{Log: zap.NewNop()})
	require.NoError(t, err)
	a.running.Store(true)
	check, err := a.newBrokerCheck(cluster)
	require.NoError(t, err)
	status := func() string {
		check.probe(t.Context())
		return a.health.Report().Status
	}
	assert.Equal(t, telemetry.StatusNotReady, status(), "the topic is missing")
	_, err = admin.Apply(t.Context(), cluster, admin.Spec{Topics: []admin.TopicSpec{{Name: "recharge.webhooks", Partitions: 12, Replication: 1}}})
	require.NoError(t, err)
	assert.Equal(t, telemetry.StatusReady, status())
	require.NoError(t, check.once(t.Context()))
	assert.Equal(t, telemetry.StatusReady, status(), "topics of the transformer are missing")
	require.NoError(t, brokers.Close())
	assert.Equal(t, telemetry.StatusNotReady, status(), "the broker is gone")
}
