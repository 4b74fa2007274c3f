package registration_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/registration"
)

// simulated returns a simulator with registrations, and its client.
func simulated(t *testing.T, registered ...recharge.Registration) (*rechargetest.Server, *recharge.Client) {
	t.Helper()
	server := rechargetest.NewInProcess("token")
	t.Cleanup(server.Close)
	client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: server.URL, Token: "token", HTTPClient: server.Client(time.Minute)})
	require.NoError(t, err)
	for _, r := range registered {
		_, _, err := client.CreateWebhook(t.Context(), r)
		require.NoError(t, err)
	}
	return server, client
}

// plan returns the plan for what is registered.
func plan(t *testing.T, client *recharge.Client) []registration.Row {
	t.Helper()
	found, err := client.Webhooks(t.Context())
	require.NoError(t, err)
	return registration.Plan(acme(), found)
}

func errorsOf(results []registration.Result) (failed []error) {
	for _, r := range results {
		if r.Err != nil {
			failed = append(failed, r.Err)
		}
	}
	return failed
}

// messy is one registration of each status but ok and missing.
func messy() []recharge.Registration {
	return []recharge.Registration{
		at("", "charge/paid", host+"/webhooks/acme/charge/paid/OLD"),
		at("", "charge/paid", host+"/webhooks/acme/charge/paid"),
		at("", "charge/paid", "https://other.example.com/"),
		at("", "order/created", host+"/webhooks/acme/order/created"),
	}
}

func TestApplyMakesItSo(t *testing.T) {
	_, client := simulated(t, messy()...)
	assert.Empty(t, errorsOf(registration.Apply(t.Context(), client, plan(t, client), registration.Keep)))

	rows := plan(t, client)
	var statuses []registration.Status
	for _, row := range rows {
		statuses = append(statuses, row.Status)
		assert.Equal(t, registration.ActionNone, registration.Keep(row), "nothing is left to do")
	}
	assert.ElementsMatch(t, []registration.Status{registration.StatusOK, registration.StatusOK, registration.StatusForeign, registration.StatusUnused}, statuses)
}

func TestApplyRemovesOurs(t *testing.T) {
	server, client := simulated(t, messy()...)
	assert.Empty(t, errorsOf(registration.Apply(t.Context(), client, plan(t, client), registration.Remove)))
	require.Len(t, server.Webhooks(), 1)
	assert.Equal(t, "https://other.example.com/", server.Webhooks()[0].Address)
}

// The version can't be read, so it is set again.
func TestApplyRefreshesTheVersion(t *testing.T) {
	server, client := simulated(t)
	body := `{"topic":"charge/paid","included_objects":["customer"],"address":"` + at("", "charge/paid", host+"/webhooks/acme/charge/paid/TOKEN").Address + `"}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/webhooks", strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("X-Recharge-Access-Token", "token")
	request.Header.Set("X-Recharge-Version", "2021-11")
	response, err := server.Client(time.Minute).Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Empty(t, server.Webhooks()[0].Version, "the store's default")
	require.Equal(t, registration.StatusOK, plan(t, client)[0].Status)

	registration.Apply(t.Context(), client, plan(t, client), registration.Keep)
	assert.Empty(t, server.Webhooks()[0].Version)
	registration.Apply(t.Context(), client, plan(t, client), registration.Refresh)
	assert.Equal(t, recharge.Version202111, server.Webhooks()[0].Version)
}

// Registrations that come and go between the plan and its application.
func TestApplyOldPlan(t *testing.T) {
	server, client := simulated(t, at("", "charge/paid", host+"/webhooks/acme/charge/paid/OLD"))
	rows := plan(t, client)
	server.DropWebhooks(rechargetest.GivenUp{Topic: "charge/paid"})
	created := at("", "customer/updated", host+"/webhooks/acme/customer/updated/TOKEN")
	created.Included = []string{"metafields"}
	_, _, err := client.CreateWebhook(t.Context(), created)
	require.NoError(t, err)

	assert.Empty(t, errorsOf(registration.Apply(t.Context(), client, rows, registration.Keep)))
	for _, row := range plan(t, client) {
		assert.Equal(t, registration.StatusOK, row.Status)
	}
}

// Between plan and application another process registers the same webhook, with other included objects. The refusal's text has a wrong id.
func TestApplyFindsItsDuplicate(t *testing.T) {
	server, client := simulated(t, at("", "charge/paid", "https://other.example.com/"))
	rows := plan(t, client)
	raced := rows[0].Wanted
	raced.Included = nil
	_, _, err := client.CreateWebhook(t.Context(), raced)
	require.NoError(t, err)
	foreign := server.Webhooks()[0]

	server.FailNext(1, http.StatusUnprocessableEntity, rechargetest.ShapeList.Body("duplicate", "exists already: "+strconv.FormatInt(foreign.ID, 10)))
	assert.Empty(t, errorsOf(registration.Apply(t.Context(), client, rows, registration.Keep)))
	registered := server.Webhooks()
	require.Len(t, registered, 3)
	assert.Equal(t, foreign, registered[0], "the one that the text names is left")
	for _, row := range plan(t, client)[:2] {
		assert.Equal(t, registration.StatusOK, row.Status, row.Topic)
	}
}

func TestApplyFailures(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		server, client := simulated(t, messy()...)
		rows := plan(t, client)
		server.Next(1, rechargetest.Behaviour{Status: http.StatusUnprocessableEntity})
		results := registration.Apply(t.Context(), client, rows, registration.Keep)
		require.Len(t, errorsOf(results), 2)
		require.ErrorIs(t, results[1].Err, registration.ErrNotTried, "the duplicate may be the only one that works")
		require.NoError(t, results[2].Err, "others are tried")
	})
	t.Run("no end of faults", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server, client := simulated(t)
			rows := plan(t, client)
			server.Next(100, rechargetest.Behaviour{Status: http.StatusBadGateway})
			calls := server.Calls()
			results := registration.Apply(t.Context(), client, rows, registration.Keep)
			require.Len(t, results, 2)
			require.Error(t, results[0].Err)
			require.ErrorIs(t, results[1].Err, registration.ErrNotTried)
			assert.Equal(t, 6, server.Calls()-calls)
		})
	})
}
