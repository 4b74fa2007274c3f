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

		retryAfter string
		want       recharge.APIError
	}{
		{name: "wrong token", token: "wrong-token", want: recharge.APIError{Status: http.StatusUnauthorized, Message: "bad authentication"}},
		{name: "rate limit", status: 429, body: `{}`, want: recharge.APIError{Status: 429, Message: "rate limit reached", RetryAfter: 2 * time.Second}},
		{name: "errors is a text", status: 403, body: `{"errors":"no scope"}`, want: recharge.APIError{Status: 403, Message: "no scope"}},
		{name: "rate limit, with a time", status: 429, body: `{}`, retryAfter: "7", want: recharge.APIError{Status: 429, Message: "rate limit reached", RetryAfter: 7 * time.Second}},
		{name: "conflict", status: 409, body: `{"error":"a call to this resource is in progress"}`, want: recharge.APIError{Status: 409, Message: "a call to this resource is in progress", RetryAfter: 3 * time.Second}},
		{name: "errors is an object of texts", status: 403, body: `{"errors":{"email":"jo@example.com is taken"}}`, want: recharge.APIError{Status: 403, Message: "email: *** is taken"}},
		{name: "errors is an object of lists", status: 403, body: `{"errors":{"cursor":["bad","old"],"a":["b"]}}`, want: recharge.APIError{Status: 403, Message: "a: b; cursor: bad, old"}},
		{name: "errors is a list", status: 403, body: `{"errors":["no scope","no plan"]}`, want: recharge.APIError{Status: 403, Message: "no scope, no plan"}},
		{name: "error is an object", status: 403, body: `{"error":{"scope":"missing"}}`, want: recharge.APIError{Status: 403, Message: "scope: missing"}},
		{name: "errors is a number", status: 403, body: `{"errors":7}`, want: recharge.APIError{Status: 403, Message: "invalid"}},
		{name: "errors is nothing", status: 403, body: `{"error":null,"errors":{}}`, want: recharge.APIError{Status: 403, Message: "answer without an error text"}},
		{name: "empty", status: 500, body: ``, want: recharge.APIError{Status: 500, Message: "answer without an error text"}},
		{name: "plan", status: 402, body: `{"errors":"upgrade"}`, want: recharge.APIError{Status: 402, Message: "upgrade"}},
		{name: "data source", status: 406, body: `{"errors":"data source not allowed"}`, want: recharge.APIError{Status: 406, Message: "data source not allowed"}},
		{name: "version", status: 426, body: `{"errors":"invalid API version"}`, want: recharge.APIError{Status: 426, Message: "invalid API version"}},
		{name: "third party", status: 503, body: `{"error":"third party timeout"}`, retryAfter: "60", want: recharge.APIError{Status: 503, Message: "third party timeout", RetryAfter: time.Minute}},
		{name: "personal data", status: 403, body: `{"error":"jo@example.com and +15035550100 may not"}`, want: recharge.APIError{Status: 403, Message: "*** and *** may not"}},
		{name: "404 of another server", status: 404, body: `<html>`, want: recharge.APIError{Status: 404, Message: "answer without an error text"}},
		{name: "not JSON", status: 503, body: `<html>`, want: recharge.APIError{Status: 503, Message: "answer without an error text"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := rechargetest.NewServer("token")
			t.Cleanup(server.Close)
			if c.status != 0 {
				server.Next(1, rechargetest.Behaviour{Status: c.status, Body: c.body, RetryAfter: c.retryAfter})
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

// What Recharge refuses as invalid is said with its fields, however many there are.
func TestClientSaysWhatIsInvalid(t *testing.T) {
	for body, want := range map[string]string{
		`{"errors":{"cursor":["Invalid value"]}}`:                            "recharge api: status 422: cursor: Invalid value",
		`{"errors":{"_schema":["created_at_min must be less than a week"]}}`: "recharge api: status 422: _schema: created_at_min must be less than a week",
		`{"errors":"Invalid value"}`:                                         "recharge api: status 422: Invalid value",
		`{"errors":{"a":"1","b":"x","c":"x","d":"x","e":"x","f":"x","g":"x","h":"x","i":"x","j":"x","k":"x","l":"x"}}`: "recharge api: status 422: " +
			"a: ***; b: x; c: x; d: x; e: x; f: x; g: x; h: x; i: x; j: x; 2 more",
	} {
		server := rechargetest.NewServer("token")
		server.FailNext(1, http.StatusUnprocessableEntity, body)
		_, err := newClient(t, server.URL, "token").List(t.Context(), "customers", nil, "", 1)
		var refused *recharge.InvalidError
		require.ErrorAs(t, err, &refused)
		require.ErrorIs(t, err, recharge.ErrUnreadable)
		assert.Equal(t, want, err.Error())
		server.Close()
	}
}

// A list that is none is unreadable.
func TestClientUnreadableLists(t *testing.T) {
	for _, body := range []string{`{}`, `[]`, `{"customers":null}`, `{"customers":{}}`, `{"charges":[]}`, `{"customers":[],"next_cursor":7}`} {
		server := rechargetest.NewServer("token")
		server.FailNext(1, http.StatusOK, body)
		_, err := newClient(t, server.URL, "token").List(t.Context(), "customers", nil, "", 1)
		require.ErrorIs(t, err, recharge.ErrUnreadable, body)
		server.Close()
	}
}

func TestClientHasCharge(t *testing.T) {
	server := rechargetest.NewServer("token")
	t.Cleanup(server.Close)
	require.NoError(t, server.Put([]byte(`{"charge":{"id":7}}`)))
	client := newClient(t, server.URL, "token")
	for id, want := range map[string]bool{"7": true, "8": false} {
		has, err := client.HasCharge(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, want, has)
	}
	for status, body := range map[int]string{404: `<html>`, 403: `{"error":"no scope"}`, 500: ``, 422: `{"errors":{"id":["bad"]}}`} {
		server.FailNext(1, status, body)
		_, err := client.HasCharge(t.Context(), "8")
		require.Error(t, err, "it is not known")
	}
}
