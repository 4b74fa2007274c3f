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

const defaultTimeout = 10 * time.Second

// ClientConfig says where a store's API is and how to get in.
type ClientConfig struct {
	BaseURL string // https://api.rechargeapps.com
	Token   string // API access token with read_customers and read_subscriptions
	// HTTPClient defaults to one that gives up after 10 s.
	HTTPClient *http.Client
	// Budget defaults to one of the client's own; clients with one token share one.
	Budget *Budget
	// Now defaults to time.Now.
	Now func() time.Time
}

// Client reads one store's customers and subscriptions. Each call waits until the
// token's bucket has room for it, however long that takes: see Budget.
type Client struct {
	base    string
	token   string
	http    *http.Client
	budget  *Budget
	now     func() time.Time
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
	c := &Client{base: strings.TrimRight(cfg.BaseURL, "/"), token: cfg.Token, http: cfg.HTTPClient, budget: cfg.Budget, now: cfg.Now, decoder: decoder}
	if c.http == nil {
		c.http = &http.Client{Timeout: defaultTimeout}
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.budget == nil {
		c.budget = NewBudget(c.now)
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
	if w.Customer.ID != id {
		return Customer{}, fmt.Errorf("%w: it is another customer", ErrUnreadable)
	}
	return *w.Customer, nil
}

const (
	// pageSize is the most that a page holds: https://developer.rechargepayments.com/2021-11/pagination.
	pageSize = 250
	// maxPages bounds what one customer may cost.
	maxPages = 4
)

// Subscriptions reads all subscriptions of a customer, newest first, in the
// 2021-11 shape. complete is false for somebody with more than a thousand, whose
// older ones are left out. Errors are those of Customer.
//
// A next page is asked for by its cursor and the limit, without the filter, as
// https://github.com/singer-io/tap-recharge does (tap_recharge/client.py).
func (c *Client) Subscriptions(ctx context.Context, customerID string) (all []Subscription, complete bool, err error) {
	query := url.Values{"customer_id": {customerID}}
	all = []Subscription{}
	for range maxPages {
		query.Set("limit", strconv.Itoa(pageSize))
		answer, err := c.get(ctx, "/subscriptions?"+query.Encode())
		if err != nil {
			return nil, false, err
		}
		page, next, err := c.decoder.page(answer, customerID)
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
