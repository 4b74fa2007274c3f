package bloomreach

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
)

// maxAnswer limits how many bytes of a response are read.
const maxAnswer = 1 << 20

// answer is the response to one request, of any status.
type answer struct {
	status     int
	retryAfter time.Duration
	requestID  string
	body       []byte
}

// ok reports whether the status is 2xx.
func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

// post sends the body without compression, because Bloomreach answers 400 to gzip
// (https://documentation.bloomreach.com/engagement/docs/most-common-api-issues). It returns an *Error when there is no
// complete response.
func (c *Client) post(ctx context.Context, body []byte) (answer, error) {
	if err := c.breaker.admit(); err != nil {
		return answer{}, err
	}
	if err := c.budget.wait(ctx); err != nil {
		c.breaker.abandoned()
		return answer{}, c.networkError(err)
	}
	a, err := c.request(ctx, body)
	if err == nil {
		c.budget.answered(a.status == http.StatusTooManyRequests)
	}
	c.breaker.answered(err != nil && ctx.Err() == nil || a.failed())
	return a, err
}

// request sends the body once.
func (c *Client) request(ctx context.Context, body []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.batchURL, bytes.NewReader(body))
	if err != nil {
		return answer{}, c.networkError(err)
	}
	request.Header.Set("Authorization", c.auth.header)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")

	response, err := httpclient.Do(c.http, request, c.observe)
	if err != nil {
		return answer{}, c.networkError(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return answer{}, c.networkError(fmt.Errorf("read response: %w", err))
	}
	return answer{
		status:     response.StatusCode,
		retryAfter: httpclient.RetryAfter(response.Header.Get("Retry-After"), c.now()),
		requestID:  c.redactor.text(response.Header.Get("X-Request-Id")),
		body:       content,
	}, nil
}

// networkError returns the error of a request without a response. It leaves out the URL, which contains the project token.
func (c *Client) networkError(err error) *Error {
	err = httpclient.WithoutURL(err)
	failure := &Error{Class: ClassRetry, Message: c.redactor.text(err.Error())}
	switch {
	case errors.Is(err, context.Canceled):
		failure.cause = context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		failure.cause = context.DeadlineExceeded
	}
	return failure
}
