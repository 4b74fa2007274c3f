package twiliotest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

// Account is the account of the simulator.
type Account struct {
	SID, AuthToken    string
	APIKey, APISecret string // "" for an account without one
	// From are the numbers of the account, Services its messaging services.
	From, Services []string
}

// SampleAccount returns an account.
func SampleAccount() Account {
	return Account{
		SID: "AC" + strings.Repeat("0a", 16), AuthToken: "token-of-the-account", APIKey: "SK" + strings.Repeat("0b", 16), APISecret: "secret-of-the-key",
		From: []string{"+15005550006"}, Services: []string{"MG" + strings.Repeat("0c", 16)},
	}
}

// Message is a message as Twilio has it: its parameters, and what Twilio adds.
type Message struct {
	SID     string
	Params  url.Values
	Created time.Time
}

// Twilio is a running simulator.
type Twilio struct {
	*smstest.Server[Message]

	account Account
	now     func() time.Time
}

// New starts a simulator on a free port of the loopback interface. The caller closes it.
func New(account Account, now func() time.Time) *Twilio {
	t := &Twilio{account: account, now: now}
	t.Server = smstest.Serve(smstest.Protocol[Message]{
		Read: t.read, Number: func(m Message) string { return m.Params.Get("To") }, Answer: t.created, Other: t.list,
	})
	return t
}

// sid returns the SID of the nth message.
func sid(nth int) string { return fmt.Sprintf("SM%032x", nth) }

func (t *Twilio) path() string { return "/2010-04-01/Accounts/" + t.account.SID + "/Messages.json" }

// read checks the creation of a message (https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource).
func (t *Twilio) read(r *http.Request, body []byte) (Message, smstest.Behaviour, error) {
	form, refusal := t.check(r, body)
	if refusal.Status != 0 {
		return Message{}, refusal, errors.New(refusal.Body)
	}
	return Message{Params: form, Created: t.now()}, refusal, nil
}

func (t *Twilio) check(r *http.Request, body []byte) (url.Values, smstest.Behaviour) {
	if refusal, refused := t.authenticate(r); refused {
		return nil, refusal
	}
	if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		return nil, Refusal(http.StatusUnsupportedMediaType, 20415, "Unsupported Media Type")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, Refusal(http.StatusBadRequest, 20001, "Bad Request")
	}
	return form, t.checkForm(form)
}

func (t *Twilio) authenticate(r *http.Request) (smstest.Behaviour, bool) {
	user, password, _ := r.BasicAuth()
	byToken := user == t.account.SID && password == t.account.AuthToken
	byKey := t.account.APIKey != "" && user == t.account.APIKey && password == t.account.APISecret
	switch {
	case !byToken && !byKey:
		return BadCredentials(), true
	case r.URL.Path != t.path():
		return Refusal(http.StatusNotFound, 20404, "The requested resource was not found"), true
	}
	return smstest.Behaviour{}, false
}

// checkForm returns the refusal of a form, the zero value for none.
func (t *Twilio) checkForm(form url.Values) smstest.Behaviour {
	switch {
	case form.Get("To") == "":
		return Refusal(http.StatusBadRequest, 21604, "A 'To' phone number is required.")
	case !sms.IsE164(form.Get("To")):
		return InvalidTo()
	case form.Get("Body") == "":
		return Refusal(http.StatusBadRequest, 21602, "Message body is required.")
	case utf8.RuneCountInString(form.Get("Body")) > 1600:
		return Refusal(http.StatusBadRequest, 21617, "The concatenated message body exceeds the 1600 character limit")
	case form.Has("ValidityPeriod") && !isWithin(form.Get("ValidityPeriod"), 1, 36000):
		return Refusal(http.StatusBadRequest, 20001, "ValidityPeriod is out of range")
	case form.Has("StatusCallback") && !callable(form.Get("StatusCallback")):
		return Refusal(http.StatusBadRequest, 21609, "The 'StatusCallback' URL is not a valid URL.")
	}
	return t.checkSender(form.Get("From"), form.Get("MessagingServiceSid"))
}

func isWithin(text string, least, most int) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= least && n <= most
}

// callable reports whether Twilio calls an address: it has a host, without underscores.
func callable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && !strings.Contains(u.Host, "_")
}

func (t *Twilio) checkSender(from, service string) smstest.Behaviour {
	owns := func(list []string, one string) bool {
		return strings.Contains(" "+strings.Join(list, " ")+" ", " "+one+" ")
	}
	switch {
	case from == "" && service == "":
		return Refusal(http.StatusBadRequest, 21603, "A 'From' phone number is required.")
	case service != "" && !owns(t.account.Services, service):
		return Refusal(http.StatusBadRequest, 21705, "The Messaging Service Sid is invalid")
	case from != "" && !owns(t.account.From, from):
		return BadFrom()
	}
	return smstest.Behaviour{}
}

// resource is a message in an answer
// (https://github.com/twilio/twilio-go, rest/api/v2010/model_api_v2010_message.go).
type resource struct {
	SID                 string         `json:"sid"`
	AccountSID          string         `json:"account_sid"`
	MessagingServiceSID *string        `json:"messaging_service_sid"`
	To                  string         `json:"to"`
	From                *string        `json:"from"`
	Body                string         `json:"body"`
	Status              string         `json:"status"`
	Direction           string         `json:"direction"`
	NumSegments         string         `json:"num_segments"`
	NumMedia            string         `json:"num_media"`
	DateCreated         string         `json:"date_created"`
	DateUpdated         string         `json:"date_updated"`
	DateSent            *string        `json:"date_sent"`
	ErrorCode           *int           `json:"error_code"`
	ErrorMessage        *string        `json:"error_message"`
	APIVersion          string         `json:"api_version"`
	Price               *string        `json:"price"`
	PriceUnit           string         `json:"price_unit"`
	URI                 string         `json:"uri"`
	SubresourceURIs     map[string]any `json:"subresource_uris"`
}

func (t *Twilio) resource(m Message, nth int) resource {
	created := m.Created.UTC().Format(time.RFC1123Z)
	r := resource{
		SID: sid(nth), AccountSID: t.account.SID, To: m.Params.Get("To"), Body: m.Params.Get("Body"), Status: "queued", Direction: "outbound-api",
		NumSegments: "1", NumMedia: "0", DateCreated: created, DateUpdated: created, APIVersion: "2010-04-01", PriceUnit: "USD",
		URI: strings.TrimSuffix(t.path(), ".json") + "/" + sid(nth) + ".json", SubresourceURIs: map[string]any{},
	}
	if from := m.Params.Get("From"); from != "" {
		r.From = &from
	}
	if service := m.Params.Get("MessagingServiceSid"); service != "" {
		r.MessagingServiceSID, r.Status, r.NumSegments = &service, "accepted", "0"
	}
	return r
}

// created is the answer to a creation.
func (t *Twilio) created(m Message, nth int) smstest.Behaviour {
	return smstest.Behaviour{Status: http.StatusCreated, Body: encode(t.resource(m, nth))}
}

// list answers a request for the messages to a number, the newest first
// (https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources).
func (t *Twilio) list(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet {
		return false
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", t.now().UTC().Format(http.TimeFormat))
	if refusal, refused := t.authenticate(r); refused {
		w.WriteHeader(refusal.Status)
		_, _ = w.Write([]byte(refusal.Body)) // the caller may be gone
		return true
	}
	size, err := strconv.Atoi(r.URL.Query().Get("PageSize"))
	if err != nil || size < 1 || size > 1000 {
		size = 50
	}
	messages := []resource{}
	all := t.Texts()
	for nth := len(all); nth > 0 && len(messages) < size; nth-- {
		if m := all[nth-1]; m.Params.Get("To") == r.URL.Query().Get("To") {
			messages = append(messages, t.resource(m, nth))
		}
	}
	_, _ = w.Write([]byte(encode(map[string]any{"messages": messages, "page": 0, "page_size": size}))) // the caller may be gone
	return true
}

func encode(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err) // it has texts and numbers only
	}
	return string(raw)
}
