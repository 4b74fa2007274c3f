package access

import "time"

// The names of what carries the token against cross-site requests.
const (
	FieldCSRF  = "csrf"
	HeaderCSRF = "X-CSRF-Token"
)

// Refusal is why a request is not answered, in words for the person who reads it.
type Refusal struct {
	Status     int
	Title      string
	Detail     string
	RetryAfter time.Duration // 0: does not help
}

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

// The paths that access answers itself, and which need nobody to be logged in.
const (
	PathLogin    = "/login"
	PathLogout   = "/logout"
	PathOIDC     = "/login/oidc"
	PathCallback = "/login/oidc/callback"
)
