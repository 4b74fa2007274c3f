package attentive

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smsclient"
)

// DefaultURL is the address of Attentive's API.
const DefaultURL = "https://api.attentivemobile.com"

// perSecond is how many requests Attentive takes each second (https://docs.attentive.com/docs/api-rate-limits).
const perSecond = 150

// Options configure a driver.
type Options struct {
	URL    string // of the API; "" is DefaultURL
	APIKey string // API key of a custom app that may write custom events

	Timeout time.Duration       // of a request; 0 is 10 s
	Now     func() time.Time    // nil is time.Now
	Observe httpclient.Observer // called after each request; nil is none
}

// Driver sends events to Attentive.
type Driver struct {
	options Options
	client  *smsclient.Client
}

var _ sms.Driver = (*Driver)(nil)

// Abilities returns what the driver can do.
func Abilities() sms.Abilities {
	return sms.Abilities{Triggers: true, PerSecond: perSecond}
}

// New returns a driver. It makes no connection. The error names the wrong option, without its value.
func New(o Options) (*Driver, error) {
	o.URL = strings.TrimRight(cmp.Or(o.URL, DefaultURL), "/")
	switch {
	case !smsclient.IsHTTP(o.URL):
		return nil, errors.New("sms attentive: the url must be an absolute http or https address")
	case o.APIKey == "":
		return nil, errors.New("sms attentive: the API key is missing")
	}
	client, err := smsclient.New(smsclient.Options{Timeout: o.Timeout, Now: o.Now, Observe: o.Observe, Secrets: []string{o.APIKey}})
	if err != nil {
		return nil, fmt.Errorf("sms attentive: %w", err)
	}
	return &Driver{options: o, client: client}, nil
}

// Send sends the event of one trigger.
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
		return sms.Receipt{}, refused(answer)
	}
	return sms.Receipt{}, nil // the answer is empty
}

func (d *Driver) request(ctx context.Context, m sms.Message) (*http.Request, error) {
	if m.Values == nil {
		return nil, errors.New("the driver takes triggers only")
	}
	req, err := smsclient.PostJSON(ctx, d.options.URL+"/v1/events/custom", eventOf(m, d.client.Now()))
	if err != nil {
		return nil, err //nolint:wrapcheck // says what failed
	}
	req.Header.Set("Authorization", "Bearer "+d.options.APIKey)
	return req, nil
}

// refused returns the error for an answer other than 2xx. A 400, and a 404 that is not a proxy's, may be of the event or of all: if others are
// accepted meanwhile, it is of the event.
func refused(answer smsclient.Answer) *sms.SendError {
	class := smsclient.ClassOf(answer.Status)
	if class == sms.Rejected || answer.Status == http.StatusNotFound && json.Valid(answer.Body) {
		class = sms.Forbidden
	}
	return answer.Error(class, "")
}
