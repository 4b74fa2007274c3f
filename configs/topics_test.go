package configs_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

func TestTopicsAreAsPromised(t *testing.T) {
	spec, err := kafka.ParseTopics(configs.Topics(), kafka.TopicOptions{Prefix: "shop."})
	require.NoError(t, err)
	kept := map[string]string{}
	for _, topic := range spec.Topics {
		assert.Equal(t, 12, topic.Partitions, topic.Name)
		assert.Equal(t, 3, topic.Replication, topic.Name)
		assert.Equal(t, "2", topic.Configs["min.insync.replicas"], topic.Name)
		kept[topic.Name] = topic.Configs["cleanup.policy"] + " " + topic.Configs["retention.ms"]
	}
	assert.Equal(t, map[string]string{
		"shop.recharge.webhooks":               "delete 34560000000", // 400 days
		"shop.recharge.events":                 "delete 7776000000",  // 90 days
		"shop.recharge.sms-triggers":           "delete 2592000000",  // 30 days
		"shop.recharge.customers":              "compact -1",
		"shop.recharge.subscriptions":          "compact -1",
		"shop.recharge.state":                  "compact -1",
		"shop.recharge.messages":               "delete 34560000000",
		"shop.recharge.deadletter.transformer": "delete 7776000000",
		"shop.recharge.deadletter.tracking":    "delete 7776000000",
		"shop.recharge.deadletter.sms":         "delete 7776000000",
		"shop.recharge.redrive.transformer":    "delete 7776000000",
		"shop.recharge.redrive.tracking":       "delete 7776000000",
		"shop.recharge.redrive.sms":            "delete 7776000000",
	}, kept)
}

func TestTheStateTopicIsCleanedEagerly(t *testing.T) {
	spec, err := kafka.ParseTopics(configs.Topics(), kafka.TopicOptions{Single: true})
	require.NoError(t, err)
	for _, topic := range spec.Topics {
		if topic.Name == "recharge.state" {
			assert.Equal(t, "67108864", topic.Configs["segment.bytes"])
			assert.Equal(t, "0.1", topic.Configs["min.cleanable.dirty.ratio"])
			assert.Equal(t, "604800000", topic.Configs["delete.retention.ms"])
			return
		}
	}
	assert.Fail(t, "recharge.state is missing")
}
