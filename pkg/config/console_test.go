package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

func TestConsoleRules(t *testing.T) {
	const provider = "issuer: https://login.example.org, client_id: c"
	for name, test := range map[string]struct{ console, fault string }{
		"provider": {"url: https://console.example.org, oidc: {" + provider + ", operators: [platform]}", ""},
		"default role with domains": {
			"url: https://console.example.org, oidc: {" + provider + ", default_role: viewer, allowed_domains: [example.org]}", "",
		},
		"no client":                    {"url: https://console.example.org, oidc: {issuer: https://login.example.org, operators: [a]}", "console.oidc.client_id: missing"},
		"nowhere to go back to":        {"oidc: {" + provider + ", operators: [a]}", "console.url: missing"},
		"nobody has a role":            {"url: https://console.example.org, oidc: {" + provider + "}", "console.oidc.operators: missing"},
		"everybody of a provider":      {"url: https://console.example.org, oidc: {" + provider + ", default_role: viewer}", "console.oidc.default_role: given"},
		"provider without TLS":         {"url: https://console.example.org, oidc: {issuer: 'http://login.example.org', client_id: c, operators: [a]}", "console.oidc.issuer: given"},
		"provider here":                {"url: http://127.0.0.1:8090, oidc: {issuer: 'http://127.0.0.1:9998', client_id: c, operators: [a]}", ""},
		"idle for longer than at most": {"session_idle: 3h, session_max: 2h", "console.session_idle: given"},
		"path":                         {"url: https://example.org/console", "console.url: given"},
		"no network":                   {"trusted_proxies: [proxy]", "console.trusted_proxies"},
		"networks":                     {"trusted_proxies: [10.0.0.0/8, 192.0.2.1, '2001:db8::/32']", ""},
		"no role":                      {"oidc: {default_role: admin}", "console.oidc.default_role"},
		"no domain":                    {"oidc: {allowed_domains: ['@example.org']}", "console.oidc.allowed_domains"},
	} {
		_, err := load(t, minimal+"console: {"+test.console+"}\n")
		if test.fault == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, test.fault, name)
	}
	path := write(t, "rechargeflow.yaml", minimal+"console: {oidc: {issuer: https://login.example.org}}\n")
	_, err := config.Load(path, nil, "gateway")
	require.NoError(t, err, "a process without the console needs not know its provider")
	loaded, err := load(t, minimal+"console: {url: 'http://console.example.org'}\n")
	require.NoError(t, err)
	require.Len(t, loaded.Warnings, 1)
	assert.Equal(t, "console.url", loaded.Warnings[0].Key)
}
