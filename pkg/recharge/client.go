package recharge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
)

// ErrNotFound means that Recharge has no such customer. A retry does not help.
var ErrNotFound = errors.New("not found at recharge")

// ErrUnreadable means that Recharge's response for this customer can't be decoded. A retry does not help.
var ErrUnreadable = errors.New("recharge api: response can't be decoded")

// ErrTooLarge means that a response is larger than 4 MiB. It is an ErrUnreadable. A smaller page helps.
var ErrTooLarge = fmt.Errorf("%w: larger than %d MiB", ErrUnreadable, maxAnswer>>20)

// InvalidError means that Recharge refuses a request as invalid, such as a cursor. It is an ErrUnreadable.
type InvalidError struct {
	Status  int // 400 or 422
	Message string
}

// Error names the status and the message.
func (e *InvalidError) Error() string {
	return fmt.Sprintf("recharge api: status %d: %s", e.Status, e.Message)
}

// Is reports that it is an ErrUnreadable.
func (e *InvalidError) Is(target error) bool { return target == ErrUnreadable }

// APIError is a failed call. A retry may help.
type APIError struct {
	// Status is the HTTP status, 0 if there was no response.
	Status int
	// Message is Recharge's error text, or the network error.
	Message string
	// RetryAfter is the shortest wait before the next call, 0 for none.
	RetryAfter time.Duration
	// Duplicate means that a webhook was refused because another one has its address and topic.
	Duplicate bool
}

// Error names the status and the message.
func (e *APIError) Error() string {
	if e.Status == 0 {
		return "recharge api: " + e.Message
	}
	return fmt.Sprintf("recharge api: status %d: %s", e.Status, e.Message)
}

const defaultTimeout = 10 * time.Second

// ClientConfig has the address and the token of a store's API.
type ClientConfig struct {
	BaseURL string // https://api.rechargeapps.com
	Token   string // API access token with read_customers and read_subscriptions
	// HTTPClient defaults to one with a timeout of 10 s.
	HTTPClient *http.Client
	// RateLimiter defaults to a new one. Clients with the same token share one.
	RateLimiter *RateLimiter
	// Observe, if set, is called after each call.
	Observe httpclient.Observer
	// Now defaults to time.Now.
	Now func() time.Time
}

// Client reads one store's customers and subscriptions. Each call waits for the RateLimiter, however long that takes.
type Client struct {
	base    string
	token   string
	http    *http.Client
	observe httpclient.Observer
	limiter *RateLimiter
	now     func() time.Time
	decoder *Decoder
}

// NewClient returns a client. It fails if the base URL is not absolute.
func NewClient(cfg ClientConfig) (*Client, error) {
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("recharge api url %q is not an absolute URL", cfg.BaseURL)
	}
	decoder, err := NewDecoder()
	if err != nil {
		return nil, err
	}
	c := &Client{base: strings.TrimRight(cfg.BaseURL, "/"), token: cfg.Token, http: cfg.HTTPClient, observe: cfg.Observe, limiter: cfg.RateLimiter, now: cfg.Now, decoder: decoder}
	if c.http == nil {
		c.http = &http.Client{Timeout: defaultTimeout}
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.limiter == nil {
		c.limiter = NewRateLimiter(c.now)
	}
	c.http = httpclient.WithoutRedirects(c.http)
	return c, nil
}

// Customer reads one customer, in API version 2021-11. The error is ErrNotFound, ErrUnreadable or an *APIError.
func (c *Client) Customer(ctx context.Context, id string) (Customer, error) {
	answer, err := c.get(ctx, "/customers/"+url.PathEscape(id))
	if err != nil {
		return Customer{}, err
	}
	w, err := c.decoder.Decode("customer/read", answer, c.now())
	if err != nil {
		return Customer{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if w.Customer.ID != id {
		return Customer{}, fmt.Errorf("%w: customer id differs from the requested one", ErrUnreadable)
	}
	return *w.Customer, nil
}

const (
	// pageSize is the largest page size (https://developer.rechargepayments.com/2021-11/pagination).
	pageSize = 250
	// maxPages limits the number of calls for one customer.
	maxPages = 4
)

// Subscriptions reads all subscriptions of a customer, newest first, in API version 2021-11. If there are more than 1,000,
// the oldest are left out and complete is false. Errors are those of Customer.
//
// A request for the next page has the cursor and the limit, without the filter, as in
// https://github.com/singer-io/tap-recharge (tap_recharge/client.py).
func (c *Client) Subscriptions(ctx context.Context, customerID string) (all []Subscription, complete bool, err error) {
	query := url.Values{"customer_id": {customerID}}
	all = []Subscription{}
	for range maxPages {
		query.Set("limit", strconv.Itoa(pageSize))
		answer, err := c.get(ctx, "/subscriptions?"+query.Encode())
		if err != nil {
			return nil, false, err
		}
		page, next, err := c.decoder.page(answer, customerID, c.now())
		if err != nil {
			return nil, false, fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		if all = append(all, page...); next == "" {
			return all, true, nil
		}
		query = url.Values{"cursor": {next}}
	}
	return all, false, nil
}
