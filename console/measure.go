package console

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
)

// Metrics counts requests.
type Metrics interface {
	// ConsoleRequest counts and times an answer. The route is the pattern of an address, such as /:store/texts, and "unknown" for an address
	// that does not exist.
	ConsoleRequest(route, method string, status int, took time.Duration)
}

// Measure has what requests are measured with.
type Measure struct {
	Metrics Metrics
	Log     *zap.Logger
	Now     func() time.Time
}

// statusGone is counted for a client that did not wait for the answer.
const statusGone = 499

// measured counts a request, and logs one that failed because of the server. It answers errors, so that their status is known here. An answer that fails
// after it has begun is cut off: it must not look complete.
func (m Measure) measured(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := m.Now()
		err := next(c)
		gone, cut := err != nil && c.Request().Context().Err() != nil, err != nil && c.Response().Committed
		if err != nil && !gone {
			c.Error(err)
		}
		status, route := c.Response().Status, routeOf(c)
		switch {
		case gone:
			status = statusGone
		case cut:
			status = http.StatusInternalServerError
		}
		m.Metrics.ConsoleRequest(route, methodOf(c.Request()), status, m.Now().Sub(began))
		if err != nil && status >= http.StatusInternalServerError {
			m.Log.Error("request failed", zap.String("route", route), zap.String("method", c.Request().Method), zap.Int("status", status), zap.Error(err))
		}
		if cut {
			panic(http.ErrAbortHandler)
		}
		return nil
	}
}

// recovered turns a panic into an error, for one request alone.
func (m Measure) recovered(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler { //nolint:errorlint // net/http compares it, too
				panic(cause)
			}
			m.Log.Error("request panicked", zap.String("route", routeOf(c)), zap.ByteString("stack", debug.Stack()))
			err = fmt.Errorf("panic: %T", cause) // its text may have personal data
		}()
		return next(c)
	}
}

// routeOf returns the pattern of a request's address.
func routeOf(c echo.Context) string {
	if path := c.Path(); path != "" {
		return path
	}
	return "unknown"
}

// methodOf returns one of a closed list.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return r.Method
	}
	return "other"
}
