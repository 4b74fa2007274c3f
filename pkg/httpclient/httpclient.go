// Package httpclient holds what the clients of other APIs share: reading Retry-After, keeping URLs out of errors, refusing
// redirects, quoting responses and measuring calls.
//
//	httpclient.go   Retry-After, redirects, errors without URLs
//	observe.go      Do: outcome and time of each call
//	quote.go        Quoter: the text of a response, for errors and logs
package httpclient

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// MaxRetryAfter is the longest wait that a Retry-After header can ask for: a wrong header must not stop a store for days.
const MaxRetryAfter = time.Hour

// RetryAfter parses a Retry-After header, a number of seconds or a date
// (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after). It returns 0 for anything else, and at most MaxRetryAfter.
func RetryAfter(header string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.Atoi(header); err == nil {
		wait = time.Duration(min(max(seconds, 0), int(MaxRetryAfter.Seconds()))) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), MaxRetryAfter)
}

// WithoutURL returns the cause of an error of [http.Client], without the URL that it names: a URL can hold a token or a
// customer's id.
func WithoutURL(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return withURL.Err
	}
	return err
}

// WithoutRedirects returns a copy of the client that returns a redirect as the response. Following one would turn a POST
// into a GET, or send the credentials to another host.
func WithoutRedirects(client *http.Client) *http.Client {
	copied := *client
	copied.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &copied
}
