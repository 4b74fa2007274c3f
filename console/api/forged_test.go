package api_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// A product's title can't end the data of an event in a stream, and begin another one.
func TestTitleForgesNoEventOfAStream(t *testing.T) {
	s := newSite(t)
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+console.APIPath+"/stores/acme/live", http.NoBody)
	require.NoError(t, err)
	response, err := server.Client().Do(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	require.True(t, lines.Scan())
	require.Contains(t, lines.Text(), "retry: ", "the stream has begun")
	const title = "Coffee\r\n\r\nevent: forged\ndata: {}\n\n</script>"
	s.Write(s.Config.Topics.Events(), "acme", "42", "rechargeflow.event", subscriber.Event{
		ID: strings.Repeat("a", 32), Type: subscriber.EventSubscription, Status: subscriber.StatusCreated, Store: "acme", OccurredAt: s.Now(), RechargeCustomerID: "42",
		Subscription: &subscriber.Subscription{ID: "6", ProductTitle: title},
	})
	var row service.Live
	for lines.Scan() && row.Kind == "" {
		assert.NotEqual(t, "event: forged", lines.Text())
		if data, is := strings.CutPrefix(lines.Text(), "data: "); is {
			assert.NotContains(t, data, "<")
			require.NoError(t, json.Unmarshal([]byte(data), &row))
		}
	}
	assert.Equal(t, "event", row.Kind)
	assert.Contains(t, row.Detail, title)
}

// What customers type is no formula in an export.
func TestExportHasNoFormulas(t *testing.T) {
	s := newSite(t)
	s.Customer("acme", "7", "=HYPERLINK(A1)", "@SUM(1)")
	s.Customer("acme", "8", "-2+3@example.com", "+1 415 555 0101")
	s.Customer("acme", "9", "\t=1,\"a", "+cmd|' /C calc'!A0")
	for _, id := range []string{"7", "8", "9"} {
		s.Texted("acme", id, "text-"+id, flow.ChargePaid)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, request(t, http.MethodGet, "/stores/acme/segments/export?segment=received%20any&reveal=true", ""))
	require.Equal(t, http.StatusOK, w.Code)
	rows := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	assert.ElementsMatch(t, []string{
		"recharge_customer_id,email,phone", "7,'=HYPERLINK(A1),'@SUM(1)", "8,'-2+3@example.com,+1 415 555 0101", "9,\"'\t=1,\"\"a\",'+cmd|' /C calc'!A0",
	}, rows)
}
