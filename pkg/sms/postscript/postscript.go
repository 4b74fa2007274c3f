package postscript

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smsclient"
)

// DefaultURL is the address of Postscript's API.
const DefaultURL = "https://api.postscript.io"

// timeLayout is the only form of a time that Postscript documents: %Y-%m-%d %H:%M:%S.%f, in UTC.
const timeLayout = "2006-01-02 15:04:05.000000"

// perSecond is how many requests Postscript takes of a key each second (https://developers.postscript.io/docs/rate-limits).
const perSecond = 15

// Options configure a driver.
type Options struct {
	URL        string // of the API; "" is DefaultURL
	APIKey     string // private key of the shop
	PartnerKey string // private key of an integration partner, "" for a shop that calls for itself

	Timeout time.Duration       // of a request; 0 is 10 s
	Now     func() time.Time    // nil is time.Now
	Observe httpclient.Observer // called after each request; nil is none
}

// Driver creates events at Postscript.
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
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("sms postscript: %w", err)
	}
	client, err := smsclient.New(smsclient.Options{Timeout: o.Timeout, Now: o.Now, Observe: o.Observe, Secrets: []string{o.APIKey, o.PartnerKey}})
	if err != nil {
		return nil, fmt.Errorf("sms postscript: %w", err)
	}
	return &Driver{options: o, client: client}, nil
}

func (o Options) check() error {
	switch {
	case !smsclient.IsHTTP(o.URL):
		return errors.New("the url must be an absolute http or https address")
	case o.APIKey == "":
		return errors.New("the private key of the shop is missing")
	case strings.HasPrefix(o.APIKey, "pk_"):
		return errors.New("the key is the public one of the shop; the private one begins with sk_")
	}
	return nil
}

// event is the body of a request (https://developers.postscript.io/reference/create-custom-event).
type event struct {
	Type       string            `json:"type"`
	Phone      string            `json:"phone,omitempty"`
	Email      string            `json:"email,omitempty"`
	OccurredAt string            `json:"occurred_at,omitempty"`
	Properties map[string]string `json:"properties"`
	ExternalID string            `json:"external_id"`
}

func eventOf(m sms.Message) event {
	e := event{
		Type: strings.ReplaceAll(sms.EventName(m), " ", "_"), Phone: m.To, Email: m.Email, Properties: sms.EventProperties(m), ExternalID: sms.TextID(m),
	}
	if !m.Values.OccurredAt.IsZero() {
		e.OccurredAt = m.Values.OccurredAt.UTC().Format(timeLayout)
	}
	return e
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
	return receiptOf(answer.Body), nil
}

func (d *Driver) request(ctx context.Context, m sms.Message) (*http.Request, error) {
	if m.Values == nil {
		return nil, errors.New("the driver takes triggers only")
	}
	req, err := smsclient.PostJSON(ctx, d.options.URL+"/api/v2/events", eventOf(m))
	if err != nil {
		return nil, err //nolint:wrapcheck // says what failed
	}
	req.Header.Set("Authorization", "Bearer "+cmp.Or(d.options.PartnerKey, d.options.APIKey))
	if d.options.PartnerKey != "" {
		req.Header.Set("X-Postscript-Shop-Token", d.options.APIKey)
	}
	return req, nil
}

// receiptOf returns the receipt of an accepted event, whatever its body is.
func receiptOf(body []byte) sms.Receipt {
	var accepted struct {
		EventIDs []string `json:"event_ids"`
	}
	if json.Unmarshal(body, &accepted) != nil || len(accepted.EventIDs) == 0 || len(accepted.EventIDs[0]) > smsclient.MaxProviderID {
		return sms.Receipt{}
	}
	return sms.Receipt{ProviderID: accepted.EventIDs[0]}
}

// codeTooMany is the error_code of a refusal for too many requests, whatever its status.
const codeTooMany = 3002

// refused returns the error for an answer other than 2xx. What a 400 means is not published: if others are accepted meanwhile, it is of the
// event.
func refused(answer smsclient.Answer) *sms.SendError {
	class := smsclient.ClassOf(answer.Status)
	if answer.Status < 400 || answer.Status >= 500 || class == sms.Unknown {
		return answer.Error(class, "")
	}
	if class == sms.Rejected {
		class = sms.Forbidden
	}
	var body struct {
		Code int `json:"error_code"`
	}
	if json.Unmarshal(answer.Body, &body) != nil || body.Code <= 0 || body.Code > 999_999 {
		return answer.Error(class, "")
	}
	if body.Code == codeTooMany {
		class = sms.NotSent
	}
	return answer.Error(class, "postscript_"+strconv.Itoa(body.Code))
}
