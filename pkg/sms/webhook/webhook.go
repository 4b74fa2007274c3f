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
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// Limits of a response, in bytes.
const (
	maxAnswer     = 64 << 10
	maxProviderID = 200
)

// Options configure a driver.
type Options struct {
	URL     string              // http or https address of the gateway
	Secret  string              // shared with the gateway, signs every request
	Timeout time.Duration       // of a request; 0 is 10 s
	Now     func() time.Time    // time of the signature; nil is time.Now
	Observe httpclient.Observer // called after each request; nil is none
}

// Driver posts texts to a gateway.
type Driver struct {
	url     string
	secret  string
	now     func() time.Time
	client  *http.Client
	observe httpclient.Observer
	quoter  httpclient.Quoter
}

var _ sms.Driver = (*Driver)(nil)

// New returns a driver. It makes no connection. The error names the wrong option.
func New(o Options) (*Driver, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errors.New("sms webhook: the url must be an absolute http or https address")
	}
	if o.Secret == "" {
		return nil, errors.New("sms webhook: the secret is missing; it signs every request")
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
	client := &http.Client{Timeout: o.Timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	return &Driver{
		url: o.URL, secret: o.Secret, now: o.Now, client: httpclient.WithoutRedirects(client), observe: o.Observe,
		quoter: httpclient.NewQuoter(),
	}, nil
}

// Send posts one text. The package comment explains each response.
func (d *Driver) Send(ctx context.Context, m sms.Message) (sms.Receipt, error) {
	ctx, connected := traceConnection(ctx)
	req, err := d.request(ctx, m)
	if err != nil {
		return sms.Receipt{}, &sms.SendError{Class: sms.Config, Code: "bad_request", Err: err}
	}
	resp, err := httpclient.Do(d.client, req, d.observe)
	if err != nil {
		return sms.Receipt{}, failure(err, connected.Load())
	}
	defer func() { _ = resp.Body.Close() }()
	if e := statusError(resp.StatusCode, httpclient.RetryAfter(resp.Header.Get("Retry-After"), d.now())); e != nil {
		e.Err = d.words(resp.Body, m)
		return sms.Receipt{}, e
	}
	return sms.Receipt{ProviderID: providerID(resp.Body)}, nil
}

// words returns an error with the gateway's words, without the number and the text; nil if there are none.
func (d *Driver) words(body io.Reader, m sms.Message) error {
	raw, _ := io.ReadAll(io.LimitReader(body, maxAnswer)) // what was read is quoted
	answer := string(raw)
	private := []string{d.secret, m.To, strings.TrimPrefix(m.To, "+"), echoed(answer, m.Body), echoed(answer, jsonText(m.Body))}
	private = append(private, privateValues(m)...)
	if quote := d.quoter.Quote(answer, append(private, m.Secrets...)...); quote != "" {
		return errors.New(quote)
	}
	return nil
}

// minEcho is the shortest start of a text, in bytes, that is recognized in an answer. A shorter one may be there by chance.
const minEcho = 12

// echoed returns the longest start of a text that an answer contains, "" if it is short.
func echoed(answer, text string) string {
	n := sort.Search(len(text), func(n int) bool { return !strings.Contains(answer, text[:n+1]) })
	if n < minEcho {
		return ""
	}
	return text[:n]
}

// jsonText returns a text as it is inside a JSON string.
func jsonText(text string) string {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(text) != nil {
		return ""
	}
	quoted := strings.TrimSpace(encoded.String())
	return quoted[1 : len(quoted)-1]
}

// request returns the signed request for a text.
func (d *Driver) request(ctx context.Context, m sms.Message) (*http.Request, error) {
	body, err := json.Marshal(payloadOf(m))
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

// statusError returns the error for a response status, nil for an accepted text.
func statusError(status int, wait time.Duration) *sms.SendError {
	e := &sms.SendError{Code: "http_" + strconv.Itoa(status)}
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusTooManyRequests:
		e.Class, e.RetryAfter = sms.NotSent, wait
	case status == http.StatusForbidden:
		e.Class = sms.Forbidden
	case isConfigStatus(status), status >= 300 && status < 400:
		e.Class = sms.Config
	case status == http.StatusRequestTimeout, status < 400, status >= 500:
		e.Class = sms.Unknown
	default:
		e.Class = sms.Rejected
	}
	return e
}

// isConfigStatus reports whether a status is caused by the address, credentials or account, not by the text.
func isConfigStatus(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusNotFound,
		http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusProxyAuthRequired,
		http.StatusUnsupportedMediaType, http.StatusUpgradeRequired:
		return true
	}
	return false
}

// providerID returns the id in a 2xx response, "" for none: the text is accepted anyway.
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
