package telemetry_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
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
	m.EndToEnd("sms", "acme", 20*time.Minute)
	m.Paused("tracking", "acme", true)
	m.Paused("tracking", "other", true)
	m.Paused("tracking", "other", false)
	m.Build(telemetry.Version{Version: "v1.2.3", Commit: "abc", Go: "go1.26"})
	m.Waiting("tracking", "rechargeflow.tracking.acme", 3)
	m.Lost("rechargeflow.transformer", func() int64 { return 7 })
	m.Lookup("acme", "identity", "not_found")
	m.LookupsPending("acme", 5)

	_, body := admin(t, m, telemetry.NewHealth())("/metrics")
	for _, line := range []string{
		`rechargeflow_records_total{outcome="skipped",reason="other_store",role="tracking",store="acme"} 2`,
		`rechargeflow_ingest_seconds_bucket{store="acme",le="0.0025"} 0`,
		`rechargeflow_ingest_seconds_bucket{store="acme",le="0.005"} 1`,
		`rechargeflow_end_to_end_seconds_bucket{role="sms",store="acme",le="900"} 0`,
		`rechargeflow_end_to_end_seconds_bucket{role="sms",store="acme",le="3600"} 1`,
		`rechargeflow_store_paused{role="tracking",store="acme"} 1`,
		`rechargeflow_store_paused{role="tracking",store="other"} 0`,
		`rechargeflow_build_info{commit="abc",go="go1.26",version="v1.2.3"} 1`,
		`rechargeflow_waiting_partitions{group="rechargeflow.tracking.acme",role="tracking"} 3`,
		`rechargeflow_lost_records_total{group="rechargeflow.transformer"} 7`,
		`rechargeflow_lookups_total{asked_for="identity",outcome="not_found",store="acme"} 1`,
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
	require.ErrorContains(t, second.Start(t.Context()), "listen for operators on "+first.Addr())
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
