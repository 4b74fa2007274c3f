package app

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

func TestConfigKnowsTheRoles(t *testing.T) {
	var roles []string
	for _, role := range topology.Roles() {
		roles = append(roles, string(role))
	}
	assert.Equal(t, roles, config.Roles())
}

// A process builds the clients of its own roles only: the secrets of others are not there.
func TestARoleNeedsOnlyItsOwnSecrets(t *testing.T) {
	cfg := trial(t, "https://api.exponea.com")
	cfg.Kafka.Brokers = []string{"127.0.0.1:1"}
	store := &cfg.Stores[0]
	store.Recharge.Token, store.Bloomreach.Project, store.Bloomreach.Token, store.SMS.Driver = "", "", "", config.SMSWebhook
	a, err := New(cfg, []topology.Role{topology.RoleGateway, topology.RoleTransformer}, Options{Log: zap.NewNop()})
	require.NoError(t, err)
	t.Cleanup(a.close)
	a.cluster.Brokers = cfg.Kafka.Brokers
	a.parts, err = a.newParts(cfg, a.roles)
	require.NoError(t, err)
	require.Len(t, a.parts, 1)
	assert.Equal(t, topology.RoleTransformer, a.parts[0].role)
	assert.True(t, described(*store).Settings.SMS, "the transformer emits triggers")
}

// Groups are those that the stages consume with, and their topics.
func TestGroupsAreThoseOfTheStages(t *testing.T) {
	cfg := trial(t, "https://api.exponea.com")
	second := cfg.Stores[0]
	second.Name, second.Bloomreach.Enabled, second.SMS.Driver = "beta", false, ""
	cfg.Stores = append(cfg.Stores, second)
	a, err := New(cfg, nil, Options{Log: zap.NewNop()})
	require.NoError(t, err)
	t.Cleanup(a.close)
	a.cluster.Brokers = []string{"127.0.0.1:1"}
	a.parts, err = a.newParts(cfg, a.roles)
	require.NoError(t, err)
	var stages []*stage.Stage
	for _, p := range a.parts {
		stages = append(stages, p.stages...)
	}
	groups := Groups(cfg)
	require.Len(t, groups, len(stages))
	for i, stage := range stages {
		assert.Equal(t, topology.Group{Name: stage.Group, Role: topology.Role(stage.Role), Membership: stage.Membership, Topics: stage.Topics}, groups[i])
	}
}
