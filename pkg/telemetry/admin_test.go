package telemetry_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// admin starts a server that is shut down with the test, and returns how to get a path of it.
func admin(t *testing.T, m *telemetry.Metrics, h *telemetry.Health) func(path string) (int, string) {
	t.Helper()
	a := telemetry.NewAdmin("127.0.0.1:0", m, h, telemetry.Version{Version: "v1.2.3", Commit: "abc", Go: "go1.26"})
	assert.Empty(t, a.Addr())
	require.NoError(t, a.Start(t.Context()))
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		require.NoError(t, a.Shutdown(context.Background()))
	})
	return func(path string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.Addr()+path, nil)
		require.NoError(t, err)
		response, err := client.Do(request)
		require.NoError(t, err)
		defer func() { require.NoError(t, response.Body.Close()) }()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(body)
	}
}

func TestVersionPage(t *testing.T) {
	get := admin(t, telemetry.NewMetrics(), telemetry.NewHealth())
	code, body := get("/version")
	assert.Equal(t, http.StatusOK, code)
	assert.JSONEq(t, `{"version":"v1.2.3","commit":"abc","go":"go1.26"}`, body)
	code, _ = get("/debug/pprof/")
	assert.Equal(t, http.StatusNotFound, code)
}

func TestMetricsPage(t *testing.T) {
	m := telemetry.NewMetrics()
	m.Record("tracking", "acme", "skipped", "other_store")
	m.Record("tracking", "acme", "skipped", "other_store")
	m.Ingest("acme", 3*time.Millisecond)
	m.Response(200, 1700*time.Millisecond)
	m.Response(499, time.Millisecond)
	m.GatewayLimits(func() int { return 3 }, func() int64 { return 4 }, func() int64 { return 5 })
	m.EndToEnd("sms", "acme", 20*time.Minute, "")
	m.Paused("tracking", "acme", true)
	m.Paused("tracking", "other", true)
	m.Paused("tracking", "other", false)
	m.Build(telemetry.Version{Version: "v1.2.3", Commit: "abc", Go: "go1.26"})
	m.Waiting("tracking", "rechargeflow.tracking.acme", 3)
	m.Lost("rechargeflow.transformer", func() int64 { return 7 })
	m.Lookup("acme", "customer", "not_found")
	m.LookupsPending("acme", 5)

	_, body := admin(t, m, telemetry.NewHealth())("/metrics")
	for _, line := range []string{
		`rechargeflow_records_total{outcome="skipped",reason="other_store",role="tracking",store="acme"} 2`,
		`rechargeflow_ingest_seconds_bucket{store="acme",le="0.0025"} 0`,
		`rechargeflow_ingest_seconds_bucket{store="acme",le="0.005"} 1`,
		`rechargeflow_gateway_response_seconds_bucket{status="200",le="1.5"} 0`,
		`rechargeflow_gateway_response_seconds_bucket{status="200",le="2"} 1`,
		`rechargeflow_gateway_response_seconds_count{status="other"} 1`,
		`rechargeflow_gateway_connections 3`,
		`rechargeflow_gateway_connections_evicted_total 4`,
		`rechargeflow_gateway_body_bytes 5`,
		`rechargeflow_end_to_end_seconds_bucket{role="sms",store="acme",le="900"} 0`,
		`rechargeflow_end_to_end_seconds_bucket{role="sms",store="acme",le="3600"} 1`,
		`rechargeflow_store_paused{role="tracking",store="acme"} 1`,
		`rechargeflow_store_paused{role="tracking",store="other"} 0`,
		`rechargeflow_build_info{commit="abc",go="go1.26",version="v1.2.3"} 1`,
		`rechargeflow_waiting_partitions{group="rechargeflow.tracking.acme",role="tracking"} 3`,
		`rechargeflow_lost_records_total{group="rechargeflow.transformer"} 7`,
		`rechargeflow_lookups_total{kind="customer",outcome="not_found",store="acme"} 1`,
		`rechargeflow_lookups_pending{store="acme"} 5`,
		`# TYPE go_goroutines gauge`,
		`# TYPE process_start_time_seconds gauge`,
	} {
		assert.Contains(t, body, line+"\n")
	}
}

func TestMetricsOfTwoProcessesInOne(t *testing.T) {
	require.NotPanics(t, func() { telemetry.NewMetrics(); telemetry.NewMetrics() }, "no global registry")
}

func TestReadiness(t *testing.T) {
	failure := map[string]error{}
	health := telemetry.NewHealth()
	health.Register("gateway", true, func() error { return failure["gateway"] })
	health.Register("tracking/acme", false, func() error { return failure["tracking/acme"] })
	get := admin(t, telemetry.NewMetrics(), health)

	ready := func(wantCode int, want telemetry.Report) {
		t.Helper()
		code, body := get("/readyz")
		assert.Equal(t, wantCode, code)
		var got telemetry.Report
		require.NoError(t, json.Unmarshal([]byte(body), &got))
		assert.Equal(t, want, got)
		code, body = get("/healthz")
		assert.Equal(t, http.StatusOK, code, "the process lives")
		assert.Equal(t, "ok\n", body)
	}
	gateway := telemetry.CheckResult{Name: "gateway", OK: true, Gates: true}
	sink := telemetry.CheckResult{Name: "tracking/acme", OK: true}
	ready(http.StatusOK, telemetry.Report{Status: "ready", Checks: []telemetry.CheckResult{gateway, sink}})

	failure["tracking/acme"] = errors.New("401 from Bloomreach")
	sink.OK, sink.Error = false, "401 from Bloomreach"
	ready(http.StatusOK, telemetry.Report{Status: "ready", Checks: []telemetry.CheckResult{gateway, sink}})

	failure["gateway"] = errors.New("Kafka takes nothing")
	gateway.OK, gateway.Error = false, "Kafka takes nothing"
	ready(http.StatusServiceUnavailable, telemetry.Report{Status: "not ready", Checks: []telemetry.CheckResult{gateway, sink}})

	failure["gateway"] = nil
	gateway.OK, gateway.Error = true, ""
	health.Drain()
	ready(http.StatusServiceUnavailable, telemetry.Report{Status: "draining", Checks: []telemetry.CheckResult{gateway, sink}})
}

func TestReadinessWithoutChecks(t *testing.T) {
	code, body := admin(t, telemetry.NewMetrics(), telemetry.NewHealth())("/readyz")
	assert.Equal(t, http.StatusOK, code)
	assert.JSONEq(t, `{"status":"ready","checks":[]}`, body)
}

func TestPortTaken(t *testing.T) {
	first := telemetry.NewAdmin("127.0.0.1:0", telemetry.NewMetrics(), telemetry.NewHealth(), telemetry.Version{})
	require.NoError(t, first.Start(t.Context()))
	defer func() { require.NoError(t, first.Shutdown(context.Background())) }()

	second := telemetry.NewAdmin(first.Addr(), telemetry.NewMetrics(), telemetry.NewHealth(), telemetry.Version{})
	require.ErrorContains(t, second.Start(t.Context()), "listen on "+first.Addr())
	require.NoError(t, second.Shutdown(t.Context()), "nothing to stop")
}

// A request that does not end is cut off when the context ends, and nothing is left running.
func TestShutdownCutsOff(t *testing.T) {
	health := telemetry.NewHealth()
	entered, release := make(chan struct{}), make(chan struct{})
	health.Register("slow", true, func() error { close(entered); <-release; return nil })
	a := telemetry.NewAdmin("127.0.0.1:0", telemetry.NewMetrics(), health, telemetry.Version{})
	require.NoError(t, a.Start(t.Context()))
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	asked := make(chan error, 1)
	go func() {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+a.Addr()+"/readyz", nil)
		if err == nil {
			var response *http.Response
			if response, err = client.Do(request); err == nil {
				err = response.Body.Close()
			}
		}
		asked <- err
	}()
	<-entered
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, a.Shutdown(ended), context.Canceled)
	require.Error(t, <-asked)
	close(release)
}

// A scrape in the OpenMetrics format gets the trace of a webhook as an exemplar; an invalid traceparent is none.
func TestExemplars(t *testing.T) {
	m := telemetry.NewMetrics()
	m.EndToEnd("sms", "acme", 20*time.Millisecond, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	m.EndToEnd("sms", "acme", 20*time.Minute, "00-"+strings.Repeat("x", 200)+"-00f067aa0ba902b7-01")
	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	request.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	page := httptest.NewRecorder()
	m.Handler().ServeHTTP(page, request)
	assert.Contains(t, page.Header().Get("Content-Type"), "application/openmetrics-text")
	assert.Contains(t, page.Body.String(), `rechargeflow_end_to_end_seconds_bucket{role="sms",store="acme",le="0.05"} 1 # {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 0.02`)
	assert.Contains(t, page.Body.String(), `rechargeflow_end_to_end_seconds_count{role="sms",store="acme"} 2`)
	assert.NotContains(t, page.Body.String(), "xxx")
}
