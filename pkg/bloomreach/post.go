package bloomreach

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	maxAnswer     = 1 << 20   // bytes of an answer that are read
	maxRetryAfter = time.Hour // a wrong header must not stop a store for days
)

// answer is what came back for one request, whatever its status.
type answer struct {
	status     int
	retryAfter time.Duration
	requestID  string
	body       []byte
}

// post sends the body, uncompressed: Bloomreach answers 400 to gzip
// (https://documentation.bloomreach.com/engagement/docs/most-common-api-issues). It returns an *Error when there is no
// complete answer.
func (c *Client) post(ctx context.Context, body []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.batchURL, bytes.NewReader(body))
	if err != nil {
		return answer{}, c.noAnswer(err)
	}
	request.Header.Set("Authorization", c.auth.header)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")

	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, c.noAnswer(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return answer{}, c.noAnswer(fmt.Errorf("read answer: %w", err))
	}
	return answer{
		status:     response.StatusCode,
		retryAfter: c.retryAfter(response.Header.Get("Retry-After")),
		requestID:  c.cleaner.text(response.Header.Get("X-Request-Id")),
		body:       content,
	}, nil
}

// noAnswer leaves out the URL that net/http puts into its errors: it contains the project token.
func (c *Client) noAnswer(err error) *Error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		err = withURL.Err
	}
	failure := &Error{Class: ClassRetry, Message: c.cleaner.text(err.Error())}
	switch {
	case errors.Is(err, context.Canceled):
		failure.cause = context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		failure.cause = context.DeadlineExceeded
	}
	return failure
}

// retryAfter reads both forms of the header, seconds and a date
// (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after). Bloomreach documents neither; it is honoured if it comes.
func (c *Client) retryAfter(header string) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.ParseInt(header, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(header); err == nil {
		wait = date.Sub(c.now())
	}
	return min(max(wait, 0), maxRetryAfter)
}
