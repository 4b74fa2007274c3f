package config_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

func TestDefaults(t *testing.T) {
	loaded, err := load(t, minimal)
	require.NoError(t, err)
	want := config.Config{
		Kafka:         config.Kafka{Brokers: []string{}, ClientID: "rechargeflow", Durability: "replicated", Partitions: 12, ExtraPartitions: "refuse", TopicCheckInterval: time.Minute, SessionTimeout: 30 * time.Second, HandlerTimeout: 5 * time.Minute, LostOffsets: "skip", Compression: "snappy", SASL: config.KafkaSASL{TokenCommand: []string{}, Extensions: []string{}}},
		Embedded:      config.Embedded{Dir: "./rechargeflow-data", Listen: "127.0.0.1:9092"},
		Gateway:       config.Gateway{Listen: ":8080", BodyLimit: 512 << 10, BodyMemory: 64 << 20, MaxConnections: 2000, PublishTimeout: 3 * time.Second, RetryAfter: 5 * time.Second},
		Admin:         config.Admin{Listen: "127.0.0.1:9090"},
		Log:           config.Log{Level: "info"},
		Tracing:       config.Tracing{Headers: []config.Secret{}, SampleRatio: 1},
		ShutdownDelay: time.Second, ShutdownTimeout: 25 * time.Second,
		SMS:   config.Planner{StateDir: "./rechargeflow-data/sms-state", StateCache: 16 << 20},
		Links: config.Links{Listen: ":8081", MaxConnections: 2000},
		Console: config.Console{
			Listen: "127.0.0.1:8090", DataDir: "./rechargeflow-data/console", Retention: 90 * 24 * time.Hour, MaxConnections: 1000,
			TrustedProxies: []string{}, SessionIdle: 2 * time.Hour, SessionMax: 12 * time.Hour, OIDC: config.ConsoleOIDC{
				Scopes: []string{"email", "profile"}, NameClaim: "email", RoleClaim: "groups",
				Viewers: []string{}, Editors: []string{}, Operators: []string{}, AllowedDomains: []string{},
			},
		},
		Transformer: config.Transformer{StateDir: "./rechargeflow-data/state", StateCache: 32 << 20, WebhookCheckInterval: 5 * time.Minute},
		Stores: []config.Store{{
			Name: "acme", CustomerID: config.CustomerEmail, ActiveProperty: true,
			Recharge: config.Recharge{Secrets: []config.Secret{"client-secret"}, Token: "api-token", Signature: "any", APIURL: "https://api.rechargeapps.com"},
			Bloomreach: config.Bloomreach{
				Enabled: true, URL: "https://api.exponea.com", Project: "project-token", KeyID: "key-1", Secret: "key-secret",
				CustomerIDName: "registered", Timeout: 20 * time.Second, PerMinute: 6000, Replicas: 1, Profile: []string{}, Extras: []string{},
			},
			SMS: config.SMS{DefaultRegion: "US", Timeout: 10 * time.Second, AtOnce: 10, Mode: "text", Consent: "opt_out", QuietHours: "ours", OptOutText: "Reply STOP to opt out.", HelpText: "{% if shop.url %}Help at {{ shop.url }}. {% endif %}Reply STOP to opt out.", Twilio: config.TwilioDriver{APIURL: "https://api.twilio.com"}, Telnyx: config.TelnyxDriver{APIURL: "https://api.telnyx.com"}, Klaviyo: config.KlaviyoDriver{Revision: "2026-07-15", APIURL: "https://a.klaviyo.com"}, Postscript: config.PostscriptDriver{APIURL: "https://api.postscript.io"}, Attentive: config.AttentiveDriver{APIURL: "https://api.attentivemobile.com"}, Links: config.SMSLinks{TTL: 720 * time.Hour}},
		}},
	}
	assert.Empty(t, cmp.Diff(want, loaded.Config))
}

func TestEnvironmentBeatsFileBeatsDefault(t *testing.T) {
	for _, tt := range []struct {
		name    string
		file    string
		environ []string
		want    string
	}{
		{"default", "", nil, "info"},
		{"file", "log: {level: warn}", nil, "warn"},
		{"environment", "", []string{"RECHARGEFLOW_LOG_LEVEL=error"}, "error"},
		{"all three", "log: {level: warn}", []string{"RECHARGEFLOW_LOG_LEVEL=error"}, "error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			loaded, err := load(t, minimal+tt.file, tt.environ...)
			require.NoError(t, err)
			assert.Equal(t, tt.want, loaded.Config.Log.Level)
		})
	}
}

func TestStoreVariables(t *testing.T) {
	loaded, err := load(t, `
stores:
  - name: acme
    recharge: {token: from-file}
    bloomreach: {enabled: false}
  - name: acme-recharge
    recharge: {token: from-file}
    bloomreach: {enabled: false}
`,
		"RECHARGEFLOW_STORE_ACME_RECHARGE_SECRETS=new, old",
		"RECHARGEFLOW_STORE_ACME_CUSTOMER_ID=recharge_id",
		"RECHARGEFLOW_STORE_ACME_RECHARGE_RECHARGE_SECRETS=other",
		"RECHARGEFLOW_STORE_ACME_RECHARGE_RECHARGE_TOKEN=from-env",
		"RECHARGEFLOW_STORE_ACME_RECHARGE_ACTIVE_PROPERTY=false",
	)
	require.NoError(t, err)
	acme, second := loaded.Config.Stores[0], loaded.Config.Stores[1]
	assert.Equal(t, []config.Secret{"new", "old"}, acme.Recharge.Secrets)
	assert.Equal(t, config.CustomerRechargeID, acme.CustomerID)
	assert.Equal(t, config.Secret("from-file"), acme.Recharge.Token)
	assert.True(t, acme.ActiveProperty)
	assert.Equal(t, []config.Secret{"other"}, second.Recharge.Secrets)
	assert.Equal(t, config.Secret("from-env"), second.Recharge.Token)
	assert.False(t, second.ActiveProperty)
}

func TestSecretFromFile(t *testing.T) {
	for name, tt := range map[string]struct{ content, want string }{
		"plain":           {"s3cret", "s3cret"},
		"newline":         {"s3cret\n", "s3cret"},
		"windows newline": {"s3cret\r\n", "s3cret"},
	} {
		t.Run(name, func(t *testing.T) {
			loaded, err := load(t, minimal, "RECHARGEFLOW_STORE_ACME_BLOOMREACH_SECRET_FILE="+write(t, "secret", tt.content))
			require.NoError(t, err)
			assert.Equal(t, tt.want, loaded.Config.Stores[0].Bloomreach.Secret.Reveal())
		})
	}
}

// The password's file is kept, so that it can be read again.
func TestPasswordFile(t *testing.T) {
	sasl := minimal + "kafka: {brokers: ['kafka:9093'], sasl: {mechanism: PLAIN, username: us}}"
	file := write(t, "password", "s3cret\n")
	loaded, err := load(t, sasl, "RECHARGEFLOW_KAFKA_SASL_PASSWORD_FILE="+file)
	require.NoError(t, err)
	assert.Equal(t, "s3cret", loaded.Config.Kafka.SASL.Password.Reveal())
	assert.Equal(t, file, loaded.Config.Kafka.SASL.PasswordFile)

	loaded, err = load(t, sasl, "RECHARGEFLOW_KAFKA_SASL_PASSWORD=s3cret")
	require.NoError(t, err)
	assert.Empty(t, loaded.Config.Kafka.SASL.PasswordFile)
}

func TestVariableFaults(t *testing.T) {
	for _, tt := range []struct {
		name    string
		environ []string
		want    string
	}{
		{
			"unknown",
			[]string{"RECHARGEFLOW_GATEWAY_LISTN=:1"},
			"environment RECHARGEFLOW_GATEWAY_LISTN: unknown variable, did you mean RECHARGEFLOW_GATEWAY_LISTEN?",
		},
		{
			"store not in the file",
			[]string{"RECHARGEFLOW_STORE_OTHER_SHOP_RECHARGE_TOKEN=hidden"},
			"environment RECHARGEFLOW_STORE_OTHER_SHOP_RECHARGE_TOKEN: unknown variable, no store of the file has this name",
		},
		{
			"name is the file's",
			[]string{"RECHARGEFLOW_STORE_ACME_NAME=other"},
			"environment RECHARGEFLOW_STORE_ACME_NAME: unknown variable",
		},
		{
			"_FILE of a setting that is no secret",
			[]string{"RECHARGEFLOW_LOG_LEVEL_FILE=/dev/null"},
			"environment RECHARGEFLOW_LOG_LEVEL_FILE: unknown variable",
		},
		{
			"wrong value",
			[]string{"RECHARGEFLOW_KAFKA_BROKERS=kafka-1:9092,kafka-2"},
			`environment RECHARGEFLOW_KAFKA_BROKERS: kafka.brokers: given "kafka-1:9092,kafka-2", expected values separated by commas, each host:port`,
		},
		{
			"wrong secret",
			[]string{"RECHARGEFLOW_STORE_ACME_RECHARGE_TOKEN= hidden"},
			"environment RECHARGEFLOW_STORE_ACME_RECHARGE_TOKEN: stores[acme].recharge.token: given a value that is not shown, expected a text on one line, without white space around it",
		},
		{
			"secret and file",
			[]string{"RECHARGEFLOW_STORE_ACME_RECHARGE_TOKEN=hidden", "RECHARGEFLOW_STORE_ACME_RECHARGE_TOKEN_FILE=hidden"},
			"environment RECHARGEFLOW_STORE_ACME_RECHARGE_TOKEN_FILE: stores[acme].recharge.token: given together with RECHARGEFLOW_STORE_ACME_RECHARGE_TOKEN, expected one of the two",
		},
		{
			"secret where its file is expected",
			[]string{"RECHARGEFLOW_STORE_ACME_RECHARGE_TOKEN_FILE=hidden"},
			"environment RECHARGEFLOW_STORE_ACME_RECHARGE_TOKEN_FILE: stores[acme].recharge.token: given a file that can't be read: no such file or directory",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(t, minimal, tt.environ...)
			require.EqualError(t, err, tt.want)
			assert.NotContains(t, err.Error(), "hidden")
		})
	}
}

func TestVariablesThatAreNotSettings(t *testing.T) {
	_, err := load(t, minimal,
		"RECHARGEFLOW_CONFIG=x", "RECHARGEFLOW_KAFKA_JARS=x", "RECHARGEFLOW_SCREENSHOTS=x", "RECHARGEFLOW_TEST_SEED=x", "PATH=/bin", "broken", "RECHARGEFLOWER=x",
		"RECHARGEFLOW_SERVICE_HOST=10.0.0.1", "RECHARGEFLOW_SERVICE_PORT=8080", "RECHARGEFLOW_SERVICE_PORT_HTTP=8080",
		"RECHARGEFLOW_PORT=tcp://10.0.0.1:8080", "RECHARGEFLOW_PORT_8080_TCP=x", "RECHARGEFLOW_PORT_8080_TCP_ADDR=x",
		"RECHARGEFLOW_GATEWAY_SERVICE_HOST=10.0.0.1", "RECHARGEFLOW_GATEWAY_PORT_8080_TCP_PROTO=tcp",
	)
	require.NoError(t, err)
}

// An old configuration gets an error that names the command to use instead.
func TestRemovedSettings(t *testing.T) {
	path := write(t, "rechargeflow.yaml", minimal)
	_, err := config.Load(path, []string{"RECHARGEFLOW_STORE_ACME_SMS_FLOWS_FILE=flows.yaml"})
	require.ErrorContains(t, err, "environment RECHARGEFLOW_STORE_ACME_SMS_FLOWS_FILE: no longer a setting: apply the file with `rechargeflow flows apply -f`")
	_, err = load(t, "stores: [{name: acme, sms: {flows_file: flows.yaml}}]")
	require.ErrorContains(t, err, "stores[acme].sms.flows_file: no longer a setting: apply the file with `rechargeflow flows apply -f`")
}

func TestYAMLFeatures(t *testing.T) {
	t.Run("a store merges another", func(t *testing.T) {
		loaded, err := load(t, `
stores:
  - &acme
    name: acme
    customer_id: recharge_id
    recharge: {secrets: [one]}
    bloomreach: {enabled: false}
  - <<: *acme
    name: second
    recharge: {secrets: [two]}
`)
		require.NoError(t, err)
		second := loaded.Config.Stores[1]
		assert.Equal(t, "second", second.Name)
		assert.Equal(t, config.CustomerRechargeID, second.CustomerID)
		assert.Equal(t, []config.Secret{"two"}, second.Recharge.Secrets)
		assert.False(t, second.Bloomreach.Enabled)
	})
	t.Run("text is read as it is written, even if it looks like a number", func(t *testing.T) {
		loaded, err := load(t, minimal+"    sms: {from: +15551234567, shop_name: 0x10}\n")
		require.NoError(t, err)
		assert.Equal(t, "+15551234567", loaded.Config.Stores[0].SMS.From)
		assert.Equal(t, "0x10", loaded.Config.Stores[0].SMS.ShopName)
	})
	t.Run("a section may be empty", func(t *testing.T) {
		_, err := load(t, minimal+"kafka:\n  # brokers: []\n")
		require.NoError(t, err)
	})
}
