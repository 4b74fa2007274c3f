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
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

func TestStagesTable(t *testing.T) {
	run := pipeline.Runtime{Topics: pipeline.Topics{Prefix: "test."}}
	options := pipeline.Options{State: customerstatetest.Store(&customerstatetest.Memory{}), Raw: &memoryTopics{}, Stores: []pipeline.Store{
		{Settings: settingsOf("acme"), Tracker: trackerFunc(nil), Texts: &pipeline.Texts{}},
		{Settings: settingsOf("silent")},
		{Settings: settingsOf("beta"), Tracker: trackerFunc(nil), Texts: &pipeline.Texts{}},
	}}
	stages, err := pipeline.Stages(pipeline.Roles(), options, run)
	require.NoError(t, err)
	var got []string
	for _, s := range stages {
		got = append(got, fmt.Sprintf("%s %v %s sink:%t whole:%t", s.Role, s.Topics, s.Group, s.Sink, s.Whole))
	}
	assert.Equal(t, []string{
		"transformer [test.recharge.webhooks test.recharge.redrive.transformer] test.rechargeflow.transformer sink:false whole:false",
		"tracking [test.recharge.events test.recharge.redrive.tracking] test.rechargeflow.tracking.acme sink:true whole:false",
		"tracking [test.recharge.events test.recharge.redrive.tracking] test.rechargeflow.tracking.beta sink:true whole:false",
		"sms [test.recharge.sms-triggers test.recharge.redrive.sms] test.rechargeflow.sms.acme sink:true whole:true",
		"sms [test.recharge.sms-triggers test.recharge.redrive.sms] test.rechargeflow.sms.beta sink:true whole:true",
	}, got)
	_, err = pipeline.Stages([]pipeline.Role{"links"}, options, run)
	require.EqualError(t, err, `role "links" is unknown`)
	_, err = pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, pipeline.Options{}, run)
	require.ErrorContains(t, err, "build transformer")
}

// The table of roles and the topics file name the same topics.
func TestRolesAndTopicsFileAgree(t *testing.T) {
	topics := pipeline.Topics{Prefix: "test."}
	used := map[string]bool{
		"test.recharge.messages": true, // for a later version: no role of this one writes it
		"test.recharge.settings": true, // read and written as a whole, by no role's consumer
	}
	for _, role := range pipeline.Roles() {
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
	topics := pipeline.Topics{Prefix: "test."}
	assert.Equal(t, []pipeline.Group{
		{Name: "test.rechargeflow.transformer", Role: pipeline.RoleTransformer, Topics: []string{"test.recharge.webhooks", "test.recharge.redrive.transformer"}},
		{Name: "test.rechargeflow.tracking.acme", Role: pipeline.RoleTracking, Membership: "test.rechargeflow.tracking", Topics: []string{"test.recharge.events", "test.recharge.redrive.tracking"}},
		{Name: "test.rechargeflow.sms.acme", Role: pipeline.RoleSMS, Topics: []string{"test.recharge.sms-triggers", "test.recharge.redrive.sms"}},
		{Name: "test.rechargeflow.sms.beta", Role: pipeline.RoleSMS, Topics: []string{"test.recharge.sms-triggers", "test.recharge.redrive.sms"}},
	}, topics.Groups(func(role pipeline.Role) []string {
		if role == pipeline.RoleTracking {
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
