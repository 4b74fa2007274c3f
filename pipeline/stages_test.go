package pipeline_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate/customerstatetest"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/sender"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/texts"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

func TestStagesTable(t *testing.T) {
	run := pipeline.Runtime{Topics: topology.Topics{Prefix: "test."}}
	options := pipeline.Options{TextState: &textMemory{}, Sender: sender.New(sender.Config{}), State: customerstatetest.Store(&customerstatetest.Memory{}), Raw: &memoryTopics{}, Stores: []pipeline.Store{
		{Settings: settingsOf("acme"), Tracker: trackerFunc(nil), Texts: &texts.Store{}},
		{Settings: settingsOf("silent")},
		{Settings: settingsOf("beta"), Tracker: trackerFunc(nil), Texts: &texts.Store{}},
	}}
	stages, err := pipeline.Stages(topology.Roles(), options, run)
	require.NoError(t, err)
	var got []string
	for _, s := range stages {
		got = append(got, fmt.Sprintf("%s %v %s sink:%t", s.Role, s.Topics, s.Group, s.Sink))
	}
	assert.Equal(t, []string{
		"transformer [test.recharge.webhooks test.recharge.redrive.transformer] test.rechargeflow.transformer sink:false",
		"tracking [test.recharge.events test.recharge.redrive.tracking test.recharge.facts] test.rechargeflow.tracking.acme sink:true",
		"tracking [test.recharge.events test.recharge.redrive.tracking test.recharge.facts] test.rechargeflow.tracking.beta sink:true",
		"sms [test.recharge.sms-triggers test.recharge.redrive.sms test.recharge.sms-receipts] test.rechargeflow.sms sink:false",
	}, got)
	_, err = pipeline.Stages([]topology.Role{"sink"}, options, run)
	require.EqualError(t, err, `role "sink" is unknown`)
	_, err = pipeline.Stages([]topology.Role{topology.RoleTransformer}, pipeline.Options{}, run)
	require.ErrorContains(t, err, "build transformer")
}

// The table of roles and the topics file name the same topics.
func TestRolesAndTopicsFileAgree(t *testing.T) {
	topics := topology.Topics{Prefix: "test."}
	used := map[string]bool{}
	for _, role := range topology.Roles() {
		for _, topic := range append(topics.Reads(role), topics.Writes(role)...) {
			used[topic] = true
		}
	}
	spec, err := admin.ParseTopics(configs.Topics(), admin.TopicOptions{Prefix: "test."})
	require.NoError(t, err)
	file := map[string]bool{}
	for _, topic := range spec.Topics {
		file[topic.Name] = true
	}
	assert.Equal(t, used, file)
}

// Groups returns the groups of the stages, in their order.
func TestGroupsAreThoseOfTheStages(t *testing.T) {
	topics := topology.Topics{Prefix: "test."}
	assert.Equal(t, []topology.Group{
		{Name: "test.rechargeflow.transformer", Role: topology.RoleTransformer, Topics: []string{"test.recharge.webhooks", "test.recharge.redrive.transformer"}},
		{Name: "test.rechargeflow.tracking.acme", Role: topology.RoleTracking, Membership: "test.rechargeflow.tracking", Topics: []string{"test.recharge.events", "test.recharge.redrive.tracking", "test.recharge.facts"}},
		{Name: "test.rechargeflow.sms", Role: topology.RoleSMS, Topics: []string{"test.recharge.sms-triggers", "test.recharge.redrive.sms", "test.recharge.sms-receipts"}},
	}, topics.Groups(func(role topology.Role) []string {
		if role == topology.RoleTracking {
			return []string{"acme"}
		}
		return []string{"acme", "beta"}
	}))
}

func settingsOf(name string) subscriber.Settings {
	return subscriber.Settings{Store: name, CustomerID: subscriber.ByEmail, ActiveProperty: true, SMS: true}
}

// acmeStore tracks to t.
func acmeStore(t pipeline.Tracker) pipeline.Store {
	return pipeline.Store{Settings: settingsOf(store), Tracker: t, CustomerIDName: "registered"}
}
