package recharge_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

func TestClientCustomer(t *testing.T) {
	server := rechargetest.NewServer("token")
	t.Cleanup(server.Close)
	server.PutCustomer("246936001", []byte(`{"customer":{"id":246936001,"email":"jo@example.com","phone":null,"subscriptions_active_count":0}}`))

	customer, err := newClient(t, server.URL, "token").Customer(t.Context(), "246936001")
	require.NoError(t, err)
	assert.Equal(t, recharge.Customer{ID: "246936001", Email: "jo@example.com", PhoneKnown: true, Counted: true}, customer)

	_, err = newClient(t, server.URL, "token").Customer(t.Context(), "7")
	require.ErrorIs(t, err, recharge.ErrNotFound)
}

func TestClientErrors(t *testing.T) {
	cases := []struct {
		name   string
		token  string
		status int
		body   string
		want   recharge.APIError
	}{
		{name: "wrong token", token: "wrong-token", want: recharge.APIError{Status: http.StatusUnauthorized, Message: "bad authentication"}},
		{name: "rate limit", status: 429, body: `{}`, want: recharge.APIError{Status: 429, Message: "rate limit reached", RetryAfter: 2 * time.Second}},
		{name: "errors is a text", status: 403, body: `{"errors":"no scope"}`, want: recharge.APIError{Status: 403, Message: "no scope"}},
		{name: "errors is an object of texts", status: 409, body: `{"errors":{"email":"jo@example.com is taken"}}`, want: recharge.APIError{Status: 409, Message: "invalid fields: email"}},
		{name: "errors is an object of lists", status: 409, body: `{"errors":{"cursor":["bad"],"a":["b"]}}`, want: recharge.APIError{Status: 409, Message: "invalid fields: a, cursor"}},
		{name: "personal data", status: 403, body: `{"error":"jo@example.com and +15035550100 may not"}`, want: recharge.APIError{Status: 403, Message: "*** and *** may not"}},
		{name: "404 of another server", status: 404, body: `<html>`, want: recharge.APIError{Status: 404, Message: "answer without an error text"}},
		{name: "not JSON", status: 503, body: `<html>`, want: recharge.APIError{Status: 503, Message: "answer without an error text"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := rechargetest.NewServer("token")
			t.Cleanup(server.Close)
			if c.status != 0 {
				server.FailNext(1, c.status, c.body)
			}
			if c.token == "" {
				c.token = "token"
			}
			_, err := newClient(t, server.URL, c.token).Customer(t.Context(), "246936001")
			var got *recharge.APIError
			require.ErrorAs(t, err, &got)
			assert.Equal(t, c.want, *got)
			assert.NotContains(t, err.Error(), "wrong-token")
		})
	}
}

func TestClientUnreadableAnswers(t *testing.T) {
	for status, body := range map[int]string{
		200: `{"customer":{"id":1,"updated_at":"soon"}}`, 400: `{"error":"no"}`, 422: `{"errors":{"id":["bad"]}}`,
	} {
		server := rechargetest.NewServer("token")
		server.FailNext(1, status, body)
		_, err := newClient(t, server.URL, "token").Customer(t.Context(), "1")
		require.ErrorIs(t, err, recharge.ErrUnreadable)
		server.Close()
	}
}

// The token must not be sent to another host.
func TestClientFollowsNoRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		assert.Fail(t, "the redirect was followed")
	}))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	t.Cleanup(server.Close)
	_, err := newClient(t, server.URL, "token").Customer(t.Context(), "1")
	var got *recharge.APIError
	require.ErrorAs(t, err, &got)
	assert.Equal(t, http.StatusFound, got.Status)
}

func TestClientUnreachable(t *testing.T) {
	server := rechargetest.NewServer("token")
	server.Close()
	_, err := newClient(t, server.URL, "token").Customer(t.Context(), "246936001")
	var got *recharge.APIError
	require.ErrorAs(t, err, &got)
	assert.Zero(t, got.Status)
	assert.NotContains(t, err.Error(), "246936001", "a URL with a customer's id must not be logged")
}

func TestNewClientChecksBaseURL(t *testing.T) {
	_, err := recharge.NewClient(recharge.ClientConfig{BaseURL: "api.rechargeapps.com"})
	require.ErrorContains(t, err, "is not an absolute URL")
}

func newClient(t *testing.T, url, token string) *recharge.Client {
	t.Helper()
	client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: url, Token: token})
	require.NoError(t, err)
	return client
}
