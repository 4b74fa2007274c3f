package recharge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxAnswer = 4 << 20
	// afterLimit is the shortest wait after a 429: the bucket leaks two calls a
	// second. https://docs.getrecharge.com/docs/api-rate-limits
	afterLimit = 2 * time.Second
	// longestPause bounds what a Retry-After may ask for.
	longestPause = time.Hour
)

// get makes one call within the budget.
func (c *Client) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, &APIError{Message: "build request"}
	}
	req.Header.Set("X-Recharge-Access-Token", c.token)
	req.Header.Set("X-Recharge-Version", string(Version202111))
	if err := c.budget.Wait(ctx); err != nil {
		return nil, &APIError{Message: "wait for the rate limit: " + err.Error()}
	}
	header, answer, err := c.do(req)
	limit, _ := ParseLimit(header.Get("X-Recharge-Limit"))
	var said *APIError
	if errors.As(err, &said) {
		said.RetryAfter = c.pause(said.Status, header)
		c.budget.Answered(limit, said.RetryAfter)
		return nil, said
	}
	c.budget.Answered(limit, 0)
	return answer, err
}

func (c *Client) do(req *http.Request) (http.Header, []byte, error) {
	res, err := c.http.Do(req)
	if err != nil {
		return nil, nil, &APIError{Message: withoutURL(err).Error()}
	}
	defer func() { _ = res.Body.Close() }() // read to its end or not, nothing is left to do with it
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return res.Header, nil, &APIError{Message: "read answer: " + err.Error()}
	case len(answer) > maxAnswer:
		return res.Header, nil, fmt.Errorf("%w: it is over %d MiB", ErrUnreadable, maxAnswer>>20)
	}
	return res.Header, answer, statusError(res.StatusCode, answer)
}

// pause is how long a failed call forbids the next one. Retry-After is documented
// nowhere; if it comes, it counts.
func (c *Client) pause(status int, header http.Header) time.Duration {
	var least time.Duration
	if status == http.StatusTooManyRequests {
		least = afterLimit
	}
	said := header.Get("Retry-After")
	asked := time.Duration(0)
	if seconds, err := strconv.Atoi(said); err == nil {
		asked = time.Duration(min(max(seconds, 0), int(longestPause.Seconds()))) * time.Second
	} else if at, err := http.ParseTime(said); err == nil {
		asked = min(at.Sub(c.now()), longestPause)
	}
	return max(least, asked)
}

func statusError(status int, answer []byte) error {
	text, said := errorText(answer)
	switch {
	case status == http.StatusOK && !json.Valid(answer): // a proxy's page, which says nothing of the customer
		return &APIError{Status: status, Message: "answer is not JSON"}
	case status == http.StatusOK:
		return nil
	case status == http.StatusNotFound && said: // without its words it may be anybody's 404: a wrong address
		return ErrNotFound
	case status == http.StatusBadRequest, status == http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: status %d: %s", ErrUnreadable, status, text)
	case status == http.StatusTooManyRequests:
		return &APIError{Status: status, Message: "rate limit reached"}
	}
	return &APIError{Status: status, Message: text}
}

// errorText reads the shapes in which Recharge says what is wrong: "error" or
// "errors" as a text, or "errors" as an object, of which only the names of the
// fields are kept. said tells whether the answer is of one of these shapes.
func errorText(answer []byte) (text string, said bool) {
	var shape struct {
		Error  any `json:"error"`
		Errors any `json:"errors"`
	}
	if json.Unmarshal(answer, &shape) != nil {
		return "answer without an error text", false
	}
	for _, v := range []any{shape.Error, shape.Errors} {
		switch v := v.(type) {
		case string:
			return masked(v), true
		case map[string]any:
			return "fields at fault: " + strings.Join(slices.Sorted(maps.Keys(v)), ", "), true
		}
	}
	return "answer without an error text", false
}

// masked keeps a short text without words that may be an address or a number of
// somebody's.
func masked(text string) string {
	const most = 30
	words := strings.Fields(text)
	for i, word := range words {
		if strings.ContainsAny(word, "@0123456789") {
			words[i] = "***"
		}
	}
	return strings.Join(words[:min(len(words), most)], " ")
}

// withoutURL drops the address from a transport error: it holds a customer id.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
