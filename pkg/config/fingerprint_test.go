package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

const fingerprinted = `
kafka: {brokers: [kafka:9092], partitions: 6}
stores:
  - name: acme
    recharge: {secrets: [client-secret], token: api-token}
    bloomreach: {url: "https://api.exponea.com", project: p, token: tracking-token}
    sms: {driver: log, shop_name: Acme}
  - name: beta
    bloomreach: {enabled: false}
`

// fingerprints returns those of all roles, of a file and an environment. Only what a test is about is set, so faults are ignored.
func fingerprints(t *testing.T, file string, environ ...string) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rechargeflow.yaml")
	require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
	loaded, _ := config.Load(path, environ)
	require.NotEmpty(t, loaded.Config.Stores)
	all := map[string]string{}
	for _, role := range config.Roles() {
		all[role] = loaded.Config.Fingerprint(role)
		assert.Regexp(t, "^[0-9a-f]{12}$", all[role])
	}
	return all
}

func TestFingerprint(t *testing.T) {
	all := config.Roles()
	was := fingerprints(t, fingerprinted)
	for variable, changed := range map[string][]string{
		"KAFKA_PARTITIONS=7":                               all,
		"KAFKA_TOPIC_PREFIX=staging.":                      all,
		"KAFKA_HANDLER_TIMEOUT=1m":                         all,
		"STORE_ACME_CUSTOMER_ID=recharge_id":               all,
		"STORE_BETA_CURRENCY=EUR":                          all,
		"STORE_ACME_SMS_SHOP_NAME=Acme Coffee":             {"gateway", "sms"},
		"STORE_ACME_SMS_WINDOW=1m":                         {"sms"},
		"STORE_ACME_BLOOMREACH_EXTRAS=paused,resumed":      {"transformer", "tracking"},
		"STORE_ACME_BLOOMREACH_PROFILE=phone":              {"transformer"},
		"STORE_ACME_BLOOMREACH_URL=https://b.test":         {"tracking"},
		"STORE_ACME_BLOOMREACH_REQUESTS_PER_MINUTE=60":     {"tracking"},
		"STORE_ACME_SMS_WEBHOOK_URL=https://sms.acme.test": {"sms"},
		"STORE_ACME_RECHARGE_SIGNATURE=timestamped":        {"gateway"},
		"TRANSFORMER_WEBHOOK_CHECK_INTERVAL=1m":            {"transformer"},

		// another machine, another user, another look
		"KAFKA_BROKERS=127.0.0.1:9094":         nil,
		"KAFKA_CLIENT_ID=acme":                 nil,
		"KAFKA_CLIENT_RACK=a":                  nil,
		"KAFKA_TLS_ENABLED=true":               nil,
		"KAFKA_SASL_USERNAME=ann":              nil,
		"EMBEDDED_LISTEN=127.0.0.1:1":          nil,
		"GATEWAY_LISTEN=127.0.0.1:1":           nil,
		"ADMIN_LISTEN=127.0.0.1:1":             nil,
		"LOG_LEVEL=debug":                      nil,
		"TRACING_ENDPOINT=http://localhost:1":  nil,
		"SHUTDOWN_TIMEOUT=1m":                  nil,
		"TRANSFORMER_STATE_DIR=/var/lib/state": nil,
		"SMS_STATE_CACHE=1MiB":                 nil,

		// secrets, which a process has only if a role of it needs them
		"KAFKA_SASL_PASSWORD=secret":           nil,
		"STORE_ACME_RECHARGE_SECRETS=b,a":      nil,
		"STORE_ACME_RECHARGE_TOKEN=":           nil,
		"STORE_ACME_BLOOMREACH_PROJECT=q":      nil,
		"STORE_ACME_BLOOMREACH_TOKEN=other":    nil,
		"STORE_ACME_BLOOMREACH_PORTAL_KEY=k":   nil,
		"STORE_ACME_SMS_WEBHOOK_SECRET=secret": nil,
	} {
		t.Run(variable, func(t *testing.T) {
			is := fingerprints(t, fingerprinted, "RECHARGEFLOW_"+variable)
			var differ []string
			for _, role := range all {
				if is[role] != was[role] {
					differ = append(differ, role)
				}
			}
			assert.Equal(t, fmt.Sprint(changed), fmt.Sprint(differ))
		})
	}
}

// Each role has its own, and the order of stores, and where a value comes from, do not count. Another store does.
func TestFingerprintOfTheSame(t *testing.T) {
	was := fingerprints(t, fingerprinted)
	assert.NotEqual(t, was["transformer"], was["sms"])
	assert.Equal(t, was, fingerprints(t, `
kafka: {partitions: 6}
stores:
  - name: beta
    bloomreach: {enabled: false}
  - name: acme
    sms: {driver: log, shop_name: Acme}
`, "RECHARGEFLOW_STORE_ACME_BLOOMREACH_URL=https://api.exponea.com"))
	assert.NotEqual(t, was, fingerprints(t, "kafka: {partitions: 6}\nstores: [{name: acme}]\n"))
}
