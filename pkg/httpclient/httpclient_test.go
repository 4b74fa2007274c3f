package httpclient_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"":                               0,
		"0":                              0,
		"7":                              7 * time.Second,
		"3600":                           time.Hour,
		"3601":                           time.Hour,
		"9223372036854775807":            time.Hour,
		"99999999999999999999":           0,
		"-7":                             0,
		"-9223372036854775808":           0,
		"-10000000000":                   0,
		"1.5":                            0,
		" 7":                             0,
		"soon":                           0,
		"Sun, 01 Mar 2026 12:00:30 GMT":  30 * time.Second,
		"Sun, 01 Mar 2026 11:59:30 GMT":  0,
		"Mon, 02 Mar 2026 12:00:00 GMT":  time.Hour,
		"Sunday, 01-Mar-26 12:00:30 GMT": 30 * time.Second,
	} {
		assert.Equal(t, want, httpclient.RetryAfter(header, now), header)
	}
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Add("7")
	f.Add("Sun, 01 Mar 2026 12:00:30 GMT")
	f.Fuzz(func(t *testing.T, header string) {
		wait := httpclient.RetryAfter(header, now)
		require.GreaterOrEqual(t, wait, time.Duration(0))
		require.LessOrEqual(t, wait, httpclient.MaxRetryAfter)
	})
}

func TestWithoutURL(t *testing.T) {
	cause := errors.New("connection refused")
	withURL := &url.Error{Op: "Get", URL: "https://example.com/customers/246936001?token=secret", Err: cause}
	assert.Equal(t, cause, httpclient.WithoutURL(withURL))
	assert.Equal(t, cause, httpclient.WithoutURL(fmt.Errorf("call: %w", withURL)))
	assert.Equal(t, cause, httpclient.WithoutURL(cause))
	assert.NoError(t, httpclient.WithoutURL(nil))
}

func TestWithoutRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		assert.Fail(t, "the redirect was followed")
	}))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	t.Cleanup(server.Close)
	given := &http.Client{Timeout: time.Minute}
	client := httpclient.WithoutRedirects(given)
	response, err := client.Get(server.URL)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusFound, response.StatusCode)
	assert.Equal(t, time.Minute, client.Timeout)
	assert.Nil(t, given.CheckRedirect, "the client that was given is unchanged")
}
