package recharge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
)

const (
	maxAnswer = 4 << 20
	// minPause is the shortest pause after a 429: the bucket leaks two calls per second
	// (https://docs.getrecharge.com/docs/api-rate-limits).
	minPause = 2 * time.Second
	// conflictPause is the shortest pause after a 409, for the same call alone. Recharge documents none; a retry after 3 s worked
	// (https://github.com/darrylcousins/boxesapp, server/src/lib/recharge/helpers.js).
	conflictPause = 3 * time.Second
)

// get reads what is at a path.
func (c *Client) get(ctx context.Context, path string) ([]byte, error) {
	return c.call(ctx, http.MethodGet, path, nil, statusError)
}

// call makes one call as soon as the rate limiter allows it. judge returns the error of a response.
func (c *Client) call(ctx context.Context, method, path string, body []byte, judge func(status int, answer []byte) error) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, &APIError{Message: "build request"}
	}
	req.Header.Set("X-Recharge-Access-Token", c.token)
	req.Header.Set("X-Recharge-Version", string(Version202111))
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if err := c.limiter.Wait(ctx); err != nil {
		return nil, &APIError{Message: "wait for the rate limit: " + err.Error()}
	}
	header, answer, err := c.do(req, judge)
	limit, _ := ParseLimit(header.Get("X-Recharge-Limit"))
	var failed *APIError
	if errors.As(err, &failed) {
		failed.RetryAfter = c.pause(failed.Status, header)
		c.limiter.Done(limit, failed.RetryAfter)
		if failed.Status == http.StatusConflict {
			failed.RetryAfter = max(failed.RetryAfter, conflictPause)
		}
		return nil, failed
	}
	c.limiter.Done(limit, 0)
	return answer, err
}

func (c *Client) do(req *http.Request, judge func(status int, answer []byte) error) (http.Header, []byte, error) {
	res, err := httpclient.Do(c.http, req, c.observe)
	if err != nil {
		return nil, nil, &APIError{Message: httpclient.WithoutURL(err).Error()}
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return res.Header, nil, &APIError{Message: "read response: " + err.Error()}
	case len(answer) > maxAnswer:
		return res.Header, nil, ErrTooLarge
	}
	return res.Header, answer, judge(res.StatusCode, answer)
}

// pause returns how long to wait after a failed call. Recharge does not document Retry-After; it is honoured.
func (c *Client) pause(status int, header http.Header) time.Duration {
	var least time.Duration
	if status == http.StatusTooManyRequests {
		least = minPause
	}
	return max(least, httpclient.RetryAfter(header.Get("Retry-After"), c.now()))
}

func statusError(status int, answer []byte) error {
	text, found := errorText(answer)
	switch {
	case status == http.StatusOK && !json.Valid(answer): // the page of a proxy
		return &APIError{Status: status, Message: "answer is not JSON"}
	case status == http.StatusOK:
		return nil
	case status == http.StatusNotFound && found: // without Recharge's text the address may be wrong
		return ErrNotFound
	case status == http.StatusBadRequest, status == http.StatusUnprocessableEntity:
		return &InvalidError{Status: status, Message: text}
	case status == http.StatusTooManyRequests:
		return &APIError{Status: status, Message: "rate limit reached"}
	}
	return &APIError{Status: status, Message: text}
}

// wireError has the forms of an error body: {"error":"..."}, {"errors":"..."}, {"errors":{"email":"..."}} and
// {"errors":{"cursor":["..."]}}, as recorded by https://github.com/mattgenious/RechargeSharp (get-subscription_404, create-customer_422,
// list-customers_422). A list of texts is read as well.
type wireError struct {
	Error  any `json:"error"`
	Errors any `json:"errors"`
}

// errorText returns the error text of a response and whether it has one. It has no addresses, numbers or e-mails.
func errorText(answer []byte) (text string, found bool) {
	var body wireError
	_ = json.Unmarshal(answer, &body) // the page of a proxy has no text
	for _, each := range []any{body.Error, body.Errors} {
		if text := shownText(each); text != "" {
			return text, true
		}
	}
	return "answer without an error text", false
}

// maxFields limits the fields of an error text.
const maxFields = 10

func shownText(value any) string {
	fields, isObject := value.(map[string]any)
	if !isObject {
		return redactText(withoutAddresses(joinTexts(value)))
	}
	var shown []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if len(shown) == maxFields {
			shown = append(shown, fmt.Sprintf("%d more", len(fields)-maxFields))
			break
		}
		shown = append(shown, name+": "+redactText(withoutAddresses(joinTexts(fields[name]))))
	}
	return strings.Join(shown, "; ")
}

// fieldText returns what a response says about a field, "" for nothing.
func fieldText(answer []byte, field string) string {
	var body struct {
		Errors map[string]any `json:"errors"`
	}
	_ = json.Unmarshal(answer, &body) // other forms have no fields
	if body.Errors[field] == nil {
		return ""
	}
	return joinTexts(body.Errors[field])
}

func joinTexts(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		texts := make([]string, len(v))
		for i, each := range v {
			texts[i] = joinTexts(each)
		}
		return strings.Join(texts, ", ")
	}
	return "invalid"
}

// withoutAddresses masks the words that may be an address: it ends with a token.
func withoutAddresses(message string) string {
	words := strings.Fields(message)
	for i, word := range words {
		if strings.Contains(word, "/") && len(word) > maxTopicLength {
			words[i] = "***"
		}
	}
	return strings.Join(words, " ")
}

// maxTopicLength is above that of any topic, and below that of any address.
const maxTopicLength = 45

// redactText returns the first words of a text. It masks each word that may contain an e-mail address or a number.
func redactText(text string) string {
	const maxWords = 30
	words := strings.Fields(text)
	for i, word := range words {
		if strings.ContainsAny(word, "@0123456789") {
			words[i] = "***"
		}
	}
	return strings.Join(words[:min(len(words), maxWords)], " ")
}
