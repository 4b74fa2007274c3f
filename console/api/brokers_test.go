package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// While brokers do not answer, what needs them is refused soon, with what to do. What the console has read is shown.
func TestBrokersDoNotAnswer(t *testing.T) {
	b := kafkatest.Embedded(t, kafkatest.WithProxies())
	s := newSiteOn(t, b)
	s.Customer("acme", "7", "c7@example.com", "+14155550101")
	s.Texted("acme", "7", "0000000000000000000000000000000000000000000000000000000000000007", flow.ChargePaid)
	require.Eventually(t, func() bool {
		return s.answer(request(t, "GET", "/stores/acme/texts/0000000000000000000000000000000000000000000000000000000000000007", "")).Code == http.StatusOK
	}, 30*time.Second, 10*time.Millisecond)

	t.Run("refuse connections", func(t *testing.T) {
		b.Proxy().Refuse()
		s.unreachable(t, b.Addr())
		b.Proxy().Accept()
		s.reachable(t)
	})
	t.Run("hang", func(t *testing.T) {
		b.Proxy().Hold()
		s.unreachable(t, b.Addr())
		b.Proxy().Release()
		b.Proxy().Cut()
		s.reachable(t)
	})
}

func (s *site) reachable(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		s.Pass(time.Minute)
		return s.answer(request(t, "GET", "/pipeline", "")).Code == http.StatusOK
	}, time.Minute, 100*time.Millisecond)
}

// unreachable requires that each operation that needs brokers is refused with a problem, and that others are not.
func (s *site) unreachable(t *testing.T, address string) {
	t.Helper()
	const soon = 20 * time.Second // 5, on a machine that does other things
	for _, r := range []*http.Request{
		request(t, "GET", "/pipeline", ""),
		request(t, "GET", "/dead-letters/tracking/0/0", ""),
		request(t, "POST", "/dead-letters/count", `{}`),
		request(t, "POST", "/dead-letters/replays", `{"confirm":1}`),
		request(t, "GET", "/stores/acme/customers/7/timeline", ""),
		request(t, "POST", "/stores/acme/flows/charge_paid/backtest", `{}`),
		request(t, "POST", "/stores/acme/flows/charge_paid/would-send", `{}`),
		request(t, "PATCH", "/stores/acme/flows/charge_paid", `{"version":0,"name":"Paid"}`),
		request(t, "GET", "/stores/acme/segments/members?segment=received+any", ""),
		request(t, "POST", "/stores/acme/segments", `{"name":"a","conditions":"received any"}`),
		request(t, "POST", "/stores/acme/segments/push", `{}`),
		request(t, "POST", "/tokens", `{"name":"reports","role":"viewer"}`),
	} {
		s.Pass(time.Minute) // what was found a moment ago is old
		began := time.Now()
		w := s.answer(r)
		require.Equal(t, http.StatusServiceUnavailable, w.Code, "%s %s: %s", r.Method, r.URL, w.Body)
		assert.Less(t, time.Since(began), soon, "%s %s", r.Method, r.URL)
		saysWhatToDo(t, w, address)
	}
	for _, path := range []string{
		"/stores", "/stores/acme/overview", "/stores/acme/texts", "/stores/acme/customers", "/stores/acme/customers/7", "/stores/acme/events", "/stores/acme/flows",
		"/stores/acme/flows/charge_paid", "/stores/acme/flows/charge_paid/history", "/stores/acme/sending", "/stores/acme/segments", "/dead-letters", "/dead-letters/replays",
		"/stores/acme/segments/push", "/tokens",
	} {
		s.Pass(time.Minute)
		began := time.Now()
		w := s.answer(request(t, "GET", path, ""))
		assert.Equal(t, http.StatusOK, w.Code, "%s: %s", path, w.Body)
		assert.Less(t, time.Since(began), soon, path)
	}
}

// saysWhatToDo requires that a problem names what can't be reached, and what to do.
func saysWhatToDo(t *testing.T, w *httptest.ResponseRecorder, address string) {
	t.Helper()
	assert.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	assert.Equal(t, "5", w.Header().Get("Retry-After"))
	var problem struct{ Detail string }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &problem))
	assert.Contains(t, problem.Detail, "Kafka can't be reached at "+address)
	assert.Contains(t, problem.Detail, "check that the brokers run, and kafka.brokers")
}
