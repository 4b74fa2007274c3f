//go:build bench

package bench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
)

// benchIngest measures verified ingest. Its limit is the same HTTP server with a
// handler that reads the body and throws it away.
func benchIngest(t *testing.T, r *report, targets []target) {
	t.Helper()
	var rows [][]string
	for _, callers := range []int{1, 64, 512} {
		total := map[int]int{1: 2_000, 64: 60_000, 512: 60_000}[callers]
		limit := discardRate(t, callers, total)
		for i, on := range targets {
			l := newLab(t, on, fmt.Sprintf("ingest%d-%d.", i, callers))
			gateway, err := l.Start(t.Context(), "gateway")
			require.NoError(t, err)
			hammer(t, l.Gateway, callers, min(total/10, 5_000)) // warm
			each, took := hammer(t, l.Gateway, callers, total)
			_, peak := residentMiB(gateway.PID())
			require.NoError(t, gateway.Stop(30*time.Second))
			rate := float64(total) / took.Seconds()
			rows = append(rows, []string{
				on.name, fmt.Sprint(callers), thousands(int(rate)), millis(percentile(each, 50)), millis(percentile(each, 99)),
				fmt.Sprintf("%d MiB", peak), thousands(int(limit)), percent(rate, limit),
			})
		}
	}
	r.table("Verified ingest: a signed 1.2 KB webhook, answered when Kafka has acknowledged it",
		[]string{"broker", "callers", "webhooks/s", "p50", "p99", "memory", "limit: body discarded, /s", "of the limit"}, rows)
}

// discardRate is what callers and an echo server reach with nothing in between.
func discardRate(t *testing.T, callers, total int) float64 {
	t.Helper()
	e := echo.New()
	e.POST("/webhooks/:store/:resource/:action", func(c echo.Context) error {
		_, err := io.Copy(io.Discard, c.Request().Body)
		if err != nil {
			return err
		}
		return c.NoContent(http.StatusOK)
	})
	server := httptest.NewServer(e)
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	hammer(t, address, callers, min(total/10, 5_000))
	_, took := hammer(t, address, callers, total)
	return float64(total) / took.Seconds()
}
