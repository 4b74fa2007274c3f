package config_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

// of is the environment variable of a key of the usual store.
func of(key, value string) string { return "RECHARGEFLOW_STORE_ACME_" + key + "=" + value }

// loadFor loads a store with the given variables for the roles of a process.
func loadFor(t *testing.T, environ []string, roles ...string) (config.Loaded, error) {
	t.Helper()
	return config.Load(write(t, "rechargeflow.yaml", "stores: [{name: acme, sms: {driver: webhook}}]"), environ, roles...)
}

// ownSecrets are the variables that only one role needs, with a value that is taken.
func ownSecrets() map[string]map[string]string {
	return map[string]map[string]string{
		"gateway":     {"RECHARGE_SECRETS": "client-secret"},
		"transformer": {"RECHARGE_TOKEN": "api-token"},
		"tracking": {
			"BLOOMREACH_URL": "https://api.exponea.com", "BLOOMREACH_PROJECT": "project-token", "BLOOMREACH_KEY_ID": "key-1",
			"BLOOMREACH_SECRET": "key-secret",
		},
		"sms": {"SMS_WEBHOOK_URL": "https://sms.example.com/send", "SMS_WEBHOOK_SECRET": "sms-secret"},
	}
}

func TestEachRoleNeedsItsOwnSecretsOnly(t *testing.T) {
	for role, own := range ownSecrets() {
		var all []string
		for key, value := range own {
			all = append(all, of(key, value))
		}
		_, err := loadFor(t, all, role)
		require.NoError(t, err, role)
		for i := range all {
			_, err := loadFor(t, slices.Delete(slices.Clone(all), i, i+1), role)
			require.ErrorContains(t, err, "missing", "%s without %s", role, all[i])
		}
	}
}

// The transformer makes addresses of webhooks with the first secret, where it checks the registrations.
func TestTransformerNeedsSecretsToCheckRegistrations(t *testing.T) {
	url, token := of("RECHARGE_WEBHOOK_URL", "https://hooks.example.com"), of("RECHARGE_TOKEN", "api-token")
	_, err := loadFor(t, []string{token, url}, "transformer")
	require.ErrorContains(t, err, "recharge.secrets: missing")
	_, err = loadFor(t, []string{token, url, of("RECHARGE_SECRETS", placeholderOf("RECHARGE_SECRETS"))}, "transformer")
	require.ErrorContains(t, err, "recharge.secrets: is still the placeholder")
	_, err = loadFor(t, []string{token, url, of("RECHARGE_SECRETS", "client-secret")}, "transformer")
	require.NoError(t, err)
	_, err = loadFor(t, []string{url, of("SMS_WEBHOOK_URL", "https://sms.example.com/send"), of("SMS_WEBHOOK_SECRET", "sms-secret")}, "sms")
	require.NoError(t, err)
}

// A placeholder is reported to the role that uses the value.
func TestPlaceholderOfEachRole(t *testing.T) {
	for role, own := range ownSecrets() {
		for key := range own {
			for _, runs := range config.Roles() {
				var all []string
				for name, value := range ownSecrets()[runs] {
					all = append(all, of(name, value))
				}
				_, err := loadFor(t, append(all, of(key, placeholderOf(key))), runs)
				if runs == role || runs == "gateway" && key == "SMS_WEBHOOK_SECRET" { // which verifies callbacks with it
					require.ErrorContains(t, err, "still the placeholder", "%s of %s", key, role)
				} else {
					require.NoError(t, err, "%s of %s, in %s", key, role, runs)
				}
			}
		}
	}
	_, err := load(t, minimal, of("BLOOMREACH_KEY_ID", ""), of("BLOOMREACH_SECRET", ""), of("BLOOMREACH_TOKEN", "<token>"))
	require.ErrorContains(t, err, "bloomreach.token: is still the placeholder")
	_, err = loadFor(t, []string{of("RECHARGE_SECRETS", "client-secret"), of("BLOOMREACH_TOKEN", "<token>")}, "gateway")
	require.NoError(t, err)
}

// placeholderOf returns what an example shows for a key.
func placeholderOf(key string) string {
	if strings.HasSuffix(key, "_URL") {
		return "https://your-host.example/"
	}
	return "<value>"
}

func TestPlaceholders(t *testing.T) {
	for _, value := range []string{
		"change-me", "CHANGE_ME", "changeme", "Change me", "todo", "TODO", "xxx", "XXXXXXXX", "...", "<token>", "<your token>",
		"your-instance", "your_project", "your api key", "your-secret", "your-domain", "your store", "YOUR_PASSWORD",
	} {
		_, err := load(t, minimal, of("BLOOMREACH_KEY_ID", value))
		require.ErrorContains(t, err, "bloomreach.key_id: is still the placeholder", value)
		_, err = load(t, minimal, of("RECHARGE_TOKEN", value))
		require.ErrorContains(t, err, "recharge.token: is still the placeholder", value)
		_, err = load(t, minimal, of("SMS_SHOP_NAME", value))
		require.NoError(t, err, "a shop may have any name")
	}
	for _, value := range []string{
		"exchange-me", "change-me-not", "todos", "xx", "xxx1", "1xxx", "wait...", "....", "<>", "1 < 2", "a<b>c", "yourself", "Acme",
	} {
		_, err := load(t, minimal, of("RECHARGE_TOKEN", value))
		require.NoError(t, err, value)
	}
	_, err := load(t, minimal, of("RECHARGE_SECRETS", "client-secret,change-me"))
	require.ErrorContains(t, err, "recharge.secrets: is still the placeholder")
	_, err = config.Load(write(t, "rechargeflow.yaml", "stores: [{name: todo, recharge: {secrets: [client-secret]}}]"), nil, "gateway")
	require.NoError(t, err, "a store may have any name")
}

func TestPlaceholdersInHosts(t *testing.T) {
	for url, placeholder := range map[string]bool{
		"https://YOUR-INSTANCE.exponea.com": true, "https://api.your-domain.com": true, "https://your-shop.myshopify.com": true,
		"https://yourshop.com": false, "https://your-hosting.com": false, "https://api.exponea.com": false, "https://proxy.io/your-shop": false,
	} {
		_, err := load(t, minimal, of("BLOOMREACH_URL", url))
		if placeholder {
			require.ErrorContains(t, err, "bloomreach.url: is still the placeholder", url)
		} else {
			require.NoError(t, err, url)
		}
	}
}

// A URL with the path of an API call is reported without the project token in it.
func TestURLOfAnAPICall(t *testing.T) {
	for url, base := range map[string]string{
		"https://api.exponea.com/track/v2/projects/hidden/customers/events": "https://api.exponea.com",
		"https://api.exponea.com/track":                                     "https://api.exponea.com",
		"https://api.exponea.com/data/v2":                                   "https://api.exponea.com",
		"https://proxy.example/bloomreach/projects/hidden":                  "https://proxy.example",
	} {
		_, err := load(t, minimal, of("BLOOMREACH_URL", url))
		require.ErrorContains(t, err, "bloomreach.url: contains the path of an API call")
		require.ErrorContains(t, err, "such as "+base)
		assert.NotContains(t, err.Error(), "hidden")
	}
	for _, url := range []string{"https://api.exponea.com", "https://track.example", "https://proxy.example/bloomreach", "https://proxy.example/soundtrack/v2"} {
		_, err := load(t, minimal, of("BLOOMREACH_URL", url))
		require.NoError(t, err, url)
	}
}

func TestPlainHTTPIsAWarning(t *testing.T) {
	keys := map[string]string{"RECHARGE_API_URL": "recharge.api_url", "BLOOMREACH_URL": "bloomreach.url", "SMS_WEBHOOK_URL": "sms.webhook.url"}
	for url, warned := range map[string]bool{
		"http://api.acme.io": true, "http://api.acme.io:8080": true, "http://93.184.216.34": true, "http://[2001:db8::1]": true,
		"https://api.acme.io": false, "http://gateway:8080": false, "http://localhost": false, "http://127.0.0.1:9000": false,
		"http://[::1]:9000": false, "http://10.1.2.3": false, "http://192.168.1.2": false, "http://[fd00::1]": false,
	} {
		for _, name := range slices.Sorted(maps.Keys(keys)) {
			loaded, err := load(t, minimal, of(name, url))
			require.NoError(t, err, url)
			if !warned {
				assert.Empty(t, loaded.Warnings, url)
				continue
			}
			require.Len(t, loaded.Warnings, 1, "%s %s", name, url)
			assert.Equal(t, "stores[acme]."+keys[name], loaded.Warnings[0].Key)
			assert.Equal(t, "environment RECHARGEFLOW_STORE_ACME_"+name, loaded.Warnings[0].Where)
		}
	}
	loaded, err := load(t, minimal, of("BLOOMREACH_URL", "http://api.acme.io/track"))
	require.Error(t, err)
	assert.Empty(t, loaded.Warnings, fmt.Sprint("a value with a fault: ", err))
}

func TestReservedNamesAreWarnings(t *testing.T) {
	for url, reserved := range map[string]bool{
		"https://sms.example.com/send": true, "https://example.org": true, "https://gateway.example": true, "https://a.invalid": true,
		"https://myexample.com": false, "https://example.com.acme.io": false, "https://sms.acme.io": false,
	} {
		loaded, err := load(t, minimal, of("SMS_WEBHOOK_URL", url))
		require.NoError(t, err)
		assert.Equal(t, reserved, len(loaded.Warnings) == 1, url)
	}
}

// A gateway without the secret of callbacks works, and refuses them: a warning. Where the sms role runs, too, the secret is missing anyway.
func TestGatewayWithoutSMSSecretIsAWarning(t *testing.T) {
	own := of("RECHARGE_SECRETS", "client-secret")
	loaded, err := loadFor(t, []string{own}, "gateway")
	require.NoError(t, err)
	require.Len(t, loaded.Warnings, 1)
	assert.Equal(t, "stores[acme].sms.webhook.secret", loaded.Warnings[0].Key)

	loaded, err = loadFor(t, []string{own, of("SMS_WEBHOOK_SECRET", "sms-secret")}, "gateway")
	require.NoError(t, err)
	assert.Empty(t, loaded.Warnings)
	loaded, err = loadFor(t, []string{own, of("SMS_DRIVER", "log")}, "gateway")
	require.NoError(t, err)
	assert.Empty(t, loaded.Warnings)
	loaded, err = loadFor(t, []string{of("RECHARGE_TOKEN", "api-token")}, "transformer")
	require.NoError(t, err)
	assert.Empty(t, loaded.Warnings)
}

// A driver whose callbacks need an address warns without it: where it is given to the provider, and where it is verified.
func TestTwilioWithoutCallbacksIsAWarning(t *testing.T) {
	const file = "stores: [{name: acme, sms: {driver: twilio, from: '+15005550006'}}]"
	environ := []string{of("RECHARGE_SECRETS", "client-secret"), of("SMS_TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef"), of("SMS_TWILIO_API_KEY", "SK0123456789abcdef0123456789abcdef"), of("SMS_TWILIO_API_SECRET", "key-secret")}
	token, url := of("SMS_TWILIO_AUTH_TOKEN", "auth-token"), of("SMS_CALLBACK_URL", "https://hooks.acme.test")
	for name, tt := range map[string]struct {
		role    string
		environ []string
		want    []string
	}{
		"gateway without both": {"gateway", nil, []string{"stores[acme].sms.twilio.auth_token", "stores[acme].sms.callback_url"}},
		"gateway without url":  {"gateway", []string{token}, []string{"stores[acme].sms.callback_url"}},
		"gateway with both":    {"gateway", []string{token, url}, nil},
		"sms without url":      {"sms", nil, []string{"stores[acme].sms.callback_url"}},
		"sms with url":         {"sms", []string{url}, nil},
	} {
		loaded, err := config.Load(write(t, "rechargeflow.yaml", file), append(environ, tt.environ...), tt.role)
		require.NoError(t, err, name)
		var keys []string
		for _, w := range loaded.Warnings {
			keys = append(keys, w.Key)
		}
		assert.Equal(t, tt.want, keys, name)
	}
}

// A platform that has the texts itself keeps quiet hours and asks for consent, unless they are set.
func TestDefaultsOfModeTrigger(t *testing.T) {
	for name, test := range map[string]struct {
		sms        string
		environ    []string
		quiet, may string
	}{
		"text":                 {"mode: text", nil, "ours", "opt_out"},
		"trigger":              {"mode: trigger", nil, "destination", "destination"},
		"by the environment":   {"mode: text", []string{of("SMS_MODE", "trigger")}, "destination", "destination"},
		"of a driver":          {"driver: klaviyo", nil, "destination", "destination"},
		"of postscript":        {"driver: postscript", nil, "destination", "destination"},
		"of attentive":         {"driver: attentive", nil, "destination", "destination"},
		"of a driver of texts": {"driver: telnyx", nil, "ours", "opt_out"},
		"driver, with others":  {"driver: klaviyo, consent: opt_in", nil, "destination", "opt_in"},
		"trigger, with others": {"mode: trigger, quiet_hours: ours, consent: opt_in", nil, "ours", "opt_in"},
	} {
		loaded, err := config.Load(write(t, "rechargeflow.yaml", "stores: [{name: beta}, {name: acme, sms: {"+test.sms+"}}, {name: other}]"), test.environ)
		require.NoError(t, err, name)
		assert.Equal(t, test.quiet, loaded.Config.Stores[1].SMS.QuietHours, name)
		assert.Equal(t, test.may, loaded.Config.Stores[1].SMS.Consent, name)
		for _, other := range []int{0, 2} {
			assert.Equal(t, "ours", loaded.Config.Stores[other].SMS.QuietHours, name)
			assert.Equal(t, "opt_out", loaded.Config.Stores[other].SMS.Consent, name)
		}
	}
}

// A moved clock is for trials: processes with different clocks would disagree on what is due.
func TestClockOffsetIsForTheEmbeddedBroker(t *testing.T) {
	loaded, err := config.Load(write(t, "rechargeflow.yaml", "embedded: {clock_offset: 10h}"), nil)
	require.NoError(t, err)
	assert.Equal(t, "10h0m0s", loaded.Config.Embedded.ClockOffset.String())
	_, err = config.Load(write(t, "rechargeflow.yaml", "embedded: {clock_offset: 10h}\nkafka: {brokers: ['kafka:9092']}"), nil)
	require.ErrorContains(t, err, "embedded.clock_offset: given together with kafka.brokers")
	for address, valid := range map[string]bool{
		"http://127.0.0.1:1/send": true, "http://localhost:1/send": true, "https://sms.example.com/send": false, "http://192.168.1.1/send": false,
	} {
		_, err = config.Load(write(t, "rechargeflow.yaml", "embedded: {clock_offset: 10h}\nstores: [{name: acme, sms: {driver: webhook, webhook: {url: '"+address+"'}}}]"), nil)
		if valid {
			require.NoError(t, err, address)
		} else {
			require.ErrorContains(t, err, "embedded.clock_offset: given, and store acme has an sms.webhook.url on another machine", address)
		}
	}
}

// Two stores that write the same properties of the same profiles are warned of, and two that divide one limit differently.
func TestSharedProject(t *testing.T) {
	for _, test := range []struct{ bloomreach, store, warning string }{
		{"", "", "store acme writes recharge_subscription_active to"},
		{", profile: [phone, email]", "", "store acme writes recharge_subscription_active, email to"},
		{", profile: [phone, email]", "active_property: false", "store acme writes email to"},
		{", profile: [phone]", "active_property: false", ""},
		{"", "customer_id: recharge_id", ""},
		{", replicas: 3", "customer_id: recharge_id", "store acme has 1 and the same bloomreach.url"},
	} {
		loaded, err := load(t, minimal+"      profile: [email]\n"+fmt.Sprintf(`
  - name: other
    bloomreach: {url: "https://api.exponea.com", project: project-token, key_id: key-1, secret: key-secret%s}
    recharge: {secrets: [client-secret], token: api-token}
    %s
`, test.bloomreach, test.store))
		require.NoError(t, err)
		var warnings []string
		for _, w := range loaded.Warnings {
			if text := w.String(); strings.Contains(text, "store acme") {
				warnings = append(warnings, text)
			}
		}
		if test.warning == "" {
			assert.Empty(t, warnings)
			continue
		}
		require.Len(t, warnings, 1)
		assert.Contains(t, warnings[0], test.warning)
	}
}

// Links to the portal need a key, which is long.
func TestPortalKey(t *testing.T) {
	const url = "      portal_url: https://acme.example/portal/{hash}\n"
	loaded, err := load(t, minimal+url)
	require.NoError(t, err)
	require.Len(t, loaded.Warnings, 1)
	assert.Contains(t, loaded.Warnings[0].String(), "bloomreach.portal_url: needs bloomreach.portal_key")
	_, err = load(t, minimal+url+"      portal_key: short\n")
	require.ErrorContains(t, err, "portal_key: has 5 characters; expected a random text of 16 or more")
	loaded, err = load(t, minimal+url+"      portal_key: a long random secret\n")
	require.NoError(t, err)
	assert.Empty(t, loaded.Warnings)
}

// Short links have an address of their own: https, without a path, not long.
func TestShortLinks(t *testing.T) {
	const store = "sms: {driver: log, shop_url: 'https://acme-coffee.com', links: {url: '%s'}%s}"
	for _, test := range []struct{ url, more, fault, warning string }{
		{"https://go.acme-coffee.com", "", "", ""},
		{"https://go.acme-coffee.com/", "", "", ""},
		{"http://127.0.0.1:8081", "", "", ""},
		{"http://localhost:8081", "", "", ""},
		{"http://go.acme-coffee.com", "", "expected https", ""},
		{"https://go.acme-coffee.com/l", "", "which has a path; expected the address of a domain of its own, such as https://go.acme-coffee.com", ""},
		{"https://" + strings.Repeat("long.", 11) + "com", "", "has 66 characters, which every text pays for; expected at most 60", ""},
		{"https://acme-coffee.com", "", "", "acme-coffee.com is the host of sms.shop_url"},
		{"https://go.acme-coffee.com", ", shop_url: ''", "", "leads nowhere without sms.shop_url"},
		{"https://go.acme-coffee.com", ", mode: trigger", "", "has no effect with sms.mode trigger"},
		{"go.acme-coffee.com", "", "expected an http or https URL", ""},
		{"https://go.acme-coffee.com?a=b", "", "expected an http or https URL", ""},
	} {
		text := fmt.Sprintf(store, test.url, test.more)
		if strings.Contains(test.more, "shop_url") {
			text = strings.Replace(text, "shop_url: 'https://acme-coffee.com', ", "", 1)
		}
		loaded, err := load(t, minimal+"    "+text+"\n")
		if test.fault != "" {
			require.ErrorContains(t, err, test.fault, test.url)
			continue
		}
		require.NoError(t, err, test.url)
		var warnings []string
		for _, w := range loaded.Warnings {
			if strings.Contains(w.String(), "links.url") {
				warnings = append(warnings, w.String())
			}
		}
		if test.warning == "" {
			assert.Empty(t, warnings, test.url)
			continue
		}
		require.Len(t, warnings, 1)
		assert.Contains(t, warnings[0], test.warning)
	}
}

// The port of short links is one of its own, if it is opened.
func TestLinksListen(t *testing.T) {
	const linked = "    sms: {driver: log, shop_url: 'https://acme-coffee.com', links: {url: 'https://go.acme-coffee.com'}}\n"
	_, err := load(t, minimal+"links: {listen: ':8080'}")
	require.NoError(t, err, "it is not opened")
	_, err = load(t, minimal+linked+"links: {listen: ':8080'}")
	require.ErrorContains(t, err, "links.listen: given \":8080\", which is taken by gateway.listen")
	_, err = load(t, minimal+linked+"links: {listen: '127.0.0.1:9090'}")
	require.ErrorContains(t, err, "which is taken by admin.listen")
	path := write(t, "rechargeflow.yaml", minimal+linked+"links: {listen: ':8080'}")
	_, err = config.Load(path, nil, "links")
	require.NoError(t, err, "the gateway runs elsewhere")
}
