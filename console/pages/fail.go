package pages

import (
	"errors"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
)

// Fail answers with the page of an error. What is no error of the service is a fault of ours, and its words are for the log alone.
func (p *Pages) Fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	if failed := p.fail(c, failureOf(err)); failed != nil {
		_ = c.String(http.StatusInternalServerError, "The page can't be shown.") // a reader who is gone needs no answer
	}
}

// failure is the page of an error.
type failure struct {
	Status              int
	Title, Detail, Wait string
	// Back is the page of a form that has failed; "" if the address of the failure can be opened again.
	Back string
}

// failureOf puts an error into words for the reader.
func failureOf(err error) failure {
	if refusal := new(access.Refusal); errors.As(err, &refusal) {
		return failure{Status: refusal.Status, Title: titleOf(refusal.Status), Detail: capitalized(refusal.Detail), Wait: wait(refusal.RetryAfter)}
	}
	if routing := new(echo.HTTPError); errors.As(err, &routing) {
		return failureOfStatus(routing.Code)
	}
	for kind, status := range map[error]int{
		service.ErrNotFound: http.StatusNotFound, service.ErrInvalid: http.StatusUnprocessableEntity, service.ErrConflict: http.StatusConflict,
		service.ErrForbidden: http.StatusForbidden, service.ErrLimited: http.StatusTooManyRequests, service.ErrUnavailable: http.StatusServiceUnavailable,
	} {
		if errors.Is(err, kind) {
			f := failure{Status: status, Title: titleOf(status), Detail: capitalized(strings.TrimPrefix(err.Error(), kind.Error()+": "))}
			if limited := new(service.LimitedError); errors.As(err, &limited) {
				f.Wait = wait(limited.RetryAfter)
			}
			return f
		}
	}
	return failureOfStatus(http.StatusInternalServerError)
}

func failureOfStatus(status int) failure {
	f := failure{Status: status, Title: titleOf(status)}
	switch {
	case status == http.StatusNotFound:
		f.Detail = "The address is mistyped, or what it named is gone."
	case status < http.StatusInternalServerError:
		f.Detail = "The request is not one of the console's: " + http.StatusText(status) + "."
	default:
		f.Detail = "The fault is the console's, not yours. The log of the process says what failed."
	}
	return f
}

func titleOf(status int) string {
	switch status {
	case http.StatusNotFound:
		return "There is nothing here"
	case http.StatusConflict:
		return "This has changed meanwhile"
	case http.StatusForbidden, http.StatusUnauthorized:
		return "Not allowed"
	case http.StatusTooManyRequests:
		return "Too often"
	case http.StatusServiceUnavailable:
		return "Not available now"
	}
	if status < http.StatusInternalServerError {
		return "This can't be done"
	}
	return "Something went wrong"
}

// capitalized begins words as a sentence.
func capitalized(words string) string {
	first, size := utf8.DecodeRuneInString(words)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + words[size:]
}

// wait says when to try again, "" if it does not help.
func wait(after time.Duration) string {
	if after <= 0 {
		return ""
	}
	return seconds(max(1, after.Seconds()))
}

// back is the address of the page that a form belongs to, "" for a page: what a form sends to may not be one.
func back(c echo.Context) string {
	if method := c.Request().Method; method == http.MethodGet || method == http.MethodHead {
		return ""
	}
	routes, address := c.Echo().Routes(), c.Request().URL.EscapedPath()
	for pattern := c.Path(); strings.Trim(pattern, "/.") != ""; pattern, address = path.Dir(pattern), path.Dir(address) {
		if slices.ContainsFunc(routes, func(r *echo.Route) bool { return r.Method == http.MethodGet && r.Path == pattern }) {
			return address
		}
	}
	return "/"
}

// fail answers with the page of a failure. It reads nothing, because that may be what has failed.
func (p *Pages) fail(c echo.Context, f failure) error {
	f.Back = back(c)
	v := view{Title: f.Title, Person: person(c), CSRF: access.CSRF(c.Request().Context()), Page: f}
	v.Local = v.Person.Name == access.Local
	if v.Person.Name != "" {
		v.Nav = navigation(nil, c.Request().URL.Path)
	}
	c.QueryParams().Del("part") // an error is a whole page
	return p.write(c, f.Status, "fail.html", v)
}

// faults returns what is wrong with a request, nil if the error is of another kind.
func faults(err error) []service.Fault {
	if invalid := new(service.InvalidError); errors.As(err, &invalid) {
		return invalid.Faults
	}
	if errors.Is(err, service.ErrForbidden) || errors.Is(err, service.ErrInvalid) {
		return []service.Fault{{Problem: err.Error()}}
	}
	return nil
}
