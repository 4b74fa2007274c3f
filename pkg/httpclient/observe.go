package httpclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// Observer is called after each call with its outcome and with the time until its status arrived. It is called by several
// goroutines. The outcome is one of the constants below.
type Observer func(outcome string, took time.Duration)

// The outcomes of calls, by HTTP status.
const (
	OutcomeOK          = "ok"           // 2xx
	OutcomeRefused     = "refused"      // 401, 403
	OutcomeLimited     = "limited"      // 429
	OutcomeClientError = "client_error" // other 4xx, and redirects
	OutcomeServerError = "server_error" // 5xx
	OutcomeTimeout     = "timeout"      // no status in time
	OutcomeNoAnswer    = "no_answer"    // not connected, or disconnected
	OutcomeCanceled    = "canceled"     // by this process, which stops or does not need the answer
)

// Do sends a request with a client and observes the call; a nil Observer observes nothing.
func Do(client *http.Client, request *http.Request, observe Observer) (*http.Response, error) {
	began := time.Now()
	response, err := client.Do(request)
	if observe != nil {
		observe(outcome(request.Context(), response, err), time.Since(began))
	}
	return response, err
}

func outcome(ctx context.Context, response *http.Response, err error) string {
	if err != nil {
		return withoutAnswer(ctx, err)
	}
	switch status := response.StatusCode; {
	case status >= 200 && status < 300:
		return OutcomeOK
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return OutcomeRefused
	case status == http.StatusTooManyRequests:
		return OutcomeLimited
	case status >= 500:
		return OutcomeServerError
	}
	return OutcomeClientError
}

func withoutAnswer(ctx context.Context, err error) string {
	var failed *url.Error // of each error of a client
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return OutcomeCanceled
	case errors.As(err, &failed) && failed.Timeout():
		return OutcomeTimeout
	}
	return OutcomeNoAnswer
}
