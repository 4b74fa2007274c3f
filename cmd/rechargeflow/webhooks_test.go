package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// The page is what `make docs` would write.
func TestWebhooksPageIsFresh(t *testing.T) {
	var want bytes.Buffer
	require.NoError(t, writeWebhooks(&want))
	have, err := os.ReadFile("../../docs/webhooks.md")
	require.NoError(t, err)
	assert.Equal(t, want.String(), string(have), "docs/webhooks.md is stale: run make docs")
}

// Every topic has a reason, and what comes of it is what the code says that it uses.
func TestEveryTopicIsExplained(t *testing.T) {
	for _, topic := range recharge.Topics() {
		e, err := subscriber.Explain(topic)
		require.NoError(t, err, topic)
		assert.NotEmpty(t, e.Why, topic)
		something := len(e.Events)+len(e.Flows)+len(e.Revokes) > 0
		assert.Equal(t, subscriber.Uses(topic), something, topic)
	}
}
