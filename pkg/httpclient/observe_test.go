package httpclient_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
)

// Each call is observed once, with an outcome of the closed list.
func TestDo(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			<-r.Context().Done()
			return
		}
		status, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		assert.NoError(t, err)
		w.WriteHeader(status)
	}))
	t.Cleanup(site.Close)
	var outcomes []string
	var took time.Duration
	client := httpclient.WithoutRedirects(site.Client())
	var last httpclient.Call
	observe := func(_ context.Context, call httpclient.Call) {
		outcomes, took, last = append(outcomes, call.Outcome), call.Took, call
	}
	call := func(ctx context.Context, path string) {
		t.Helper()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, site.URL+path, http.NoBody)
		require.NoError(t, err)
		if response, err := httpclient.Do(client, request, observe); err == nil {
			require.NoError(t, response.Body.Close())
		}
	}
	for _, status := range []int{200, 204, 302, 401, 403, 404, 429, 500, 503} {
		call(t.Context(), "/"+strconv.Itoa(status))
	}
	assert.Equal(t, []string{
		"ok", "ok", "client_error", "refused", "refused", "client_error", "limited", "server_error", "server_error",
	}, outcomes)

	assert.Equal(t, "127.0.0.1", last.Host)
	assert.Equal(t, http.MethodGet, last.Method)
	assert.Equal(t, 503, last.Status)
	assert.WithinDuration(t, time.Now(), last.Began, time.Minute)
	assert.Zero(t, last.CertificateExpires)

	outcomes = nil
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	call(short, "/hang")
	assert.GreaterOrEqual(t, took, 20*time.Millisecond)
	ended, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	call(ended, "/hang")
	client.Timeout = 20 * time.Millisecond
	call(t.Context(), "/hang")
	site.CloseClientConnections()
	site.Close()
	call(t.Context(), "/200")
	assert.Equal(t, []string{"timeout", "canceled", "timeout", "no_answer"}, outcomes)
	assert.Zero(t, last.Status)
	client.CloseIdleConnections()
}

// Nobody has to observe.
func TestDoUnobserved(t *testing.T) {
	site := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(site.Close)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.URL, http.NoBody)
	require.NoError(t, err)
	response, err := httpclient.Do(site.Client(), request, nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusNotFound, response.StatusCode)
}

// A call shows when the server's certificate expires, also one that is refused because it has expired.
func TestCertificateExpires(t *testing.T) {
	site := httptest.NewUnstartedServer(http.NotFoundHandler())
	site.Config.ErrorLog = log.New(io.Discard, "", 0)
	site.StartTLS()
	t.Cleanup(site.Close)
	certificate := site.Certificate()
	var last httpclient.Call
	call := func(client *http.Client) error {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.URL, http.NoBody)
		require.NoError(t, err)
		response, err := httpclient.Do(client, request, func(_ context.Context, c httpclient.Call) { last = c })
		if err == nil {
			require.NoError(t, response.Body.Close())
		}
		return err
	}
	require.NoError(t, call(site.Client()))
	assert.Equal(t, certificate.NotAfter, last.CertificateExpires)

	transport, ok := site.Client().Transport.(*http.Transport)
	require.True(t, ok)
	late := transport.Clone()
	late.TLSClientConfig.Time = func() time.Time { return certificate.NotAfter.Add(time.Hour) }
	require.ErrorContains(t, call(&http.Client{Transport: late}), "certificate has expired")
	assert.Equal(t, certificate.NotAfter, last.CertificateExpires)
	assert.Equal(t, "no_answer", last.Outcome)
}
