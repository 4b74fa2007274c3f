package telemetry_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// debugged starts a server with log level and profiles, and returns how to send a request to it.
func debugged(t *testing.T, log *bytes.Buffer) func(method, path, body string) (int, string) {
	t.Helper()
	logger, level, err := telemetry.NewLogger("info", log)
	require.NoError(t, err)
	a := telemetry.NewAdmin("127.0.0.1:0", telemetry.NewMetrics(), telemetry.NewHealth(), telemetry.Version{})
	a.ServeLogLevel(level, logger)
	a.ServePprof()
	require.NoError(t, a.Start(t.Context()))
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		require.NoError(t, a.Shutdown(context.Background()))
	})
	return func(method, path, body string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+a.Addr()+path, strings.NewReader(body))
		require.NoError(t, err)
		response, err := client.Do(request)
		require.NoError(t, err)
		defer func() { require.NoError(t, response.Body.Close()) }()
		answer, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		logger.Debug("seen at debug")
		logger.Error("seen always")
		return response.StatusCode, string(answer)
	}
}

func TestLogLevel(t *testing.T) {
	var log bytes.Buffer
	send := debugged(t, &log)
	code, body := send(http.MethodGet, "/log/level", "")
	assert.Equal(t, http.StatusOK, code)
	assert.JSONEq(t, `{"level":"info"}`, body)
	assert.NotContains(t, log.String(), "seen at debug")
	_, body = send(http.MethodPut, "/log/level", `{"level":"debug"}`)
	assert.JSONEq(t, `{"level":"debug"}`, body)
	assert.Contains(t, log.String(), `"msg":"log level changed","from":"info","to":"debug"`)
	assert.Contains(t, log.String(), "seen at debug")
	code, body = send(http.MethodPut, "/log/level", `{"level":"loud"}`)
	assert.Equal(t, http.StatusBadRequest, code)
	assert.Contains(t, body, "loud")
	log.Reset()
	send(http.MethodPut, "/log/level", `{"level":"fatal"}`)
	assert.Contains(t, log.String(), "seen always", "errors can't be switched off")
	code, _ = send(http.MethodPost, "/log/level", `{"level":"debug"}`)
	assert.Equal(t, http.StatusMethodNotAllowed, code)
}

func TestPprof(t *testing.T) {
	send := debugged(t, &bytes.Buffer{})
	for path, part := range map[string]string{
		"/debug/pprof/": "goroutine", "/debug/pprof/goroutine?debug=1": "goroutine profile", "/debug/pprof/cmdline": "telemetry",
		"/debug/pprof/profile?seconds=1": "", "/debug/pprof/heap": "",
	} {
		code, body := send(http.MethodGet, path, "")
		assert.Equal(t, http.StatusOK, code, path)
		assert.Contains(t, body, part, path)
	}
}
