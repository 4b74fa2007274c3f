package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// A new cluster gets its topics, once; a topic that does not fit is refused and fails the command.
func TestTopicsOnABroker(t *testing.T) {
	broker, err := kafka.StartEmbedded(kafka.EmbeddedConfig{}, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	environ := []string{
		"RECHARGEFLOW_KAFKA_BROKERS=" + strings.Join(broker.Brokers(), ","),
		"RECHARGEFLOW_KAFKA_DURABILITY=single",
		"RECHARGEFLOW_KAFKA_TOPIC_PREFIX=staging.",
	}
	topics := func(args ...string) (code int, stdout, stderr string) {
		var out, errs bytes.Buffer
		code = run(t.Context(), append([]string{"topics"}, args...), environ, &out, &errs)
		return code, out.String(), errs.String()
	}

	for _, work := range []string{"plan", "plan", "apply"} {
		code, stdout, stderr := topics(work)
		require.Equal(t, exitOK, code, stderr)
		assert.Contains(t, stdout, "staging.recharge.webhooks: create\n", "plan changes nothing")
	}
	for _, work := range []string{"apply", "plan"} {
		code, stdout, stderr := topics(work)
		require.Equal(t, exitOK, code, stderr)
		assert.Contains(t, stdout, "staging.recharge.webhooks: ok\n")
		assert.NotContains(t, stdout, "create")
	}

	fewer := write(t, "partitions: 6\nreplication: 1\nmin_insync_replicas: 1\ntopics: [{name: recharge.webhooks, policy: delete, retention: 400d}]\n")
	for _, work := range []string{"plan", "apply"} {
		code, stdout, stderr := topics(work, "-file", fewer)
		require.Equal(t, exitFailed, code, stderr)
		assert.Contains(t, stdout, "staging.recharge.webhooks: refuse: ")
	}
}
