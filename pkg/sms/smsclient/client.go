package smsclient

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 64 << 10

// MaxProviderID is the longest id of a provider, in bytes.
const MaxProviderID = 200

// DefaultTimeout is the timeout of a request, unless Options have another one.
const DefaultTimeout = 10 * time.Second

// Options configure a Client.
type Options struct {
	Timeout time.Duration       // of a request; 0 is DefaultTimeout
	Now     func() time.Time    // the clock; nil is time.Now
	Observe httpclient.Observer // called after each request; nil is none
	// Secrets are those of the account. They are masked in errors.
	Secrets []string
}

// Client calls a provider. It is safe for concurrent use.
type Client struct {
	options Options
	client  *http.Client
	quoter  httpclient.Quoter
}

// New returns a client. It makes no connection.
func New(o Options) (*Client, error) {
	if o.Timeout < 0 {
		return nil, errors.New("the timeout is negative")
	}
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	if o.Now == nil {
		o.Now = time.Now
	}
	client := &http.Client{Timeout: o.Timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	return &Client{options: o, client: httpclient.WithoutRedirects(client), quoter: httpclient.NewQuoter()}, nil
}

// Now returns the time of the client's clock.
func (c *Client) Now() time.Time { return c.options.Now() }

// Answer is a provider's answer.
type Answer struct {
	Status     int
	Body       []byte        // at most 64 KiB of it
	RetryAfter time.Duration // the provider's Retry-After, 0 for none
	Date       time.Time     // by the provider's clock, in seconds; zero if the answer does not say it

	words error
}

// OK reports whether the status is 2xx.
func (a Answer) OK() bool { return a.Status >= 200 && a.Status < 300 }

// Error returns the error of a class for a refused text, with the provider's words. RetryAfter is set with sms.NotSent. An empty code is
// http_ and the status.
func (a Answer) Error(class sms.Class, code string) *sms.SendError {
	e := &sms.SendError{Class: class, Code: cmp.Or(code, "http_"+strconv.Itoa(a.Status)), Err: a.words}
	if class == sms.NotSent {
		e.RetryAfter = a.RetryAfter
	}
	return e
}

// Call sends the request of a text, once. Without an answer the error is a *sms.SendError.
func (c *Client) Call(req *http.Request, m sms.Message) (Answer, error) {
	ctx, connected := traceConnection(req.Context())
	req = req.WithContext(ctx)
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json")
	}
	req.Header.Set("User-Agent", "rechargeflow")
	resp, err := httpclient.Do(c.client, req, c.options.Observe)
	if err != nil {
		return Answer{}, failure(err, connected.Load())
	}
	defer func() { _ = resp.Body.Close() }()
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // the status decides, whatever is read
	answer := Answer{Status: resp.StatusCode, Body: raw, RetryAfter: httpclient.RetryAfter(resp.Header.Get("Retry-After"), c.options.Now())}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		answer.Date = date
	}
	if !answer.OK() {
		answer.words = c.words(string(raw), m)
	}
	return answer, nil
}

// BadRequest is the error for a request that can't be built.
func BadRequest(err error) *sms.SendError {
	return &sms.SendError{Class: sms.Config, Code: "bad_request", Err: err}
}

// IsHTTP reports whether an address is an absolute http or https one.
func IsHTTP(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}
