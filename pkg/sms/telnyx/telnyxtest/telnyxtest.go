// Package telnyxtest simulates Telnyx's messages. It refuses what Telnyx refuses, with Telnyx's codes, and can be set to behave in other ways. It
// signs callbacks as Telnyx does.
//
//	telnyxtest.go   Telnyx: the endpoint, its checks and its answers
//	callbacks.go    replies and reports
package telnyxtest

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

// Account is the account of the simulator.
type Account struct {
	APIKey string
	Key    ed25519.PrivateKey // signs callbacks
	// From are the numbers of the account, Profiles its messaging profiles.
	From, Profiles []string
}

// SampleAccount returns an account.
func SampleAccount() Account {
	return Account{
		APIKey: "KEY0123456789", Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize)),
		From: []string{"+15005550006"}, Profiles: []string{"40017ea1-a0c0-4563-9925-b25e842a7cb6"},
	}
}

// PublicKey returns the public key as Telnyx's portal shows it.
func (a Account) PublicKey() string {
	return base64.StdEncoding.EncodeToString(a.Key.Public().(ed25519.PublicKey)) //nolint:forcetypeassert // documented
}

// Message is a message as Telnyx has it, the body of its request.
type Message struct {
	From       string `json:"from"`
	ProfileID  string `json:"messaging_profile_id"`
	To         string `json:"to"`
	Text       string `json:"text"`
	Type       string `json:"type"`
	WebhookURL string `json:"webhook_url"`
}

// Telnyx is a running simulator.
type Telnyx struct {
	*smstest.Server[Message]

	account Account
	now     func() time.Time
}

// New starts a simulator on a free port of the loopback interface. The caller closes it.
func New(account Account, now func() time.Time) *Telnyx {
	t := &Telnyx{account: account, now: now}
	t.Server = smstest.Serve(smstest.Protocol[Message]{Read: t.read, Number: func(m Message) string { return m.To }, Answer: t.sent})
	return t
}

// Refusal returns an error in Telnyx's form (https://developers.telnyx.com/development/api-fundamentals/api-errors).
func Refusal(status int, code, title string) smstest.Behaviour {
	return smstest.Behaviour{Status: status, Body: fmt.Sprintf(`{"errors":[{"code":%q,"title":%q,"detail":"%[2]s.","meta":{"url":"https://developers.telnyx.com/docs/overview/errors/%[1]s"}}]}`, code, title)}
}

func (t *Telnyx) read(r *http.Request, body []byte) (m Message, refusal smstest.Behaviour, err error) {
	if refusal = t.check(r, body, &m); refusal.Status != 0 {
		err = errors.New(refusal.Body)
	}
	return m, refusal, err
}

// check returns the refusal of a request, the zero value for none.
func (t *Telnyx) check(r *http.Request, body []byte, m *Message) smstest.Behaviour {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	switch {
	case r.Header.Get("Authorization") != "Bearer "+t.account.APIKey:
		return Refusal(http.StatusUnauthorized, "10009", "Authentication failed")
	case r.URL.Path != "/v2/messages" || r.Method != http.MethodPost:
		return Refusal(http.StatusNotFound, "10005", "Resource not found")
	case r.Header.Get("Content-Type") != "application/json":
		return Refusal(http.StatusUnsupportedMediaType, "10014", "Unsupported Media Type")
	case decoder.Decode(m) != nil:
		return Refusal(http.StatusBadRequest, "10015", "Bad Request")
	}
	return t.checkMessage(*m)
}

func (t *Telnyx) checkMessage(m Message) smstest.Behaviour {
	switch {
	case m.To == "" || m.Text == "" || m.From == "" && m.ProfileID == "":
		return Refusal(http.StatusUnprocessableEntity, "10004", "Missing required parameter")
	case !sms.IsE164(m.To):
		return Refusal(http.StatusUnprocessableEntity, "10016", "Phone number must be in +E.164 format")
	case utf8.RuneCountInString(m.Text) > 1600:
		return Refusal(http.StatusUnprocessableEntity, "40009", "Invalid message body")
	}
	return t.checkSettings(m)
}

// checkSettings checks what is configured rather than of a text.
func (t *Telnyx) checkSettings(m Message) smstest.Behaviour {
	switch {
	case m.From != "" && !slices.Contains(t.account.From, m.From):
		return Refusal(http.StatusBadRequest, "40305", "Invalid 'from' address")
	case m.ProfileID != "" && !slices.Contains(t.account.Profiles, m.ProfileID):
		return Refusal(http.StatusBadRequest, "10006", "Invalid ID")
	case m.WebhookURL != "" && !isCallable(m.WebhookURL):
		return Refusal(http.StatusUnprocessableEntity, "10003", "Invalid URL")
	}
	return smstest.Behaviour{}
}

// isCallable reports whether an address is a URL of at most 2,000 characters
// (https://developers.telnyx.com/development/api-fundamentals/api-errors, 10003).
func isCallable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.HasPrefix(u.Scheme, "http") && u.Host != "" && len(address) <= 2000
}

// id returns the id of the nth message.
func id(nth int) string { return fmt.Sprintf("40385f64-5717-4562-b3fc-%012x", nth) }

// sent is the answer to a request (https://developers.telnyx.com/api-reference/messages).
func (t *Telnyx) sent(m Message, nth int) smstest.Behaviour {
	return smstest.Behaviour{Status: http.StatusOK, Body: encode(map[string]any{"data": t.account.outbound(id(nth), m, "queued", "", t.now())})}
}

func encode(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err) // it has texts and numbers only
	}
	return string(raw)
}
