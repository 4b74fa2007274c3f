package klaviyo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smsclient"
)

// DefaultURL is the address of Klaviyo's API.
const DefaultURL = "https://a.klaviyo.com"

// DefaultRevision is the revision of the API that the driver was written for. Klaviyo retires it two years after its date
// (https://developers.klaviyo.com/en/docs/api_versioning_and_deprecation_policy).
const DefaultRevision = "2026-07-15"

// mediaType is that of JSON:API.
const mediaType = "application/vnd.api+json"

// perSecond is how many events Klaviyo takes of an account: 3,500 a minute (https://developers.klaviyo.com/en/reference/create_event).
const perSecond = 58

// Options configure a driver.
type Options struct {
	URL      string // of the API; "" is DefaultURL
	APIKey   string // private key, with the scope events:write
	Revision string // of the API, YYYY-MM-DD; "" is DefaultRevision

	Timeout time.Duration       // of a request; 0 is 10 s
	Now     func() time.Time    // nil is time.Now
	Observe httpclient.Observer // called after each request; nil is none
}

// Driver creates events at Klaviyo.
type Driver struct {
	options Options
	client  *smsclient.Client
}

var _ sms.Driver = (*Driver)(nil)

// Abilities returns what the driver can do. That Klaviyo drops a second event is documented with unique_id
// (https://developers.klaviyo.com/en/reference/create_event).
func Abilities() sms.Abilities {
	return sms.Abilities{Triggers: true, Deduplicates: true, PerSecond: perSecond}
}

// New returns a driver. It makes no connection. The error names the wrong option, without its value.
func New(o Options) (*Driver, error) {
	o.URL, o.Revision = strings.TrimRight(cmp.Or(o.URL, DefaultURL), "/"), cmp.Or(o.Revision, DefaultRevision)
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("sms klaviyo: %w", err)
	}
	client, err := smsclient.New(smsclient.Options{Timeout: o.Timeout, Now: o.Now, Observe: o.Observe, Secrets: []string{o.APIKey}})
	if err != nil {
		return nil, fmt.Errorf("sms klaviyo: %w", err)
	}
	return &Driver{options: o, client: client}, nil
}

func (o Options) check() error {
	switch {
	case !smsclient.IsHTTP(o.URL):
		return errors.New("the url must be an absolute http or https address")
	case o.APIKey == "":
		return errors.New("the private key is missing")
	case !regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}(\.[a-z0-9]+)?$`).MatchString(o.Revision):
		return errors.New("the revision is a date, such as " + DefaultRevision)
	}
	return nil
}

// Send creates the event of one trigger.
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
	req, err := smsclient.PostJSON(ctx, d.options.URL+"/api/events", eventOf(m))
	if err != nil {
		return nil, err //nolint:wrapcheck // says what failed
	}
	req.Header.Set("Content-Type", mediaType)
	req.Header.Set("Accept", mediaType)
	req.Header.Set("Authorization", "Klaviyo-API-Key "+d.options.APIKey)
	req.Header.Set("Revision", d.options.Revision)
	return req, nil
}
