package recharge_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// managed returns a simulator and its client. In a bubble of synctest the pauses between calls take no time.
func managed(t *testing.T) (*rechargetest.Server, *recharge.Client) {
	t.Helper()
	server := rechargetest.NewInProcess("token")
	t.Cleanup(server.Close)
	client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: server.URL, Token: "token", HTTPClient: server.Client(time.Minute)})
	require.NoError(t, err)
	return server, client
}

const address = "https://hooks.example.com/webhooks/acme/charge/paid/xiO8qJun1az8L6JzTC1OsY"

func paid() recharge.Registration {
	return recharge.Registration{Topic: "charge/paid", Address: address, Included: []string{"customer"}}
}

func TestTokenInformation(t *testing.T) {
	server, client := managed(t)
	server.SetScopes("read_orders")
	token, err := client.TokenInformation(t.Context())
	require.NoError(t, err)
	assert.Equal(t, recharge.TokenInformation{Name: "rechargeflow", Scopes: []string{"read_orders"}}, token)
}

func TestWebhooksAreRegisteredChangedAndDeleted(t *testing.T) {
	server, client := managed(t)
	none, err := client.Webhooks(t.Context())
	require.NoError(t, err)
	assert.Empty(t, none)

	id, created, err := client.CreateWebhook(t.Context(), paid())
	require.NoError(t, err)
	assert.True(t, created)
	want := paid()
	want.ID = id
	all, err := client.Webhooks(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []recharge.Registration{want}, all)
	assert.Equal(t, recharge.Version202111, server.Webhooks()[0].Version, "never the store's default")

	same, created, err := client.CreateWebhook(t.Context(), paid())
	require.NoError(t, err)
	assert.Equal(t, id, same, "the id of the webhook that exists")
	assert.False(t, created)

	want.Topic, want.Included = "charge/failed", nil
	require.NoError(t, client.UpdateWebhook(t.Context(), want))
	all, err = client.Webhooks(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Equal(t, recharge.Topic("charge/failed"), all[0].Topic)
	assert.Empty(t, all[0].Included)

	require.NoError(t, client.DeleteWebhook(t.Context(), id))
	require.NoError(t, client.DeleteWebhook(t.Context(), id), "it is gone, as it should be")
	require.ErrorIs(t, client.UpdateWebhook(t.Context(), want), recharge.ErrNotFound)
	assert.Empty(t, server.Webhooks())
}

func TestWebhooksReadsAllPages(t *testing.T) {
	_, client := managed(t)
	var want []string
	for _, topic := range recharge.Topics() {
		for n := range 10 {
			if topic.Scope() == "read_orders" || topic.Scope() == "read_customers" {
				id, _, err := client.CreateWebhook(t.Context(), recharge.Registration{Topic: topic, Address: fmt.Sprintf("https://hooks.example.com/%d", n)})
				require.NoError(t, err)
				want = append(want, id)
			}
		}
	}
	require.Greater(t, len(want), 250, "more than a page")
	all, err := client.Webhooks(t.Context())
	require.NoError(t, err)
	var got []string
	for _, registration := range all {
		got = append(got, registration.ID)
	}
	assert.ElementsMatch(t, want, got)
}

// A refused duplicate is looked for in the list: the id in the text of the refusal is that of another webhook, or none.
func TestDuplicatesAreLookedForInTheList(t *testing.T) {
	for text, shown := range map[string]string{
		"exists already: 1000002": "exists already: ***", // the id of another one
		"exists already: 9999999": "exists already: ***", // of none
		"exists already":          "exists already",
	} {
		t.Run(text, func(t *testing.T) {
			server, client := managed(t)
			id, _, err := client.CreateWebhook(t.Context(), paid())
			require.NoError(t, err)
			other := paid()
			other.Topic = "charge/failed"
			_, _, err = client.CreateWebhook(t.Context(), other)
			require.NoError(t, err)

			server.FailNext(1, http.StatusUnprocessableEntity, rechargetest.ShapeList.Body("duplicate", text))
			same, created, err := client.CreateWebhook(t.Context(), paid())
			require.NoError(t, err)
			assert.Equal(t, id, same)
			assert.False(t, created)

			gone := paid()
			gone.Address += "/gone"
			server.FailNext(1, http.StatusUnprocessableEntity, rechargetest.ShapeList.Body("duplicate", text))
			_, _, err = client.CreateWebhook(t.Context(), gone)
			var failed *recharge.APIError
			require.ErrorAs(t, err, &failed)
			assert.True(t, failed.Duplicate)
			assert.Equal(t, "recharge api: status 422: duplicate: "+shown, err.Error())

			server.FailNext(1, http.StatusUnprocessableEntity, rechargetest.ShapeList.Body("duplicate", text))
			server.FailNext(1, http.StatusForbidden, `{"error":"no scope"}`)
			_, _, err = client.CreateWebhook(t.Context(), paid())
			assert.EqualError(t, err, "recharge api: status 403: no scope", "the list failed")
		})
	}
}

// A call is repeated while that may help, and a webhook that was created by a call without a response is found again.
func TestManagingCallsAreRepeated(t *testing.T) {
	for name, behaviour := range map[string]rechargetest.Behaviour{
		"conflict":                 {Status: http.StatusConflict, Body: `{"error":"a call to this resource is in progress"}`},
		"rate limit":               {Status: http.StatusTooManyRequests, Body: `{}`},
		"rate limit, with a time":  {Status: http.StatusTooManyRequests, Body: `{}`, RetryAfter: "60"},
		"fault":                    {Status: http.StatusInternalServerError, Body: `<html>`},
		"fault, but carried out":   {Status: http.StatusServiceUnavailable, Accept: true},
		"no answer":                {Reset: true},
		"no answer, carried out":   {Reset: true, Accept: true},
		"page of a proxy":          {Status: http.StatusOK, Body: "<html>"},
		"hangs until the time-out": {Hang: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, client := managed(t)
				server.Next(5, behaviour)
				id, _, err := client.CreateWebhook(t.Context(), paid())
				require.NoError(t, err)
				registered := server.Webhooks()
				require.Len(t, registered, 1)
				assert.Equal(t, fmt.Sprint(registered[0].ID), id)
				assert.LessOrEqual(t, server.Calls(), 7, "and one that lists, if it was carried out")
			})
		})
	}
}

func TestManagingCallsAreNotRepeatedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := managed(t)
		server.Next(100, rechargetest.Behaviour{Status: http.StatusBadGateway})
		began := time.Now()
		_, err := client.Webhooks(t.Context())
		var failed *recharge.APIError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, http.StatusBadGateway, failed.Status)
		assert.Equal(t, 6, server.Calls())
		assert.Equal(t, 31*time.Second, time.Since(began))
	})
}

func TestManagingCallsEndWithTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := managed(t)
		server.Next(100, rechargetest.Behaviour{Status: http.StatusTooManyRequests, RetryAfter: "600"})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := client.Webhooks(ctx)
		require.Error(t, err)
		assert.Equal(t, 1, server.Calls())
	})
}

// The rate limit is waited for, not run into.
func TestManagingCallsKeepTheRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := managed(t)
		server.SetClock(time.Now)
		server.LimitRate(rechargetest.StandardBucket())
		for _, topic := range []recharge.Topic{"charge/created", "charge/paid", "charge/failed", "charge/updated", "charge/refunded", "charge/deleted"} {
			for n := range 10 {
				_, created, err := client.CreateWebhook(t.Context(), recharge.Registration{Topic: topic, Address: fmt.Sprintf("https://hooks.example.com/%d", n)})
				require.NoError(t, err)
				require.True(t, created)
			}
		}
		assert.Equal(t, 60, server.Calls(), "no call was refused")
	})
}

func TestManagingCallsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		status       int
		body         string
		says, advice string
	}{
		"wrong token":          {401, `{"error":"bad authentication"}`, "status 401: bad authentication", "check recharge.token of the store"},
		"no scope":             {403, `{"error":"scope read_orders is missing"}`, "status 403: scope read_orders is missing", "grant read access"},
		"plan":                 {402, `{"errors":"upgrade"}`, "status 402: upgrade", "ask Recharge's support"},
		"data source":          {406, `{"errors":"not allowed"}`, "status 406: not allowed", "ask Recharge's support"},
		"method":               {405, `{"errors":"Method Not Allowed"}`, "status 405: Method Not Allowed", "recharge.api_url"},
		"another server":       {404, `<html>`, "status 404: answer without an error text", "recharge.api_url"},
		"version":              {426, `{"errors":"invalid API version"}`, "status 426: invalid API version", "2021-11"},
		"not JSON sent":        {415, `{"errors":"body"}`, "status 415: body", ""},
		"field with a text":    {422, `{"errors":{"topic":"is not offered"}}`, "status 422: topic: is not offered", ""},
		"field with a list":    {400, `{"errors":{"topic":["is not offered","twice"],"address":["bad"]}}`, "status 400: address: bad; topic: is not offered, twice", ""},
		"quotes the address":   {422, `{"errors":{"address":["` + address + ` is bad"]}}`, "status 422: address: *** is bad", ""},
		"quotes personal data": {422, `{"errors":{"email":"jo@example.com"}}`, "status 422: email: ***", ""},
		"nothing":              {422, ``, "status 422: answer without an error text", ""},
	} {
		t.Run(name, func(t *testing.T) {
			server, client := managed(t)
			server.FailNext(1, c.status, c.body)
			_, _, err := client.CreateWebhook(t.Context(), paid())
			var failed *recharge.APIError
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, "recharge api: "+c.says, err.Error())
			assert.Contains(t, failed.Advice(), c.advice)
			assert.Equal(t, c.advice == "", failed.Advice() == "")
			assert.Equal(t, 1, server.Calls(), "not repeated")
			assert.NotContains(t, err.Error(), "xiO8qJun1az8L6JzTC1OsY")
		})
	}
}

func TestWebhooksUnreadable(t *testing.T) {
	for name, body := range map[string]string{
		"no list": `{}`, "no object": `{"webhooks":[null]}`, "no id": `{"webhooks":[{"topic":"charge/paid"}]}`, "another list": `{"webhooks":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			server, client := managed(t)
			server.FailNext(1, http.StatusOK, body)
			_, err := client.Webhooks(t.Context())
			assert.ErrorIs(t, err, recharge.ErrUnreadable)
		})
	}
	t.Run("without end", func(t *testing.T) {
		server, client := managed(t)
		server.FailNext(100, http.StatusOK, `{"webhooks":[],"next_cursor":"again"}`)
		_, err := client.Webhooks(t.Context())
		require.ErrorIs(t, err, recharge.ErrUnreadable)
		assert.Equal(t, 20, server.Calls())
	})
}

// Every topic that can be registered has a scope, as the simulator has it.
func TestTopicScope(t *testing.T) {
	server, client := managed(t)
	for _, topic := range []recharge.Topic{"address/created", "customer/updated", "charge/paid", "order/created", "subscription/created", "onetime/created", "store/updated"} {
		server.SetScopes(topic.Scope())
		_, created, err := client.CreateWebhook(t.Context(), recharge.Registration{Topic: topic, Address: address})
		require.NoError(t, err, topic)
		assert.True(t, created)
	}
	assert.Empty(t, recharge.Topic("product/created").Scope())
}
