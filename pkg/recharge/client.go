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
	"strings"
	"time"
)

// ErrNotFound says that Recharge has no such customer; asking again won't help.
var ErrNotFound = errors.New("not found at recharge")

// ErrUnreadable says that Recharge answered, about this customer, with something
// that is no customer; asking again won't help.
var ErrUnreadable = errors.New("recharge api: answer is not readable")

// APIError is any other answer than the one asked for.
type APIError struct {
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// Message is Recharge's own words, or what went wrong on the way.
	Message string
	// RetryAfter is how long to wait at least before the next call, 0 if unsaid.
	RetryAfter time.Duration
}

// Error names the status and Recharge's words.
func (e *APIError) Error() string {
	if e.Status == 0 {
		return "recharge api: " + e.Message
	}
	return fmt.Sprintf("recharge api: status %d: %s", e.Status, e.Message)
}

const (
	defaultTimeout = 10 * time.Second
	maxAnswer      = 4 << 20
	// afterLimit is the shortest wait after a 429: the bucket leaks two calls a
	// second. https://docs.getrecharge.com/docs/api-rate-limits
	afterLimit = 2 * time.Second
)

// ClientConfig says where a store's API is and how to get in.
type ClientConfig struct {
	BaseURL string // https://api.rechargeapps.com
	Token   string // API access token with read_customers
	// HTTPClient defaults to one that gives up after 10 s.
	HTTPClient *http.Client
}

// Client reads one store's customers.
type Client struct {
	base    string
	token   string
	http    *http.Client
	decoder *Decoder
}

// NewClient fails on a base URL that is none.
func NewClient(cfg ClientConfig) (*Client, error) {
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("recharge api url %q is not a URL", cfg.BaseURL)
	}
	decoder, err := NewDecoder()
	if err != nil {
		return nil, err
	}
	c := &Client{base: strings.TrimRight(cfg.BaseURL, "/"), token: cfg.Token, http: cfg.HTTPClient, decoder: decoder}
	if c.http == nil {
		c.http = &http.Client{Timeout: defaultTimeout}
	}
	c.http = withoutRedirects(*c.http)
	return c, nil
}

// withoutRedirects never follows: the access token would go along to another host.
func withoutRedirects(client http.Client) *http.Client {
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// Customer reads one customer in the 2021-11 shape. Errors are ErrNotFound
// (final), ErrUnreadable (final) or an *APIError.
func (c *Client) Customer(ctx context.Context, id string) (Customer, error) {
	answer, err := c.get(ctx, "/customers/"+url.PathEscape(id))
	if err != nil {
		return Customer{}, err
	}
	w, err := c.decoder.Decode("customer/read", answer)
	if err != nil {
		return Customer{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return *w.Customer, nil
}

func (c *Client) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, &APIError{Message: "build request"}
	}
	req.Header.Set("X-Recharge-Access-Token", c.token)
	req.Header.Set("X-Recharge-Version", string(Version202111))
	res, err := c.http.Do(req)
	if err != nil {
		return nil, &APIError{Message: withoutURL(err).Error()}
	}
	defer func() { _ = res.Body.Close() }() // read to its end or not, nothing is left to do with it
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, &APIError{Message: "read answer: " + err.Error()}
	}
	return answer, statusError(res.StatusCode, answer)
}

func statusError(status int, answer []byte) error {
	text, said := errorText(answer)
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusNotFound && said: // without its words it may be anybody's 404: a wrong address
		return ErrNotFound
	case status == http.StatusBadRequest, status == http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: status %d: %s", ErrUnreadable, status, text)
	case status == http.StatusTooManyRequests:
		return &APIError{Status: status, Message: "rate limit reached", RetryAfter: afterLimit}
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
