package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/embedded"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// Topics are created once in a new cluster. A topic that does not match is reported and fails the command.
func TestTopicsOnABroker(t *testing.T) {
	broker, err := embedded.Start(embedded.Config{}, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	environ := []string{
		"RECHARGEFLOW_KAFKA_BROKERS=" + strings.Join(broker.Brokers(), ","),
		"RECHARGEFLOW_KAFKA_DURABILITY=single",
		"RECHARGEFLOW_KAFKA_TOPIC_PREFIX=staging.",
	}
	topics := func(args ...string) (code int, stdout, stderr string) {
		var out, errs bytes.Buffer
		code = execute(t.Context(), append([]string{"topics"}, args...), environ, &out, &errs)
		return code, out.String(), errs.String()
	}

	for _, work := range []string{"plan", "plan", "apply"} {
		code, stdout, stderr := topics(work)
		require.Equal(t, cli.ExitOK, code, stderr)
		assert.Contains(t, stdout, "staging.recharge.webhooks: create\n", "plan changes nothing")
	}
	for _, work := range []string{"apply", "plan"} {
		code, stdout, stderr := topics(work)
		require.Equal(t, cli.ExitOK, code, stderr)
		assert.Contains(t, stdout, "staging.recharge.webhooks: ok\n")
		assert.NotContains(t, stdout, "create")
	}

	fewer := write(t, "partitions: 6\nreplication: 1\nmin_insync_replicas: 1\ntopics: [{name: recharge.webhooks, policy: delete, retention: 400d}]\n")
	code, _, stderr := topics("apply", "--file", fewer)
	require.Equal(t, cli.ExitUsage, code, stderr)
	assert.Contains(t, stderr, "the topics file has 6 partitions, and kafka.partitions is 12: set both to the same number")
	environ = append(environ, "RECHARGEFLOW_KAFKA_PARTITIONS=6")
	for _, work := range []string{"plan", "apply"} {
		code, stdout, stderr := topics(work, "--file", fewer)
		require.Equal(t, cli.ExitFailed, code, stderr)
		assert.Contains(t, stdout, "staging.recharge.webhooks: refuse: ")
	}
}

// Brokers that require authentication: the user is in the configuration, the password in a file.
func TestTopicsOnASecuredBroker(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Apache Kafka; run without -short")
	}
	b := kafkatest.StartSecured(t)
	secret := write(t, b.Password+"\n")
	environ := []string{
		"RECHARGEFLOW_KAFKA_BROKERS=" + b.SASLTLS, "RECHARGEFLOW_KAFKA_DURABILITY=single",
		"RECHARGEFLOW_KAFKA_TLS_ENABLED=true", "RECHARGEFLOW_KAFKA_TLS_CA_FILE=" + b.CA,
		"RECHARGEFLOW_KAFKA_SASL_MECHANISM=SCRAM-SHA-512", "RECHARGEFLOW_KAFKA_SASL_USERNAME=" + b.User,
		"RECHARGEFLOW_KAFKA_SASL_PASSWORD_FILE=" + secret,
	}
	topics := func(work string) (code int, stdout, stderr string) {
		var out, errs bytes.Buffer
		code = execute(t.Context(), []string{"topics", work}, environ, &out, &errs)
		return code, out.String(), errs.String()
	}
	for _, work := range []string{"apply", "plan"} {
		code, _, stderr := topics(work)
		require.Equal(t, cli.ExitOK, code, stderr)
	}
	_, stdout, _ := topics("plan")
	assert.Contains(t, stdout, "recharge.webhooks: ok\n")

	require.NoError(t, os.WriteFile(secret, []byte("hidden-and-wrong"), 0o600))
	code, _, stderr := topics("plan")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, stderr, "no access to kafka: authenticate with "+b.SASLTLS+` by SASL SCRAM-SHA-512 as "rechargeflow"`)
	assert.NotContains(t, stderr, "hidden")
}
