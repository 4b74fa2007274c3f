package app

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

const secret = "client-secret"

// trial is a process with all roles on the embedded broker.
func trial(t *testing.T, bloomreach string) config.Config {
	t.Helper()
	dir := t.TempDir()
	return settings(t, `
embedded: {dir: "`+filepath.Join(dir, "broker")+`", listen: "127.0.0.1:0"}
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

const created = `{"subscription":{"id":784594001,"customer_id":246936001,"status":"active","product_title":"House Blend","price":"18.50",
"presentment_currency":"USD","quantity":2,"created_at":"2026-03-01T10:00:00+00:00","updated_at":"2026-03-01T10:00:00+00:00","cancelled_at":null},
"customer":{"id":246936001,"email":"jo.bean@example.com","first_name":"Jo","last_name":"Bean","phone":"+15035550100","hash":"f99bd4a6",
"subscriptions_active_count":1,"subscriptions_total_count":1,"created_at":"2026-03-01T10:00:00+00:00","updated_at":"2026-03-01T10:00:01+00:00"}}`

// A whole process: it gets ready, accepts a webhook, sends its event, and stops cleanly.
func TestRun(t *testing.T) {
	bloomreach := bloomreachtest.New()
	t.Cleanup(bloomreach.Close)
	p := start(t, trial(t, bloomreach.BaseURL()))
	p.awaitReady()

	var report telemetry.Report
	require.NoError(t, json.Unmarshal([]byte(p.get("/readyz")), &report))
	var names []string
	for _, check := range report.Checks {
		names = append(names, check.Name)
	}
	assert.Equal(t, []string{
		"start", "state disk of transformer", "state disk of sms", "brokers", "topics", "gateway",
		"console", "what the console shows",
		"lookups", "rechargeflow.transformer", "rechargeflow.transformer work",
		"rechargeflow.tracking.acme", "rechargeflow.tracking.acme work",
		"settings", "flows", "paused texts", "consent", "sms gateways", "rechargeflow.sms", "rechargeflow.sms work",
	}, names)
	assert.Contains(t, p.get("/version"), "v1.2.3")

	header := http.Header{}
	rechargetest.Sign(header, []byte(created), secret, time.Now())
	request(t, http.MethodPost, "http://"+p.app.GatewayAddress()+"/webhooks/acme/subscription/created", strings.NewReader(created), header)
	require.Eventually(t, func() bool { return len(bloomreach.Events()) > 0 }, patience, 10*time.Millisecond, "%v", p.log)
	assert.Equal(t, "subscription", bloomreach.Events()[0].Type)
	var page string
	require.Eventually(t, func() bool {
		page = p.get("/metrics")
		return strings.Contains(page, `rechargeflow_destination_calls_total{destination="bloomreach",outcome="ok",store="acme"} `) &&
			strings.Contains(page, `rechargeflow_state_restore_seconds_count{role="transformer"} 12`+"\n") &&
			strings.Contains(page, `rechargeflow_state_restore_seconds_count{role="sms"} 12`+"\n")
	}, patience, 10*time.Millisecond)
	for _, line := range []string{
		`rechargeflow_ready{role="gateway"} 1`,
		`rechargeflow_group_configured{group="rechargeflow.sms",role="sms"} 1`,
		`rechargeflow_assigned_partitions{group="rechargeflow.transformer"} 24`,
		`rechargeflow_topic_retention_seconds{topic="recharge.sms-triggers"} 2.592e+06`,
		`rechargeflow_parked_customers{store="acme"} 0`,
		`rechargeflow_kafka_records_total{operation="produce",topic="recharge.webhooks"} `,
		`rechargeflow_kafka_operation_seconds_count{operation="fetch",outcome="ok"} `,
		`rechargeflow_kafka_operation_seconds_count{operation="transaction",outcome="committed"} `,
		`rechargeflow_state_disk_full{role="transformer"} 0`,
	} {
		assert.Contains(t, page, "\n"+line)
	}
	assert.NotContains(t, page, "rechargeflow_topic_retention_seconds{topic=\"recharge.state\"}", "compacted")
	assert.Regexp(t, `\nrechargeflow_last_webhook_timestamp_seconds\{store="acme"\} 1\.\d+e\+09\n`, page)
	assert.Regexp(t, `\nrechargeflow_state_disk_free_bytes\{role="sms"\} [1-9]`, page)
	assert.Contains(t, p.get("/metrics"), `rechargeflow_records_total{outcome="accepted",reason="",role="gateway",store="acme"} 1`)

	p.stop()
	require.NoError(t, p.end())
	assert.Contains(t, p.log.String(), "TRIAL, ONE MACHINE")
	assert.Contains(t, p.log.String(), `"msg":"store configured","store":"acme","customer_id":"recharge_id","recharge_api":true,`+
		`"registrations":"not checked: recharge.webhook_url is not set","bloomreach":"127.0.0.1:`)
	assert.Contains(t, p.log.String(), `"customer_id_name":"registered","second_id_name":"","extras":[],"sms_driver":"log"`)
	assert.Contains(t, p.log.String(), `"webhook_url":"not set"`)
	assert.NotContains(t, p.log.String(), `"level":"error"`)
}

// What goes wrong is one object per line, and no key is twice in it (which start checks): a destination that is down, a refused
// request, and what net/http itself reports.
func TestLogLinesOfTrouble(t *testing.T) {
	p := start(t, trial(t, "http://127.0.0.1:1"))
	p.awaitReady()
	gateway := "http://" + p.app.GatewayAddress()
	header := http.Header{}
	rechargetest.Sign(header, []byte(created), secret, time.Now())
	request(t, http.MethodPost, gateway+"/webhooks/acme/subscription/created", strings.NewReader(created), header)
	refused, err := http.NewRequestWithContext(t.Context(), http.MethodPost, gateway+"/webhooks/acme/subscription/created", strings.NewReader("{}"))
	require.NoError(t, err)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(refused)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
	p.awaitLog(`"msg":"webhook refused"`)
	p.awaitLog(`"msg":"handler failed, backing off","group":"rechargeflow.tracking.acme"`)
	p.awaitLog(`"msg":"record handled"`)
}

// A part that fails ends the process with its error, and everything that was started is stopped.
func TestRunEndsWithThePartThatFails(t *testing.T) {
	cfg := trial(t, "http://127.0.0.1:1")
	first := start(t, cfg)
	first.awaitReady()
	taken := first.app.GatewayAddress()
	for name, change := range map[string]func(*config.Config){
		"gateway.listen":  func(c *config.Config) { c.Gateway.Listen = taken },
		"admin.listen":    func(c *config.Config) { c.Admin.Listen = first.app.AdminAddress() },
		"embedded.listen": func(c *config.Config) { c.Embedded.Dir = cfg.Embedded.Dir },
		"state_dir":       func(c *config.Config) { c.Transformer.StateDir = cfg.Transformer.StateDir },
	} {
		second := trial(t, "http://127.0.0.1:1")
		change(&second)
		require.ErrorContains(t, start(t, second).end(), name)
	}
}

// Wrong arguments are an error of New: nothing is started.
func TestNewRefuses(t *testing.T) {
	cfg := trial(t, "http://127.0.0.1:1")
	_, err := New(cfg, []topology.Role{"sink"}, Options{Log: zap.NewNop()})
	require.EqualError(t, err, `there is no role "sink"; roles are gateway, transformer, tracking, sms, links, console`)
	_, err = New(cfg, []topology.Role{topology.RoleGateway}, Options{Log: zap.NewNop()})
	require.ErrorContains(t, err, "kafka.brokers is empty")
}
