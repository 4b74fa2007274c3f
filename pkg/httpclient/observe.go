package httpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// Observer is called after each call, with the context of its request. It is called by several goroutines.
type Observer func(ctx context.Context, call Call)

// Call is a call that has ended. It has nothing of the URL but the host.
type Call struct {
	Method, Host string
	Outcome      string // one of the constants below
	Status       int    // 0 without an answer
	Began        time.Time
	Took         time.Duration // until the status arrived
	// CertificateExpires is when the certificates that the server presented stop being valid; zero without TLS.
	CertificateExpires time.Time
}

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
	if observe == nil {
		return response, err
	}
	call := Call{
		Method: request.Method, Host: request.URL.Hostname(), Outcome: outcome(request.Context(), response, err),
		Began: began, Took: time.Since(began), CertificateExpires: certificateExpires(response, err),
	}
	if err == nil {
		call.Status = response.StatusCode
	}
	observe(request.Context(), call)
	return response, err
}

// certificateExpires returns when the last of the chains ends that verify the server; of a server that is refused, when the first of
// its certificates expires.
func certificateExpires(response *http.Response, err error) (expires time.Time) {
	var refused *tls.CertificateVerificationError
	switch {
	case errors.As(err, &refused):
		return firstExpiry(refused.UnverifiedCertificates)
	case err != nil || response.TLS == nil:
		return expires
	}
	for _, chain := range response.TLS.VerifiedChains {
		if until := firstExpiry(chain); until.After(expires) {
			expires = until
		}
	}
	return expires
}

// firstExpiry returns the zero time for no certificates.
func firstExpiry(certificates []*x509.Certificate) (first time.Time) {
	for i, certificate := range certificates {
		if i == 0 || certificate.NotAfter.Before(first) {
			first = certificate.NotAfter
		}
	}
	return first
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
