package recharge_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

func TestNearestTopic(t *testing.T) {
	for mistyped, want := range map[recharge.Topic]recharge.Topic{
		"subscription/creatd":             "subscription/created",
		"subscription/craeted":            "subscription/created",
		"subscriptions/created":           "subscription/created",
		"subscriptoin/create":             "subscription/created",
		"subscription/canceled":           "subscription/cancelled",
		"order/canceled":                  "order/cancelled",
		"charge/pay":                      "charge/paid",
		"charge/succes":                   "charge/success",
		"charge/paid":                     "charge/paid",
		"subscription/resumed":            "", // Recharge does not have it: no topic is meant
		"subscription/expired":            "",
		"order/fulfilled":                 "",
		"charge/processed":                "",
		"discount/created":                "",
		"a/b":                             "",
		"":                                "",
		"subscription/max_number_reached": "",
	} {
		assert.Equal(t, want, mistyped.Nearest(), mistyped)
	}
}

// Every topic is nearest to itself, and is found with one wrong character at its end.
func TestNearestTopicOfKnown(t *testing.T) {
	for _, topic := range recharge.Topics() {
		assert.Equal(t, topic, topic.Nearest())
		assert.Equal(t, topic, (topic + "x").Nearest())
		assert.Equal(t, topic, topic[:len(topic)-1].Nearest())
	}
}
