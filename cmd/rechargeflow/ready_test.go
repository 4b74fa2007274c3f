package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// readyAt runs `rechargeflow ready` for a process with this admin.listen.
func readyAt(t *testing.T, listen string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = execute(t.Context(), []string{"ready"}, []string{"RECHARGEFLOW_ADMIN_LISTEN=" + listen}, &out, &errs)
	return code, out.String(), errs.String()
}

func TestReady(t *testing.T) {
	var required, optional error
	health := telemetry.NewHealth()
	health.Register("start", true, func() error { return required })
	health.Register("tracking/acme", false, func() error { return optional })
	admin := telemetry.NewAdmin("127.0.0.1:0", telemetry.NewMetrics(), health, telemetry.Version{})
	require.NoError(t, admin.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, admin.Shutdown(context.Background())) })
	_, port, err := net.SplitHostPort(admin.Addr())
	require.NoError(t, err)

	for _, listen := range []string{admin.Addr(), ":" + port, "0.0.0.0:" + port, "[::]:" + port} {
		code, stdout, stderr := readyAt(t, listen)
		assert.Equal(t, cli.ExitOK, code, "%s: %s", listen, stderr)
		assert.Equal(t, "ready\n", stdout)
	}

	optional = errors.New("401 from Bloomreach")
	code, stdout, _ := readyAt(t, admin.Addr())
	assert.Equal(t, cli.ExitOK, code, "a store's error is reported, but the process is ready")
	assert.Equal(t, "ready\ntracking/acme: 401 from Bloomreach\n", stdout)

	required = errors.New("still starting")
	code, stdout, _ = readyAt(t, admin.Addr())
	assert.Equal(t, cli.ExitFailed, code)
	assert.Equal(t, "not ready\nstart: still starting\ntracking/acme: 401 from Bloomreach\n", stdout)

	health.Drain()
	code, stdout, _ = readyAt(t, admin.Addr())
	assert.Equal(t, cli.ExitFailed, code)
	assert.True(t, strings.HasPrefix(stdout, "draining\n"), stdout)
}

// Another server at the address, no server, and an address without a port.
func TestReadyWithoutAnAnswer(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	address := strings.TrimPrefix(other.URL, "http://")
	code, _, stderr := readyAt(t, address)
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, stderr, "response with status 404 is not a readiness report")

	other.Close()
	code, _, stderr = readyAt(t, address)
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, stderr, "connection refused")

	code, _, stderr = readyAt(t, "127.0.0.1:0")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, stderr, "port 0")
}

// An image has no certificates: the binary includes those of the public authorities. Go allows setting them once.
func TestCertificatesAreInTheBinary(t *testing.T) {
	assert.Panics(t, func() { x509.SetFallbackRoots(x509.NewCertPool()) }, "main.go imports no roots")
}
