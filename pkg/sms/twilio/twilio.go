package twilio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smsclient"
)

// DefaultURL is the address of Twilio's API.
const DefaultURL = "https://api.twilio.com"

// validity is how long a text may wait at Twilio at most. Twilio's own default is ten hours, by which time it may be night
// (https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource).
const validity = 4 * time.Hour

// Options configure a driver.
type Options struct {
	URL        string // of the API; "" is DefaultURL
	AccountSID string
	AuthToken  string // of the account; not needed with an API key
	APIKey     string // the SID of an API key, with its secret
	APISecret  string
	// MessagingServiceSID is the service that chooses the sender of a message without one; "" for none.
	MessagingServiceSID string
	// CallbackURL is the public address of the store's callbacks; "" asks for no reports.
	CallbackURL string

	Timeout time.Duration       // of a request; 0 is 10 s
	Now     func() time.Time    // nil is time.Now
	Observe httpclient.Observer // called after each request; nil is none
}

// Driver sends texts through Twilio.
type Driver struct {
	options        Options
	user, password string
	client         *smsclient.Client
}

var _ sms.Finder = (*Driver)(nil)

// Abilities returns what the driver can do.
func Abilities() sms.Abilities {
	return sms.Abilities{Texts: true, LooksUp: true, ReportsDelivery: true, PassesReplies: true}
}

// New returns a driver. It makes no connection. The error names the wrong option, without its value.
func New(o Options) (*Driver, error) {
	o.URL = strings.TrimRight(cmp.Or(o.URL, DefaultURL), "/")
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("sms twilio: %w", err)
	}
	client, err := smsclient.New(smsclient.Options{
		Timeout: o.Timeout, Now: o.Now, Observe: o.Observe, Secrets: []string{o.AuthToken, o.APISecret, o.APIKey},
	})
	if err != nil {
		return nil, fmt.Errorf("sms twilio: %w", err)
	}
	d := &Driver{options: o, user: o.AccountSID, password: o.AuthToken, client: client}
	if o.APIKey != "" {
		d.user, d.password = o.APIKey, o.APISecret
	}
	return d, nil
}

func (o Options) check() error {
	switch {
	case !smsclient.IsHTTP(o.URL):
		return errors.New("the url must be an absolute http or https address")
	case !regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`).MatchString(o.AccountSID):
		return errors.New("the account SID is AC and 32 hex digits")
	case o.APIKey == "" && o.AuthToken == "":
		return errors.New("an auth token or an API key is missing")
	case o.APIKey != "" && o.APISecret == "":
		return errors.New("the secret of the API key is missing")
	case o.CallbackURL == "":
		return nil
	}
	return CheckCallbackURL(o.CallbackURL)
}

// CheckCallbackURL returns an error for an address that Twilio does not call: it needs a host name, without underscores
// (https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource).
func CheckCallbackURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || !smsclient.IsHTTP(address):
		return errors.New("the callback url must be an absolute http or https address")
	case strings.Contains(u.Hostname(), "_"):
		return errors.New("the host of the callback url must have no underscore: Twilio refuses it")
	}
	return nil
}

// resource is a message as Twilio has it.
type resource struct {
	SID         string `json:"sid"`
	Body        string `json:"body"`
	To          string `json:"to"`
	Direction   string `json:"direction"`
	DateCreated string `json:"date_created"` // RFC 2822
}

// Send sends one text.
func (d *Driver) Send(ctx context.Context, m sms.Message) (sms.Receipt, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.messages(), strings.NewReader(d.form(m).Encode()))
	if err != nil {
		return sms.Receipt{}, smsclient.BadRequest(fmt.Errorf("build request: %w", err))
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(d.user, d.password)
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
	var accepted resource
	if json.Unmarshal(body, &accepted) != nil || len(accepted.SID) > smsclient.MaxProviderID {
		return sms.Receipt{}
	}
	return sms.Receipt{ProviderID: accepted.SID}
}

// form returns the parameters of a text.
func (d *Driver) form(m sms.Message) url.Values {
	form := url.Values{"To": {m.To}, "Body": {m.Body}, "ValidityPeriod": {validFor(m)}}
	if m.From != "" {
		form.Set("From", m.From)
	}
	if d.options.MessagingServiceSID != "" {
		form.Set("MessagingServiceSid", d.options.MessagingServiceSID)
	}
	if d.options.CallbackURL != "" {
		form.Set("StatusCallback", d.options.CallbackURL+"?"+url.Values{textParameter: {sms.TextID(m)}}.Encode())
	}
	return form
}

func (d *Driver) messages() string {
	return d.options.URL + "/2010-04-01/Accounts/" + d.options.AccountSID + "/Messages.json"
}

// validFor returns the seconds for which a text may wait at Twilio.
func validFor(m sms.Message) string {
	wait := validity
	if m.ValidFor > 0 {
		wait = min(m.ValidFor, validity)
	}
	return strconv.Itoa(max(int(wait/time.Second), 1))
}
