package redirect_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/links"
	"github.com/rechargeflow/rechargeflow/pkg/links/redirect"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// BenchmarkRedirect is the handler's own time for a request among 100,000 links.
func BenchmarkRedirect(b *testing.B) {
	w := newReadyWorld(b, acme())
	metrics := telemetry.NewMetrics()
	clicks := redirect.NewClicks("recharge.sms-receipts", w.produce, metrics, zap.NewNop(), w.clock)
	handler := redirect.New(redirect.Config{Stores: acme(), Links: w.table, Clicks: clicks, Metrics: metrics, Log: zap.NewNop(), Now: w.clock})
	codes := make([]links.Code, 100_000)
	for i := range codes {
		codes[i] = w.link("acme", "a", portal)
	}
	requests := make([]*http.Request, len(codes))
	for i, code := range codes {
		requests[i] = httptest.NewRequestWithContext(b.Context(), http.MethodGet, "http://go.acme.example/r/"+string(code), http.NoBody)
		requests[i].Header.Set("User-Agent", person)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		handler.ServeHTTP(httptest.NewRecorder(), requests[i%len(requests)])
	}
}
