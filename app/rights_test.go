package app

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// restricted is the configuration of a role whose user has a token.
func restricted(t *testing.T, b kafkatest.Secured, role topology.Role, bloomreach string) config.Config {
	t.Helper()
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(token, []byte(kafkatest.Token(string(role), time.Now().Add(time.Hour))), 0o600))
	return settings(t, `
kafka:
  brokers: ["`+b.SASL+`"]
  sasl: {mechanism: OAUTHBEARER, token_file: "`+token+`"}
  durability: single
  partitions: 2
  topic_check_interval: 200ms
gateway: {listen: "127.0.0.1:0"}
admin: {listen: "localhost:0"}
console: {listen: "127.0.0.1:0", data_dir: "`+filepath.Join(dir, "console")+`"}
sms: {state_dir: "`+filepath.Join(dir, "sms-state")+`"}
transformer: {state_dir: "`+filepath.Join(dir, "state")+`"}
shutdown_delay: 0s
stores:
  - name: acme
    customer_id: recharge_id
    recharge: {secrets: [`+secret+`], token: api-token, api_url: "http://127.0.0.1:1"}
    bloomreach: {url: "`+bloomreach+`", project: "`+bloomreachtest.ProjectToken+`", token: "`+bloomreachtest.PublicToken+`"}
    sms: {driver: log, shop_name: Acme}
`)
}

// TestRights runs each role as a user of its own on a broker with ACLs.
func TestRights(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Apache Kafka; run without -short")
	}
	b := kafkatest.StartSecured(t)
	bloomreach := bloomreachtest.New()
	t.Cleanup(bloomreach.Close)
	spec, err := BuiltInTopics(config.Kafka{Durability: config.DurabilitySingle, Partitions: 2})
	require.NoError(t, err)
	_, err = admin.Apply(t.Context(), b.Cluster(), spec)
	require.NoError(t, err)

	t.Run("each is named when it is missing", func(t *testing.T) {
		for _, role := range topology.Roles() {
			t.Run(string(role), func(t *testing.T) {
				t.Parallel()
				namesEachRight(t, b, restricted(t, b, role, bloomreach.BaseURL()), role)
			})
		}
	})
	processes := map[topology.Role]*process{}
	for _, role := range topology.Roles() {
		processes[role] = start(t, restricted(t, b, role, bloomreach.BaseURL()), role)
	}
	for _, p := range processes {
		p.awaitReady()
	}
	t.Run("they suffice", func(t *testing.T) {
		require.Equal(t, http.StatusOK, processes[topology.RoleGateway].send(1))
		require.Eventually(t, func() bool { return len(bloomreach.Events()) > 0 }, patience, 10*time.Millisecond)
	})
	t.Run("revoked under load", func(t *testing.T) { survivesRevocation(t, b, processes) })
	for role, p := range processes {
		p.stop()
		require.NoError(t, p.end(), role)
		assert.NotContains(t, p.log.String(), "Authorization Failed:", "errors name the right, not the code")
	}
}

// namesEachRight grants a role's rights and takes each away in turn.
func namesEachRight(t *testing.T, b kafkatest.Secured, cfg config.Config, role topology.Role) {
	user := string(role)
	needed := rights(cfg, []topology.Role{role})
	spec, err := BuiltInTopics(cfg.Kafka)
	require.NoError(t, err)
	need := requirements(spec, []topology.Role{role}, "")
	need.Rights = needed
	cluster, err := Cluster(cfg.Kafka, nil)
	require.NoError(t, err)
	findings := func() []string {
		err := admin.Check(t.Context(), cluster, need)
		var unmet *admin.CheckError
		if errors.As(err, &unmet) {
			assert.Empty(t, unmet.Permanent)
			return unmet.Waiting
		}
		require.NoError(t, err)
		return nil
	}
	assert.GreaterOrEqual(t, len(findings()), len(needed), "none is granted")
	b.Grant(user, needed...)
	require.Eventually(t, func() bool { return len(findings()) == 0 }, patience, 10*time.Millisecond, "%v", needed)
	for _, right := range needed {
		b.Revoke(user, right)
		var found []string
		require.Eventually(t, func() bool { found = findings(); return len(found) > 0 }, patience, 10*time.Millisecond, right)
		assert.Equal(t, []string{command(b, user, right)}, found)
		b.Grant(user, right)
		require.Eventually(t, func() bool { return len(findings()) == 0 }, patience, 10*time.Millisecond, right)
	}
	t.Logf("%s: %d rights", role, len(needed))
}

// command is the finding about a missing right.
func command(b kafkatest.Secured, user string, r kafka.Right) string {
	option := fmt.Sprintf("--operation %s --%s '%s'", r.Operation, r.Resource, r.Name)
	if r.Prefixed {
		option += " --resource-pattern-type prefixed"
	}
	return fmt.Sprintf("User:%s lacks %v: grant it with kafka-acls --bootstrap-server %s --add --allow-principal 'User:%s' %s", user, r, b.SASL, user, option)
}

// survivesRevocation revokes Write on the output topics of the gateway and the transformer while webhooks arrive.
func survivesRevocation(t *testing.T, b kafkatest.Secured, processes map[topology.Role]*process) {
	topics := topology.Topics{}
	gateway, transformer := processes[topology.RoleGateway], processes[topology.RoleTransformer]
	write := func(topic string) kafka.Right { return kafka.TopicRight(kafka.OperationWrite, topic) }
	says := func(p *process, check, text string) {
		t.Helper()
		require.Eventually(t, func() bool { return strings.Contains(p.failures()[check], text) }, patience, 10*time.Millisecond, "%s: %s", check, text)
	}
	accepted, stop := gateway.load()
	more := func() {
		t.Helper()
		before := accepted.count()
		require.Eventually(t, func() bool { return accepted.count() > before+20 }, patience, 10*time.Millisecond)
	}
	more()

	b.Revoke("gateway", write(topics.Webhooks()))
	says(gateway, "gateway", "User:gateway lacks Write on topic recharge.webhooks: grant it with kafka-acls")
	says(gateway, "topics", "User:gateway lacks Write on topic recharge.webhooks: grant it with kafka-acls")
	assert.Contains(t, gateway.get("/metrics"), `rechargeflow_topic_trouble{kind="rights",topic="recharge.webhooks"} 1`)
	assert.Equal(t, telemetry.StatusNotReady, gateway.app.health.Report().Status)
	assert.Equal(t, http.StatusServiceUnavailable, gateway.send(1))
	assert.Contains(t, gateway.log.String(), "publish webhook failed, refusing it")
	b.Grant("gateway", write(topics.Webhooks()))
	gateway.awaitReady()
	more()

	b.Revoke("transformer", write(topics.Events()))
	says(transformer, "topics", "User:transformer lacks Write on topic recharge.events")
	says(transformer, "rechargeflow.transformer work", "User:transformer lacks Write on topic recharge.events")
	more() // the gateway goes on
	b.Grant("transformer", write(topics.Events()))
	more()
	stop()
	transformer.awaitReady()
	gateway.awaitReady()

	total := accepted.count()
	missing := func(topic string) (left []string) {
		seen := map[string]bool{}
		for _, r := range kafkatest.All(t, b.Addr(), topic) {
			seen[strings.TrimPrefix(string(r.Key), "acme/")] = true
		}
		for customer := range accepted.all {
			if !seen[customer] {
				left = append(left, customer)
			}
		}
		return left
	}
	assert.Empty(t, missing(topics.Webhooks()), "accepted and not stored")
	require.Eventually(t, func() bool { return len(missing(topics.Events())) == 0 }, patience, 500*time.Millisecond, "each webhook has its event")
	t.Logf("%d webhooks accepted, stored and published as events", total)
}

// failures returns the errors of /readyz by check.
func (p *process) failures() map[string]string {
	found := map[string]string{}
	for _, check := range p.app.health.Report().Checks {
		found[check.Name] = check.Error
	}
	return found
}

// TestRightsAreDocumented compares docs/kafka.md with the rights that are checked.
func TestRightsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/kafka.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(page), "| role | operations | on |\n|---|---|---|\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	cfg := config.Config{Stores: []config.Store{{Name: "{store}", Bloomreach: config.Bloomreach{Enabled: true}, SMS: config.SMS{Driver: config.SMSLog}}}}
	var rows []string
	for _, role := range topology.Roles() {
		operations := map[string][]string{}
		var order []string
		for _, r := range rights(cfg, []topology.Role{role}) {
			on := r.Resource + " `" + r.Name + "`"
			if r.Prefixed {
				on = r.Resource + " `" + r.Name + "`, prefixed"
			}
			if operations[on] == nil {
				order = append(order, on)
			}
			operations[on] = append(operations[on], r.Operation)
		}
		for _, on := range order {
			rows = append(rows, fmt.Sprintf("| %s | %s | %s |", role, strings.Join(operations[on], ", "), on))
		}
	}
	assert.Equal(t, rows, strings.Split(strings.TrimSpace(table), "\n"), "the table of rights in docs/kafka.md")
}
