package console_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/rechargeflow/rechargeflow/console"
	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
)

// open lets everybody in.
type open struct{}

func (open) Guard(next echo.HandlerFunc) echo.HandlerFunc { return next }
func (open) Mount(*echo.Group)                            {}

// part is a part with some routes, which answers errors with 500.
type part map[string]echo.HandlerFunc

func (p part) Mount(group *echo.Group) {
	for path, handler := range p {
		group.GET(path, handler)
	}
}

func (p part) Fail(err error, c echo.Context) {
	if !c.Response().Committed {
		_ = c.String(http.StatusInternalServerError, "failed")
	}
}

// counted is the metrics of requests.
type counted struct {
	mutex    sync.Mutex
	statuses map[string]int
}

func (m *counted) ConsoleRequest(route, _ string, status int, _ time.Duration) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.statuses[route] = status
}

func (m *counted) status(route string) int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.statuses[route]
}

// serve serves parts until the test ends.
func serve(t *testing.T, pages part) (url string, metrics *counted, logged *observer.ObservedLogs) {
	t.Helper()
	core, logged := observer.New(zap.InfoLevel)
	metrics = &counted{statuses: map[string]int{}}
	handler := console.Site{Gate: open{}, API: part{}, Pages: pages}.Handler(console.Measure{Metrics: metrics, Log: zap.New(core), Now: time.Now})
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL, metrics, logged
}

func get(ctx context.Context, t *testing.T, url string) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(t, err)
	return http.DefaultClient.Do(request)
}

// An answer that fails after it has begun does not look complete, and is counted and logged as failed.
func TestCutAnswer(t *testing.T) {
	url, metrics, logged := serve(t, part{"/export": func(c echo.Context) error {
		_, _ = c.Response().Write([]byte("first row\n"))
		c.Response().Flush()
		return errors.New("the broker is gone")
	}})
	answer, err := get(t.Context(), t, url+"/export")
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	_, err = io.ReadAll(answer.Body)
	require.Error(t, err)
	assert.Equal(t, http.StatusInternalServerError, metrics.status("/export"))
	assert.Equal(t, 1, logged.FilterMessage("request failed").Len())
}

// A client that does not wait is no fault of the server.
func TestClientGone(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	url, metrics, logged := serve(t, part{"/slow": func(c echo.Context) error {
		leave()
		<-c.Request().Context().Done()
		return c.Request().Context().Err()
	}})
	_, err := get(ctx, t, url+"/slow") //nolint:bodyclose // there is none
	require.ErrorIs(t, err, context.Canceled)
	require.Eventually(t, func() bool { return metrics.status("/slow") == 499 }, time.Minute, time.Millisecond)
	assert.Zero(t, logged.Len())
}

// A client that takes nothing of a long answer is no fault of the server, either.
func TestClientTakesNothing(t *testing.T) {
	url, metrics, logged := serve(t, part{"/export": func(c echo.Context) error {
		patience := httplimit.NewPatience(c.Response(), 50*time.Millisecond)
		for {
			if _, err := patience.Write(make([]byte, 1<<20)); err != nil {
				return fmt.Errorf("write members: %w", err)
			}
		}
	}})
	answer, err := get(t.Context(), t, url+"/export")
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	require.Eventually(t, func() bool { return metrics.status("/export") != 0 }, time.Minute, time.Millisecond)
	assert.Equal(t, 499, metrics.status("/export"))
	assert.Zero(t, logged.Len())
}

// A panic fails one request, and what it says is not logged.
func TestPanic(t *testing.T) {
	url, metrics, logged := serve(t, part{"/panic": func(echo.Context) error { panic("jo@example.com") }})
	answer, err := get(t.Context(), t, url+"/panic")
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	assert.Equal(t, http.StatusInternalServerError, answer.StatusCode)
	assert.Equal(t, http.StatusInternalServerError, metrics.status("/panic"))
	for _, line := range logged.All() {
		assert.NotContains(t, line.Message, "jo@example.com")
		for _, value := range line.ContextMap() {
			assert.NotContains(t, fmt.Sprint(value), "jo@example.com")
		}
	}
}
