package configs_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

func TestTopicsHaveDocumentedSettings(t *testing.T) {
	spec, err := admin.ParseTopics(configs.Topics(), admin.TopicOptions{Prefix: "shop."})
	require.NoError(t, err)
	settings := map[string]string{}
	for _, topic := range spec.Topics {
		partitions := 12
		if topic.Name == "shop.recharge.settings" {
			partitions = 1
		}
		assert.Equal(t, partitions, topic.Partitions, topic.Name)
		assert.Equal(t, 3, topic.Replication, topic.Name)
		assert.Equal(t, "2", topic.Configs["min.insync.replicas"], topic.Name)
		settings[topic.Name] = topic.Configs["cleanup.policy"] + " " + topic.Configs["retention.ms"]
	}
	assert.Equal(t, map[string]string{
		"shop.recharge.webhooks":               "delete 34560000000", // 400 days
		"shop.recharge.events":                 "delete 7776000000",  // 90 days
		"shop.recharge.facts":                  "delete 34560000000",
		"shop.recharge.charges":                "compact -1",
		"shop.recharge.sms-triggers":           "delete 2592000000", // 30 days
		"shop.recharge.sms-receipts":           "delete 2592000000",
		"shop.recharge.consent":                "compact -1",
		"shop.recharge.customers":              "compact -1",
		"shop.recharge.subscriptions":          "compact -1",
		"shop.recharge.state":                  "compact -1",
		"shop.recharge.settings":               "compact -1",
		"shop.recharge.messages":               "delete 34560000000",
		"shop.recharge.message-texts":          "compact -1",
		"shop.recharge.segment-members":        "compact -1",
		"shop.recharge.links":                  "compact -1",
		"shop.recharge.sms-state":              "compact -1",
		"shop.recharge.deadletter.transformer": "delete 7776000000",
		"shop.recharge.deadletter.tracking":    "delete 7776000000",
		"shop.recharge.deadletter.sms":         "delete 7776000000",
		"shop.recharge.redrive.transformer":    "delete 7776000000",
		"shop.recharge.redrive.tracking":       "delete 7776000000",
		"shop.recharge.redrive.sms":            "delete 7776000000",
	}, settings)
}

// The state of a webhook does not expire before the webhook itself is deleted. Retention deletes a segment when its newest
// record expires, and a segment takes at most a week to fill.
func TestStateOutlivesWebhooks(t *testing.T) {
	spec, err := admin.ParseTopics(configs.Topics(), admin.TopicOptions{})
	require.NoError(t, err)
	i := slices.IndexFunc(spec.Topics, func(topic admin.TopicSpec) bool { return topic.Name == "recharge.webhooks" })
	require.GreaterOrEqual(t, i, 0)
	retention, err := strconv.ParseInt(spec.Topics[i].Configs["retention.ms"], 10, 64)
	require.NoError(t, err)
	const week = 7 * 24 * time.Hour
	for now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC); now.Year() < 2029; now = now.Add(time.Hour) {
		oldest := now.Add(-time.Duration(retention)*time.Millisecond - week)
		require.True(t, subscriber.OldestRecord(now).Before(oldest), now)
		require.GreaterOrEqual(t, oldest.Format("2006-01"), subscriber.OldestEmitted(now), now)
	}
}

func TestStateTopicIsCompactedEarly(t *testing.T) {
	spec, err := admin.ParseTopics(configs.Topics(), admin.TopicOptions{SingleBroker: true})
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
