package configs_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
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

// What a record may need that can still be read is not forgotten: a segment of webhooks, which takes a week to fill at most, is
// deleted when the newest of them is past the retention.
func TestWebhooksGoBeforeWhatTheyNeed(t *testing.T) {
	spec, err := kafka.ParseTopics(configs.Topics(), kafka.TopicOptions{})
	require.NoError(t, err)
	i := slices.IndexFunc(spec.Topics, func(topic kafka.TopicSpec) bool { return topic.Name == "recharge.webhooks" })
	require.GreaterOrEqual(t, i, 0)
	retention, err := strconv.ParseInt(spec.Topics[i].Configs["retention.ms"], 10, 64)
	require.NoError(t, err)
	const week = 7 * 24 * time.Hour
	for now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC); now.Year() < 2029; now = now.Add(time.Hour) {
		oldest := now.Add(-time.Duration(retention)*time.Millisecond - week)
		require.True(t, subscriber.Oldest(now).Before(oldest), now)
		require.False(t, subscriber.PastAge([]byte("told/acme/7/"+oldest.Format("2006-01")), nil, now), now)
	}
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
