package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smsclient"
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
	url    string
	secret string
	client *smsclient.Client
}

var _ sms.Driver = (*Driver)(nil)

// Abilities returns what the driver can do. Whether a gateway drops a repeated text is not known.
func Abilities() sms.Abilities {
	return sms.Abilities{Texts: true, Triggers: true, ReportsDelivery: true, PassesReplies: true}
}

// New returns a driver. It makes no connection. The error names the wrong option.
func New(o Options) (*Driver, error) {
	if !smsclient.IsHTTP(o.URL) {
		return nil, errors.New("sms webhook: the url must be an absolute http or https address")
	}
	if o.Secret == "" {
		return nil, errors.New("sms webhook: the secret is missing; it signs every request")
	}
	client, err := smsclient.New(smsclient.Options{Timeout: o.Timeout, Now: o.Now, Observe: o.Observe, Secrets: []string{o.Secret}})
	if err != nil {
		return nil, fmt.Errorf("sms webhook: %w", err)
	}
	return &Driver{url: o.URL, secret: o.Secret, client: client}, nil
}

// Send posts one text. The package comment explains each response.
func (d *Driver) Send(ctx context.Context, m sms.Message) (sms.Receipt, error) {
	req, err := d.request(ctx, m)
	if err != nil {
		return sms.Receipt{}, smsclient.BadRequest(err)
	}
	answer, err := d.client.Call(req, m)
	if err != nil {
		return sms.Receipt{}, err //nolint:wrapcheck // a *sms.SendError
	}
	if !answer.OK() {
		return sms.Receipt{}, answer.Error(smsclient.ClassOf(answer.Status), "")
	}
	return sms.Receipt{ProviderID: providerID(answer.Body)}, nil
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
	timestamp := strconv.FormatInt(d.client.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(TimestampHeader, timestamp)
	req.Header.Set(SignatureHeader, Sign(d.secret, timestamp, body))
	return req, nil
}

// providerID returns the id in a 2xx response, "" for none: the text is accepted anyway.
func providerID(body []byte) string {
	var answer struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.ID) > smsclient.MaxProviderID {
		return ""
	}
	return answer.ID
}
