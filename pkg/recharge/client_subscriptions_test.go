package recharge_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/test/histories"
)

// serverWith returns a server with n subscriptions of customer 1 and one of customer 2.
func serverWith(t *testing.T, n int) *rechargetest.Server {
	t.Helper()
	server := rechargetest.NewServer("token")
	t.Cleanup(server.Close)
	require.NoError(t, server.Put([]byte(`{"subscription":{"id":9999999,"customer_id":2,"status":"active"}}`)))
	for i := 1; i <= n; i++ {
		require.NoError(t, server.Put(fmt.Appendf(nil, `{"subscription":{"id":%d,"customer_id":1,"status":"active","created_at":"2026-03-01T10:00:00+00:00"}}`, i)))
	}
	return server
}

func TestClientSubscriptions(t *testing.T) {
	for _, c := range []struct{ has, reads, calls int }{{0, 0, 1}, {1, 1, 1}, {250, 250, 1}, {251, 251, 2}, {1000, 1000, 4}, {1001, 1000, 4}} {
		server := serverWith(t, c.has)
		all, complete, err := newClient(t, server.URL, "token").Subscriptions(t.Context(), "1")
		require.NoError(t, err)
		require.NotNil(t, all, "an empty list, not nil")
		require.Len(t, all, c.reads)
		assert.Equal(t, c.has == c.reads, complete)
		assert.Equal(t, c.calls, server.Calls())
		for i, s := range all {
			require.Equal(t, fmt.Sprint(c.has-i), s.ID, "newest first, without duplicates")
			require.Equal(t, time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), s.CreatedAt)
		}
	}
}

// Each element of a list decodes as in a webhook.
func TestClientSubscriptionsAreDecodedLikeWebhooks(t *testing.T) {
	server := rechargetest.NewServer("token")
	t.Cleanup(server.Close)
	customer := histories.Customer{Number: 7, Items: 3}
	want := map[string]recharge.Subscription{}
	for _, d := range customer.Burst(histories.FirstCheckout, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) {
		if d.Topic == "subscription/created" {
			require.NoError(t, server.Put(d.Body()))
			w, err := newDecoder(t).Decode(d.Topic, d.Body(), d.Received)
			require.NoError(t, err)
			want[w.Subscription.ID] = *w.Subscription
		}
	}
	all, complete, err := newClient(t, server.URL, "token").Subscriptions(t.Context(), customer.ID())
	require.NoError(t, err)
	assert.True(t, complete)
	require.Len(t, all, 3)
	for _, s := range all {
		assert.Equal(t, want[s.ID], s)
	}
}

func TestClientSubscriptionsUnreadable(t *testing.T) {
	for body, says := range map[string]string{
		`{"subscriptions":[{"id":1,"customer_id":2}]}`:                  "another customer",
		`{"subscriptions":[{"id":1,"customer_id":1},null]}`:             "lacks the object",
		`{"subscriptions":[{"customer_id":1}]}`:                         "lacks its id",
		`{"subscriptions":[{"id":1,"created_at":"hidden"}]}`:            "subscription.created_at",
		`{"subscriptions":[{"id":1,"status":["hidden"]}]}`:              "field subscriptions.status is array",
		`{"subscriptions":{"id":1}}`:                                    "field subscriptions is object",
		`{"subscriptions":null}`:                                        "lacks the object",
		`{}`:                                                            "lacks the object",
		`{"subscriptions":[{"id":1,"customer_id":1}],"next_cursor":[]}`: "field next_cursor is array",
	} {
		server := rechargetest.NewServer("token")
		t.Cleanup(server.Close)
		server.FailNext(1, http.StatusOK, body)
		_, _, err := newClient(t, server.URL, "token").Subscriptions(t.Context(), "1")
		require.ErrorIs(t, err, recharge.ErrUnreadable, body)
		require.ErrorContains(t, err, says, body)
		assert.NotContains(t, err.Error(), "hidden")
	}
}

// One failed page fails the whole list: a part of it must not be taken for all.
func TestClientSubscriptionsPageFails(t *testing.T) {
	server := serverWith(t, 600)
	server.Next(1, rechargetest.Behaviour{})
	server.FailNext(1, http.StatusServiceUnavailable, `{"errors":"third party timeout"}`)
	all, _, err := newClient(t, server.URL, "token").Subscriptions(t.Context(), "1")
	var answer *recharge.APIError
	require.ErrorAs(t, err, &answer)
	assert.Equal(t, http.StatusServiceUnavailable, answer.Status)
	assert.Empty(t, all)
}

// A cursor that points to its own page does not loop forever.
func TestClientSubscriptionsCursorLoop(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		assert.Equal(t, calls > 1, r.URL.Query().Has("cursor"))
		assert.Equal(t, calls == 1, r.URL.Query().Has("customer_id"), "a request for the next page has no filter")
		assert.Equal(t, "250", r.URL.Query().Get("limit"))
		_, _ = w.Write([]byte(`{"subscriptions":[{"id":1,"customer_id":1}],"next_cursor":"again"}`))
	}))
	t.Cleanup(server.Close)
	_, complete, err := newClient(t, server.URL, "token").Subscriptions(t.Context(), "1")
	require.NoError(t, err)
	assert.False(t, complete)
	assert.Equal(t, 4, calls)
}

func TestClientRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	cases := []struct {
		status int
		header string
		want   time.Duration
	}{
		{429, "", 2 * time.Second},
		{429, "1", 2 * time.Second},
		{429, "7", 7 * time.Second},
		{429, "soon", 2 * time.Second},
		{429, "-5", 2 * time.Second},
		{429, "99999999", time.Hour},
		{503, "", 0},
		{503, "7", 7 * time.Second},
		{503, "Sun, 01 Mar 2026 12:00:30 GMT", 30 * time.Second},
		{503, "Sun, 01 Mar 2026 11:00:00 GMT", 0},
		{503, "Mon, 01 Mar 2027 12:00:00 GMT", time.Hour},
	}
	for _, c := range cases {
		server := rechargetest.NewServer("token")
		t.Cleanup(server.Close)
		server.Next(1, rechargetest.Behaviour{Status: c.status, Body: `{}`, RetryAfter: c.header})
		client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: server.URL, Token: "token", Now: func() time.Time { return now }})
		require.NoError(t, err)
		_, err = client.Customer(t.Context(), "1")
		var answer *recharge.APIError
		require.ErrorAs(t, err, &answer)
		assert.Equal(t, c.want, answer.RetryAfter, "%d %q", c.status, c.header)
	}
}

func TestClientUnusableAnswers(t *testing.T) {
	server := rechargetest.NewServer("token")
	t.Cleanup(server.Close)
	client := newClient(t, server.URL, "token")

	server.FailNext(1, http.StatusOK, `<html>`) // the page of a proxy
	_, err := client.Customer(t.Context(), "1")
	var answer *recharge.APIError
	require.ErrorAs(t, err, &answer)
	assert.Equal(t, "answer is not JSON", answer.Message)

	server.FailNext(1, http.StatusOK, `{"customer":{"id":2}}`)
	_, err = client.Customer(t.Context(), "1")
	require.ErrorIs(t, err, recharge.ErrUnreadable)

	server.FailNext(1, http.StatusOK, `"`+string(make([]byte, 4<<20))+`"`)
	_, err = client.Customer(t.Context(), "1")
	require.ErrorIs(t, err, recharge.ErrUnreadable)
	require.ErrorContains(t, err, "larger than 4 MiB")
}

// An answer's field that no decision needs is left out, too.
func TestClientLeavesFieldsOut(t *testing.T) {
	server := rechargetest.NewServer("token")
	t.Cleanup(server.Close)
	server.FailNext(1, http.StatusOK, `{"subscriptions":[{"id":1,"quantity":["hidden"],"sku":"HB-1"},{"id":2,"next_charge_scheduled_at":"hidden"}]}`)
	all, complete, err := newClient(t, server.URL, "token").Subscriptions(t.Context(), "1")
	require.NoError(t, err)
	assert.True(t, complete)
	assert.Equal(t, []recharge.Subscription{{ID: "1", SKU: "HB-1"}, {ID: "2"}}, all)
}
