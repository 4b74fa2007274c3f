package telemetry_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry/telemetrytest"
)

// Lines of net/http are lines of our log, and not more than ten at once and one per second.
func TestHTTPLog(t *testing.T) {
	core, seen := observer.New(zap.DebugLevel)
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	log := telemetry.NewHTTPLog(zap.New(core), "gateway", func() time.Time { return now })
	for range 30 {
		log.Printf("http: TLS handshake error from %s: EOF", "203.0.113.7:4711")
	}
	require.Equal(t, 10, seen.Len())
	first := seen.All()[0]
	assert.Equal(t, zap.WarnLevel, first.Level)
	assert.Equal(t, map[string]any{
		"server": "gateway", "error": "http: TLS handshake error from 203.0.113.7:4711: EOF", "lines_not_logged": int64(0),
	}, first.ContextMap())
	now = now.Add(time.Second)
	log.Print("http: panic serving 203.0.113.7:4711: " + strings.Repeat("x", 10_000))
	last := seen.All()[10]
	assert.Equal(t, zap.ErrorLevel, last.Level)
	assert.Equal(t, int64(20), last.ContextMap()["lines_not_logged"])
	assert.Len(t, last.ContextMap()["error"], 4<<10)
}

// A handler that panics makes one line of JSON, with the stack inside.
func TestHTTPLogOfAServer(t *testing.T) {
	var lines bytes.Buffer
	log, _, err := telemetry.NewLogger("info", &lines)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }))
	server.Config.ErrorLog = telemetry.NewHTTPLog(log, "gateway", time.Now)
	server.Start()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL, http.NoBody)
	require.NoError(t, err)
	response, err := server.Client().Do(request)
	if err == nil {
		require.NoError(t, response.Body.Close())
	}
	require.ErrorIs(t, err, io.EOF)
	server.Close()
	require.NoError(t, telemetrytest.CheckKeys(lines.String()))
	assert.Equal(t, 1, strings.Count(lines.String(), "\n"))
	assert.Contains(t, lines.String(), `"msg":"http server reported an error","server":"gateway","error":"http: panic serving 127.0.0.1:`)
	assert.Contains(t, lines.String(), "goroutine")
}
