package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// Bounds of an answer, in bytes.
const (
	maxAnswer     = 64 << 10
	maxProviderID = 200
)

// Options configure a driver.
type Options struct {
	URL     string           // http or https address of the gateway
	Secret  string           // shared with the gateway, signs every request
	Timeout time.Duration    // for a whole request; 0 is 10 s
	Now     func() time.Time // stamps the signature; nil is time.Now
}

// Driver posts texts to a gateway.
type Driver struct {
	url    string
	secret string
	now    func() time.Time
	client *http.Client
}

var _ sms.Driver = (*Driver)(nil)

// New returns a driver; the error says which option is wrong. No connection is made.
func New(o Options) (*Driver, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errors.New("sms webhook: the url must be an absolute http or https address")
	}
	if o.Secret == "" {
		return nil, errors.New("sms webhook: the secret is missing; the gateway needs it to tell our requests from others")
	}
	if o.Timeout < 0 {
		return nil, errors.New("sms webhook: the timeout is negative")
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Driver{url: o.URL, secret: o.Secret, now: o.Now, client: &http.Client{
		Timeout:       o.Timeout,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// payload is the body of a request.
type payload struct {
	ID    string `json:"id"`
	To    string `json:"to"`
	From  string `json:"from,omitempty"`
	Body  string `json:"body"`
	Store string `json:"store,omitempty"`
	Flow  string `json:"flow,omitempty"`
}

// Send posts one text. See the package comment for what an answer means.
func (d *Driver) Send(ctx context.Context, m sms.Message) (sms.Receipt, error) {
	ctx, connected := watch(ctx)
	req, err := d.request(ctx, m)
	if err != nil {
		return sms.Receipt{}, &sms.SendError{Class: sms.Config, Code: "bad_request", Err: err}
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return sms.Receipt{}, failure(err, connected.Load())
	}
	defer func() { _ = resp.Body.Close() }()
	if e := judge(resp.StatusCode, retryAfter(resp.Header.Get("Retry-After"), d.now())); e != nil {
		return sms.Receipt{}, e
	}
	return sms.Receipt{ProviderID: providerID(resp.Body)}, nil
}

// request is the signed request for a text.
func (d *Driver) request(ctx context.Context, m sms.Message) (*http.Request, error) {
	body, err := json.Marshal(payload{ID: m.SendKey, To: m.To, From: m.From, Body: m.Body, Store: m.Store, Flow: m.Flow})
	if err != nil {
		return nil, fmt.Errorf("encode text: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	timestamp := strconv.FormatInt(d.now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "rechargeflow")
	req.Header.Set(TimestampHeader, timestamp)
	req.Header.Set(SignatureHeader, Sign(d.secret, timestamp, body))
	return req, nil
}

// judge turns the status of an answer into an error; nil for an accepted text.
func judge(status int, wait time.Duration) *sms.SendError {
	e := &sms.SendError{Code: "http_" + strconv.Itoa(status)}
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusTooManyRequests:
		e.Class, e.RetryAfter = sms.NotSent, wait
	case aboutUs(status), status >= 300 && status < 400:
		e.Class = sms.Config
	case status == http.StatusRequestTimeout, status < 400, status >= 500:
		e.Class = sms.Unknown
	default:
		e.Class = sms.Rejected
	}
	return e
}

// aboutUs tells a status that is about address, credentials or account, not about this text.
func aboutUs(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusNotFound,
		http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusProxyAuthRequired,
		http.StatusUnsupportedMediaType, http.StatusUpgradeRequired:
		return true
	}
	return false
}

// retryAfter reads a Retry-After header, seconds or a date; 0 when it says nothing, at most an hour.
func retryAfter(header string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.Atoi(header); err == nil {
		wait = time.Duration(min(max(seconds, 0), 3600)) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), time.Hour)
}

// providerID reads the id of an accepting answer. The status has accepted the text: a missing id is no error.
func providerID(body io.Reader) string {
	raw, err := io.ReadAll(io.LimitReader(body, maxAnswer))
	if err != nil {
		return ""
	}
	var answer struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(raw, &answer) != nil || len(answer.ID) > maxProviderID {
		return ""
	}
	return answer.ID
}
