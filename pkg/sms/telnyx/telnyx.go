package telnyx

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smsclient"
)

// DefaultURL is the address of Telnyx's API.
const DefaultURL = "https://api.telnyx.com"

// Options configure a driver.
type Options struct {
	URL    string // of the API; "" is DefaultURL
	APIKey string
	// ProfileID is the messaging profile, which chooses the sender of a message without one; "" for none.
	ProfileID string
	// CallbackURL is the public address of the store's callbacks; "" asks for no reports.
	CallbackURL string

	Timeout time.Duration       // of a request; 0 is 10 s
	Now     func() time.Time    // nil is time.Now
	Observe httpclient.Observer // called after each request; nil is none
}

// Driver sends texts through Telnyx.
type Driver struct {
	options Options
	client  *smsclient.Client
}

var _ sms.Driver = (*Driver)(nil)

// Abilities returns what the driver can do.
func Abilities() sms.Abilities {
	return sms.Abilities{Texts: true, ReportsDelivery: true, PassesReplies: true}
}

// New returns a driver. It makes no connection. The error names the wrong option, without its value.
func New(o Options) (*Driver, error) {
	o.URL = strings.TrimRight(cmp.Or(o.URL, DefaultURL), "/")
	switch {
	case !smsclient.IsHTTP(o.URL):
		return nil, errors.New("sms telnyx: the url must be an absolute http or https address")
	case o.APIKey == "":
		return nil, errors.New("sms telnyx: the API key is missing")
	case o.CallbackURL != "" && !smsclient.IsHTTP(o.CallbackURL):
		return nil, errors.New("sms telnyx: the callback url must be an absolute http or https address")
	}
	client, err := smsclient.New(smsclient.Options{Timeout: o.Timeout, Now: o.Now, Observe: o.Observe, Secrets: []string{o.APIKey}})
	if err != nil {
		return nil, fmt.Errorf("sms telnyx: %w", err)
	}
	return &Driver{options: o, client: client}, nil
}

// request is the body of a request.
type request struct {
	From       string `json:"from,omitempty"`
	ProfileID  string `json:"messaging_profile_id,omitempty"`
	To         string `json:"to"`
	Text       string `json:"text"`
	Type       string `json:"type"`
	WebhookURL string `json:"webhook_url,omitempty"`
}

// Send sends one text.
func (d *Driver) Send(ctx context.Context, m sms.Message) (sms.Receipt, error) {
	body := request{From: m.From, ProfileID: d.options.ProfileID, To: m.To, Text: m.Body, Type: "SMS"}
	if d.options.CallbackURL != "" {
		body.WebhookURL = d.options.CallbackURL + "?" + url.Values{textParameter: {sms.TextID(m)}}.Encode()
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return sms.Receipt{}, smsclient.BadRequest(fmt.Errorf("encode text: %w", err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.options.URL+"/v2/messages", bytes.NewReader(encoded))
	if err != nil {
		return sms.Receipt{}, smsclient.BadRequest(fmt.Errorf("build request: %w", err))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+d.options.APIKey)
	answer, err := d.client.Call(req, m)
	if err != nil {
		return sms.Receipt{}, err //nolint:wrapcheck // a *sms.SendError
	}
	if !answer.OK() {
		return sms.Receipt{}, refused(answer)
	}
	return receiptOf(answer.Body), nil
}

// receiptOf returns the receipt of an accepted text, whatever its body is.
func receiptOf(body []byte) sms.Receipt {
	var accepted struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &accepted) != nil || len(accepted.Data.ID) > smsclient.MaxProviderID {
		return sms.Receipt{}
	}
	return sms.Receipt{ProviderID: accepted.Data.ID}
}
