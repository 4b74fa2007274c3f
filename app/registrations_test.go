package app

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// The owner of partition 0 registers what Recharge has deleted, while records are processed. A store without webhook_url is left alone.
func TestRegistrationsAreRestored(t *testing.T) {
	acme, beta := rechargetest.NewServer("api-token"), rechargetest.NewServer("api-token")
	t.Cleanup(acme.Close)
	t.Cleanup(beta.Close)
	cfg := settings(t, `
embedded: {dir: "`+t.TempDir()+`", listen: "127.0.0.1:0"}
gateway: {listen: "127.0.0.1:0"}
admin: {listen: "localhost:0"}
console: {listen: "127.0.0.1:0", data_dir: "`+t.TempDir()+`"}
shutdown_delay: 0s
transformer: {state_dir: "`+t.TempDir()+`", webhook_check_interval: 100ms}
stores:
  - name: acme
    recharge: {secrets: [`+secret+`], token: api-token, api_url: "`+acme.URL+`", webhook_url: "https://hooks.example.com"}
    bloomreach: {enabled: false}
  - name: beta
    recharge: {secrets: [`+secret+`], token: api-token, api_url: "`+beta.URL+`"}
    bloomreach: {enabled: false}
`)
	p := start(t, cfg)
	p.awaitReady()
	registered := func() int { return len(acme.Webhooks()) }
	require.Eventually(t, func() bool { return registered() > 20 }, patience, 10*time.Millisecond)
	require.Eventually(t, func() bool {
		return strings.Contains(p.get("/metrics"), `rechargeflow_registrations{status="missing",store="acme"} 0`)
	}, patience, 50*time.Millisecond)
	all := registered()

	acme.DropWebhooks(rechargetest.GivenUp{Topic: "charge/paid"})
	require.Eventually(t, func() bool { return registered() == all }, patience, 10*time.Millisecond)
	assert.Empty(t, beta.Webhooks())
	p.stop()
	require.NoError(t, p.end())
	assert.Contains(t, p.log.String(), `"recharge_topic":"charge/paid","was":"missing"`)
	assert.Contains(t, p.log.String(), `"registrations":"checked"`)
	assert.Contains(t, p.log.String(), `"registrations":"not checked: recharge.webhook_url is not set"`)
}
