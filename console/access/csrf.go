package access

import (
	"crypto/hmac"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// checkCSRF refuses a request that another site may have made a browser send. Each of these would do alone:
//
//   - Cookies are not sent with a form of another site (SameSite).
//   - The browser says that the request comes from elsewhere: Sec-Fetch-Site, Origin.
//   - The request has a token that only a page of the console knows.
//
// A request with an API token can't be made by another site: a browser would ask first whether the header is allowed, and no answer allows it. The same is
// true of one with JSON, which is all that a program may send that has neither token nor cookie, where everybody is the operator Local.
func (a *Access) checkCSRF(h http.Header, r *http.Request, v visit) error {
	if v.person.Token || isSafe(r.Method) {
		return nil
	}
	if err := a.origin.Check(r); err != nil {
		return refuse(h, http.StatusForbidden, 0, "the request comes from another site: open the console's own page, and try again")
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if v.csrf == "" {
		if kind == jsonType && r.Header.Get("Cookie") == "" {
			return nil
		}
		return refuse(h, http.StatusForbidden, 0, "the page is too old, or the browser sends no cookies: load the page again; a program sends JSON or an API token")
	}
	sent, err := sentToken(r, kind)
	if err != nil {
		return unreadable(h, err)
	}
	if !hmac.Equal([]byte(sent), []byte(v.csrf)) {
		return refuse(h, http.StatusForbidden, 0, "the page is too old: load it again, and repeat what you did")
	}
	return nil
}

// sentToken returns the token of a request: that of a script, else that of a form.
func sentToken(r *http.Request, kind string) (string, error) {
	if sent := r.Header.Get(HeaderCSRF); sent != "" || kind != formType {
		return sent, nil
	}
	if err := r.ParseForm(); err != nil {
		return "", err
	}
	return r.PostForm.Get(FieldCSRF), nil
}

// unreadable refuses a form that is too large or none.
func unreadable(h http.Header, err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return refuse(h, http.StatusRequestEntityTooLarge, 0, "the request is too large")
	}
	return refuse(h, http.StatusBadRequest, 0, "the form can't be read")
}

// newCSRF gives a browser that has no session a cookie for the token of its forms.
func (a *Access) newCSRF(c echo.Context, from via) string {
	r := c.Request()
	isPage := strings.Contains(r.Header.Get("Accept"), "text/html")
	if r.Method != http.MethodGet || isAPI(r) || !isPage {
		return ""
	}
	secret := newSecret()
	csrfCookie.set(c, from, secret)
	return a.state.sign("csrf", secret)
}

// isSafe reports whether a method changes nothing.
func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// isAPI reports whether a request is one of a program, which is not sent to a page.
func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }
