package bloomreach_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

func TestNewChecksConfig(t *testing.T) {
	valid := bloomreach.Config{BaseURL: "https://api.example", ProjectToken: "p", Auth: bloomreach.PublicToken("t")}
	const absolute = "invalid bloomreach configuration: base url is not an absolute address such as https://api.exponea.com"
	const bare = "invalid bloomreach configuration: base url must have no user, query or fragment"
	const noAuth = "invalid bloomreach configuration: a private key (id and secret) or a public token is needed"
	const negative = "invalid bloomreach configuration: max body and timeout must not be negative"
	tests := []struct {
		name   string
		change func(*bloomreach.Config)
		want   string
	}{
		{"no url", func(c *bloomreach.Config) { c.BaseURL = "" }, absolute},
		{"no scheme", func(c *bloomreach.Config) { c.BaseURL = "api.exponea.com" }, absolute},
		{"other scheme", func(c *bloomreach.Config) { c.BaseURL = "ftp://api.exponea.com" }, absolute},
		{"no host", func(c *bloomreach.Config) { c.BaseURL = "https:///x" }, absolute},
		{"broken", func(c *bloomreach.Config) { c.BaseURL = "https://api.example/%zz" }, absolute},
		{"user", func(c *bloomreach.Config) { c.BaseURL = "https://me:pass@api.example" }, bare},
		{"query", func(c *bloomreach.Config) { c.BaseURL = "https://api.example?x=1" }, bare},
		{"fragment", func(c *bloomreach.Config) { c.BaseURL = "https://api.example#x" }, bare},
		{"no project", func(c *bloomreach.Config) { c.ProjectToken = "" }, "invalid bloomreach configuration: project token is empty"},
		{"no auth", func(c *bloomreach.Config) { c.Auth = bloomreach.Auth{} }, noAuth},
		{"no secret", func(c *bloomreach.Config) { c.Auth = bloomreach.PrivateKey("id", "") }, noAuth},
		{"no key id", func(c *bloomreach.Config) { c.Auth = bloomreach.PrivateKey("", "secret") }, noAuth},
		{"no token", func(c *bloomreach.Config) { c.Auth = bloomreach.PublicToken("") }, noAuth},
		{"negative body", func(c *bloomreach.Config) { c.MaxBody = -1 }, negative},
		{"negative timeout", func(c *bloomreach.Config) { c.Timeout = -1 }, negative},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			config := valid
			test.change(&config)
			_, err := bloomreach.New(config)
			require.ErrorIs(t, err, bloomreach.ErrConfig)
			assert.EqualError(t, err, test.want)
		})
	}
}

func TestRequestAsSent(t *testing.T) {
	for name, test := range map[string]struct {
		auth   bloomreach.Auth
		header string
	}{
		"private": {bloomreach.PrivateKey("key", "secret"), "Basic a2V5OnNlY3JldA=="},
		"public":  {bloomreach.PublicToken("token"), "Token token"},
	} {
		var sent *http.Request
		var body []byte
		client := newClient(t, bloomreach.Config{
			BaseURL: "https://api.example/sub/", ProjectToken: "pro/ject", Auth: test.auth,
			HTTPClient: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
				sent = r
				body, _ = io.ReadAll(r.Body)
				return nil, errors.New("no answer")
			})},
		})
		command := bloomreach.Command{Name: "customers", ID: "1", Data: json.RawMessage(`{"a":1.50}`)}
		_, err := client.Batch(t.Context(), []bloomreach.Command{command, event(t, "2")})
		requireClass(t, err, bloomreach.ClassRetry)
		assert.Equal(t, "POST", sent.Method, name)
		assert.Equal(t, "https://api.example/sub/track/v2/projects/pro%2Fject/batch", sent.URL.String(), name)
		assert.Equal(t, http.Header{
			"Accept": {"application/json"}, "Authorization": {test.header}, "Content-Type": {"application/json"},
		}, sent.Header, name)
		assert.Equal(t, `{"commands":[{"name":"customers","command_id":"1","data":{"a":1.50}},{"name":"customers/events","command_id":"2","data":`+
			string(event(t, "2").Data)+`}]}`, string(body), name)
	}
}

func TestPublicTokenAgainstSimulator(t *testing.T) {
	server := start(t)
	config := config(server)
	config.Auth = bloomreach.PublicToken(bloomreachtest.PublicToken)
	results, err := newClient(t, config).Batch(t.Context(), events(t, 1))
	require.NoError(t, err)
	assert.Equal(t, accepted("e0"), withoutRequestIDs(results))
}

func TestRedirectIsNotFollowed(t *testing.T) {
	requests := 0
	client := newClient(t, bloomreach.Config{
		BaseURL: "https://api.example", ProjectToken: "p", Auth: bloomreach.PublicToken("t"),
		HTTPClient: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			requests++
			assert.Equal(t, "api.example", r.URL.Host)
			return &http.Response{StatusCode: 307, Header: http.Header{"Location": {"https://elsewhere.example/"}}, Body: http.NoBody, Request: r}, nil
		})},
	})
	_, err := client.Batch(t.Context(), events(t, 1))
	requireClass(t, err, bloomreach.ClassConfig)
	assert.Equal(t, 2, requests, "the command, and the proof that nothing passes")
}

// assertNoSecret fails when a text contains a secret, as configured or as sent.
func assertNoSecret(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{"project-token", "key-secret", "a2V5LWlkOmtleS1zZWNyZXQ=", "public-token"} {
		assert.NotContains(t, text, secret)
	}
}

// No error and no result contains a secret, for answers of any status that repeat the request.
func TestNoSecretInErrors(t *testing.T) {
	for secret, auth := range map[string]bloomreach.Auth{
		"key-secret": bloomreach.PrivateKey("key-id", "key-secret"), "public-token": bloomreach.PublicToken("public-token"),
	} {
		for _, status := range []int{0, 200, 302, 400, 401, 404, 413, 429, 500} {
			for _, format := range []string{
				"%s", `{"success":false,"message":%q}`, `{"success":false,"errors":{"_global":[%q]}}`, `{"success":true,"results":[{"success":false,"errors":[%q]}]}`,
			} {
				echo := func(r *http.Request) (*http.Response, error) {
					whole := fmt.Sprintf("%s %s %s %s", r.URL, r.Header.Get("Authorization"), secret, r.URL.Path)
					if status == 0 {
						return nil, errors.New(whole)
					}
					header := http.Header{"X-Request-Id": {whole}, "Retry-After": {whole}}
					return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(fmt.Sprintf(format, whole))), Request: r}, nil
				}
				config := bloomreach.Config{
					BaseURL: "https://api.example", ProjectToken: "project-token/+é", Auth: auth, HTTPClient: &http.Client{Transport: transport(echo)},
				}
				results, err := newClient(t, config).Batch(t.Context(), events(t, 2))
				assertNoSecret(t, fmt.Sprintf("%+v", results))
				for ; err != nil; err = errors.Unwrap(err) {
					assertNoSecret(t, fmt.Sprintf("%v %+v %#v", err, err, err))
				}
			}
		}
	}
}

func TestNoSecretInNetworkError(t *testing.T) {
	server := bloomreachtest.New()
	config := config(server)
	config.ProjectToken = "project-token"
	server.Close()
	_, err := newClient(t, config).Batch(t.Context(), events(t, 1))
	requireClass(t, err, bloomreach.ClassRetry)
	assertNoSecret(t, err.Error())
	assert.NotContains(t, err.Error(), "/track/")
}

func TestConfigHidesSecretsWhenPrinted(t *testing.T) {
	config := bloomreach.Config{BaseURL: "https://api.example", ProjectToken: "project-token", Auth: bloomreach.PrivateKey("key-id", "key-secret")}
	assertNoSecret(t, fmt.Sprintf("%v %+v %#v %v %+v %#v %s", config, config, config, config.Auth, config.Auth, config.Auth, config))
	assert.Contains(t, fmt.Sprint(config), "https://api.example")
	body, err := json.Marshal(struct {
		Token any
		Auth  bloomreach.Auth
	}{nil, config.Auth})
	require.NoError(t, err)
	assertNoSecret(t, string(body))
}
