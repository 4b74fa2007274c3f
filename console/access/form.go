package access

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
)

// The names of what carries the token against cross-site requests.
const (
	FieldCSRF  = "csrf"
	HeaderCSRF = "X-CSRF-Token"
)

// The paths that access answers itself. Nobody needs to be logged in for those of logging in.
const (
	PathLogin    = "/login"
	PathLogout   = "/logout"
	PathOIDC     = "/login/oidc"
	PathCallback = "/login/oidc/callback"
)

// LoginForm is what the page for logging in shows.
type LoginForm struct {
	// Status is the HTTP status of the page: 200, or why the attempt before failed.
	Status int
	// Passwords and OIDC are the ways to log in that are configured. OIDC begins with a link to PathOIDC.
	Passwords, OIDC bool
	// Next is where the person wanted to go, a path of the console; the form has it in its field "next", the link in its query.
	Next string
	// Name is what was typed before; the form has it in its field "name". The password is in the field "password".
	Name string
	// CSRF is for the form's field FieldCSRF.
	CSRF string
	// Fault says why the attempt before failed; "" at first.
	Fault string
}

// Refusal is why a request is not answered. Its headers are set already.
type Refusal struct {
	Status     int
	Detail     string        // for the person who reads it
	RetryAfter time.Duration // 0: to try again does not help
}

// Error returns the detail.
func (r *Refusal) Error() string { return r.Detail }

// Unwrap returns the error with which echo answers the same status.
func (r *Refusal) Unwrap() error { return echo.NewHTTPError(r.Status, r.Detail) }

// refuse returns a Refusal, whose headers it sets.
func refuse(h http.Header, status int, retryAfter time.Duration, detail string) error {
	if retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(retryAfter.Seconds()))))
	}
	if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="rechargeflow"`)
	}
	return &Refusal{Status: status, Detail: detail, RetryAfter: retryAfter}
}
