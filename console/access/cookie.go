package access

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// cookie is a kind of cookie. None is readable by scripts, none has a time: they end with the browser, and what they stand for ends earlier.
type cookie string

// The cookies.
const (
	sessionCookie cookie = "rechargeflow-session"
	csrfCookie    cookie = "rechargeflow-csrf"
	oidcCookie    cookie = "rechargeflow-oidc"
)

// sameSite returns on which requests from other sites a browser sends the cookie. That of a session goes along with links (Lax), because with Strict a link
// in an e-mail would lead to the page for logging in; that of OIDC, because the provider sends the browser back.
func (k cookie) sameSite() http.SameSite {
	if k == csrfCookie {
		return http.SameSiteStrictMode
	}
	return http.SameSiteLaxMode
}

// named returns the name. Behind TLS it has a prefix with which browsers take it from this host alone, not from a neighbour under the same domain
// (https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3.2).
func (k cookie) named(from via) string {
	if from.secure {
		return "__Host-" + string(k)
	}
	return string(k)
}

func (k cookie) set(c echo.Context, from via, value string) {
	c.SetCookie(&http.Cookie{Name: k.named(from), Value: value, Path: "/", HttpOnly: true, Secure: from.secure, SameSite: k.sameSite()})
}

func (k cookie) remove(c echo.Context, from via) {
	c.SetCookie(&http.Cookie{
		Name: k.named(from), Path: "/", HttpOnly: true, Secure: from.secure, SameSite: k.sameSite(), MaxAge: -1, Expires: time.Unix(1, 0),
	})
}
