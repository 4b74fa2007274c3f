package access

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
)

// retryStarting is when to try again while the console is starting.
const retryStarting = time.Second

// form returns the page for logging in, as it is at first.
func (a *Access) form(c echo.Context) LoginForm {
	return LoginForm{
		Status: http.StatusOK, Passwords: a.cfg.People != nil, OIDC: a.cfg.OIDC != nil,
		Next: safeNext(c.FormValue("next")), CSRF: CSRF(c.Request().Context()),
	}
}

func (a *Access) showLogin(c echo.Context) error {
	form := a.form(c)
	if Of(c.Request().Context()) != (Person{}) {
		return c.Redirect(http.StatusSeeOther, form.Next)
	}
	return a.cfg.RenderLogin(c, form)
}

// count counts an attempt.
func (a *Access) count(outcome Outcome) {
	if a.cfg.Attempted != nil {
		a.cfg.Attempted(outcome)
	}
}

// failed answers an attempt that did not succeed.
func (a *Access) failed(c echo.Context, status int, outcome Outcome, wait time.Duration) error {
	a.count(outcome)
	form := a.form(c)
	form.Status, form.Fault = status, outcome.fault()
	if name := c.FormValue("name"); CheckName(name) == nil {
		form.Name = name
	}
	_ = refuse(c.Response().Header(), status, wait, form.Fault) // the headers
	return a.cfg.RenderLogin(c, form)
}

// login begins a session by name and password.
func (a *Access) login(c echo.Context) error {
	r := c.Request()
	if a.cfg.People == nil {
		return refuse(c.Response().Header(), http.StatusNotFound, 0, "nobody has a password: console.people_file is empty")
	}
	if err := r.ParseForm(); err != nil {
		return unreadable(c.Response().Header(), err)
	}
	name, password := strings.ToLower(strings.TrimSpace(r.PostForm.Get("name"))), r.PostForm.Get("password")
	address, now := networkOf(visitIn(r.Context()).from.client), a.cfg.Now()
	if wait := a.attempt(address, name, now); wait > 0 {
		a.cfg.Log.Warn("log in refused, too many attempts", zap.String("address", address))
		return a.failed(c, http.StatusTooManyRequests, Limited, wait)
	}
	e, ok, err := a.verify(r.Context(), name, password)
	switch {
	case err != nil:
		return err // the client has gone
	case !ok:
		a.cfg.Log.Warn("log in failed", zap.String("address", address))
		return a.failed(c, http.StatusUnauthorized, WrongPassword, 0)
	}
	a.succeeded(address, name)
	return a.enter(c, session{person: Person{Name: e.name, Role: e.role}, stamp: e.stamp()}, r.PostForm.Get("next"))
}

// attempt counts an attempt to log in before anything is compared, so that those at the same time count, too. Who guesses a name's password from one
// network does not keep its owner out, who is in another.
func (a *Access) attempt(address, name string, now time.Time) (wait time.Duration) {
	if wait = a.state.addresses.take(address, now); wait > 0 {
		return wait
	}
	if wait = a.state.pairs.take(address+" "+name, now); wait > 0 {
		return wait
	}
	return a.state.names.take(name, now)
}

// succeeded gives the attempts back that did.
func (a *Access) succeeded(address, name string) {
	a.state.addresses.giveBack(address)
	a.state.pairs.giveBack(address + " " + name)
	a.state.names.giveBack(name)
}

// networkOf returns the network whose attempts are counted together: with IPv6 everybody has 2^64 addresses.
func networkOf(client netip.Addr) string {
	if !client.Is6() {
		return client.String()
	}
	network, err := client.WithZone("").Prefix(64)
	if err != nil {
		return client.String()
	}
	return network.String()
}

// enter begins a session, always with a new cookie, and goes to where the person wanted to.
func (a *Access) enter(c echo.Context, begun session, next string) error {
	v := visitIn(c.Request().Context())
	a.state.end(v.cookie)
	begun.created = a.cfg.Now()
	begun.asked = begun.created
	sessionCookie.set(c, v.from, a.state.begin(begun, a.cfg.Limits))
	csrfCookie.remove(c, v.from)
	a.count(LoggedIn)
	a.cfg.Log.Info("logged in", zap.String("by", begun.person.Name), zap.String("person_role", string(begun.person.Role)), zap.Bool("oidc", begun.oidc))
	return c.Redirect(http.StatusSeeOther, safeNext(next))
}

// logout ends the session.
func (a *Access) logout(c echo.Context) error {
	v := visitIn(c.Request().Context())
	a.state.end(v.cookie)
	sessionCookie.remove(c, v.from)
	return c.Redirect(http.StatusSeeOther, PathLogin)
}
