package twiliotest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/sms/twilio"
)

// Reply returns the parameters of an incoming message (https://www.twilio.com/docs/messaging/guides/webhook-request).
func (a Account) Reply(sid, from, body string) url.Values {
	return url.Values{
		"ToCountry": {"US"}, "ToState": {"CA"}, "SmsMessageSid": {sid}, "NumMedia": {"0"}, "ToCity": {""}, "FromZip": {"94105"}, "SmsSid": {sid},
		"FromState": {"CA"}, "SmsStatus": {"received"}, "FromCity": {"SAN FRANCISCO"}, "Body": {body}, "FromCountry": {"US"}, "To": {a.From[0]},
		"ToZip": {""}, "NumSegments": {"1"}, "MessageSid": {sid}, "AccountSid": {a.SID}, "From": {from}, "ApiVersion": {"2010-04-01"},
	}
}

// Status returns the parameters of a change of a text's status
// (https://www.twilio.com/docs/messaging/guides/track-outbound-message-status). code is "" for a text without an error.
func (a Account) Status(sid, to, status, code string) url.Values {
	form := url.Values{
		"SmsSid": {sid}, "SmsStatus": {status}, "MessageStatus": {status}, "To": {to}, "MessageSid": {sid}, "AccountSid": {a.SID}, "From": {a.From[0]},
		"ApiVersion": {"2010-04-01"},
	}
	if code != "" {
		form.Set("ErrorCode", code)
	}
	return form
}

// Request returns the signed request of a callback to an address, for a server in this process.
func (a Account) Request(address string, form url.Values) *http.Request {
	u, err := url.Parse(address)
	if err != nil {
		panic(err) // of a test
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, u.RequestURI(), strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set(twilio.SignatureHeader, twilio.Sign(a.AuthToken, address, form))
	r.Header.Set("I-Twilio-Idempotency-Token", "0b8e4a1c-5f0e-4b2e-9a0d-6a3f0e1c2d3b")
	return r
}
