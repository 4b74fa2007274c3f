package pages_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/pages"
)

// policy is the Content-Security-Policy of the console, which package access sets.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// site serves the pages of a service to a person.
func site(t *testing.T, of pages.Service, who access.Person) *httptest.Server {
	t.Helper()
	all, err := pages.New(pages.Config{Service: of, Now: now})
	require.NoError(t, err)
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if http := new(echo.HTTPError); !errors.As(err, &http) {
			t.Log(c.Request().URL, err)
		}
		all.Fail(err, c)
	}
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.SetRequest(c.Request().WithContext(access.With(c.Request().Context(), who)))
			c.Response().Header().Set("Content-Security-Policy", policy)
			return next(c)
		}
	})
	all.Mount(e.Group(""))
	e.GET("/login", func(c echo.Context) error {
		return all.Login(c, access.LoginForm{Status: http.StatusOK, Passwords: true, OIDC: true, Next: "/acme/", Name: who.Name, Fault: "Name or password is wrong."})
	})
	e.GET("/api/v1/stores/:store/live", func(c echo.Context) error { // a stream of nothing
		c.Response().Header().Set("Content-Type", "text/event-stream")
		c.Response().WriteHeader(http.StatusOK)
		c.Response().Flush()
		<-c.Request().Context().Done()
		return nil
	})
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return server
}
