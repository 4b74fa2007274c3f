package klaviyo

import (
	"bytes"
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

const (
	// DefaultURL is the address of Klaviyo's API.
	DefaultURL = "https://a.klaviyo.com"
	// Revision is the version of the API that the requests are written for.
	Revision = "2026-07-15"
)

// mediaType is that of JSON:API.
const mediaType = "application/vnd.api+json"

// Options configure a driver.
type Options struct {
	URL    string // of the API; "" is DefaultURL
	APIKey string // private, with the scope events:write

	Timeout time.Duration       // of a request; 0 is 10 s
	Now     func() time.Time    // nil is time.Now
	Observe httpclient.Observer // called after each request; nil is none
}

// Driver sends triggers to Klaviyo.
type Driver struct {
	options Options
	client  *smsclient.Client
}

var _ sms.Driver = (*Driver)(nil)

// Abilities returns what the driver can do.
func Abilities() sms.Abilities { return sms.Abilities{Triggers: true, Deduplicates: true} }

// New returns a driver. It makes no connection. The error names the wrong option, without its value.
func New(o Options) (*Driver, error) {
	o.URL = strings.TrimRight(cmp.Or(o.URL, DefaultURL), "/")
	switch {
	case !smsclient.IsHTTP(o.URL):
		return nil, errors.New("sms klaviyo: the url must be an absolute http or https address")
	case o.APIKey == "":
		return nil, errors.New("sms klaviyo: the API key is missing")
	}
	client, err := smsclient.New(smsclient.Options{Timeout: o.Timeout, Now: o.Now, Observe: o.Observe, Secrets: []string{o.APIKey}})
	if err != nil {
		return nil, fmt.Errorf("sms klaviyo: %w", err)
	}
	return &Driver{options: o, client: client}, nil
}

// Send sends one trigger.
func (d *Driver) Send(ctx context.Context, m sms.Message) (sms.Receipt, error) {
	if m.Values == nil {
		return sms.Receipt{}, smsclient.BadRequest(errors.New("klaviyo takes triggers, not texts"))
	}
	body, err := json.Marshal(eventOf(m))
	if err != nil {
		return sms.Receipt{}, smsclient.BadRequest(fmt.Errorf("encode trigger: %w", err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.options.URL+"/api/events", bytes.NewReader(body))
	if err != nil {
		return sms.Receipt{}, smsclient.BadRequest(fmt.Errorf("build request: %w", err))
	}
	req.Header.Set("Content-Type", mediaType)
	req.Header.Set("Accept", mediaType)
	req.Header.Set("Authorization", "Klaviyo-API-Key "+d.options.APIKey)
	req.Header.Set("Revision", Revision)
	answer, err := d.client.Call(req, m)
	if err != nil {
		return sms.Receipt{}, err //nolint:wrapcheck // a *sms.SendError
	}
	if !answer.OK() {
		return sms.Receipt{}, refused(answer)
	}
	return sms.Receipt{}, nil // the answer has no id
}

// refused returns the error for an answer other than 2xx.
func refused(answer smsclient.Answer) *sms.SendError {
	class := smsclient.ClassOf(answer.Status)
	pointer, isKlaviyos := pointerOf(answer.Body)
	switch {
	case class == sms.Forbidden && isKlaviyos:
		class = sms.Config // the key lacks a scope, or the account is not allowed
	case class == sms.Rejected && !strings.HasPrefix(pointer, ofCustomer):
		class = sms.Forbidden // of this event or of all: if others are accepted meanwhile, it is of this one
	}
	return answer.Error(class, "")
}

// ofCustomer begins the pointers to what is wrong with the customer's e-mail or number.
const ofCustomer = "/data/attributes/profile"

// pointerOf returns what the first error of a refusal points to. ok is false for a refusal that is not Klaviyo's.
func pointerOf(body []byte) (pointer string, ok bool) {
	var refusal struct {
		Errors []struct {
			Source struct {
				Pointer string `json:"pointer"`
			} `json:"source"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &refusal) != nil || len(refusal.Errors) == 0 {
		return "", false
	}
	return refusal.Errors[0].Source.Pointer, true
}
