package story_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/attentive"
	"github.com/rechargeflow/rechargeflow/pkg/sms/attentive/attentivetest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/klaviyo"
	"github.com/rechargeflow/rechargeflow/pkg/sms/klaviyo/klaviyotest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/logdriver"
	"github.com/rechargeflow/rechargeflow/pkg/sms/postscript"
	"github.com/rechargeflow/rechargeflow/pkg/sms/postscript/postscripttest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/telnyx"
	"github.com/rechargeflow/rechargeflow/pkg/sms/telnyx/telnyxtest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/twilio"
	"github.com/rechargeflow/rechargeflow/pkg/sms/twilio/twiliotest"
	webhookdriver "github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
)

// provider is a driver, and the simulator of its provider.
type provider struct {
	name      string // of its store
	abilities sms.Abilities
	simulator simulator // nil for a driver that calls nobody
	key       string    // the credential of the store
	settings  func(key string) string
	wrongKey  string // the code of a refusal because of the key
	sent      func() []sent
	// refusals are the provider's own answers to texts that it does not accept.
	refusals  []mishap
	callbacks *callbacks // nil for a provider without any
}

type simulator interface {
	smstest.Simulator
	ForNumber(to string, b smstest.Behaviour)
}

// sent is a text, or an event, that a provider has.
type sent struct {
	to, email  string
	id         string            // of the text, as the provider got it
	body       string            // of a text; the name of an event
	properties map[string]string // of an event
	callback   string            // the address of its reports, if the provider got one
}

// callbackURL is sms.callback_url.
const callbackURL = "https://hooks.acme.example"

// own returns the settings of a driver with a block of its own.
func own(driver string, lines ...string) func(key string) string {
	return func(key string) string {
		return "driver: " + driver + "\n" + fmt.Sprintf(strings.Join(lines, "\n"), key)
	}
}

// providers starts the simulator of each. log returns the log of the processes.
func providers(t *testing.T, log func() string) []*provider {
	t.Helper()
	all := []*provider{
		dryRun("log-text", "text", log), dryRun("log-trigger", "trigger", log), gateway("webhook-text", "text"), gateway("webhook-trigger", "trigger"), twilioProvider(), telnyxProvider(),
		klaviyoProvider(), postscriptProvider(), attentiveProvider(),
	}
	for _, p := range all {
		if p.simulator != nil {
			t.Cleanup(p.simulator.Close)
		}
	}
	return all
}

// dryRun is the driver log. A line of its log has a masked number, so the product says whose text it is.
func dryRun(name, mode string, log func() string) *provider {
	product := regexp.MustCompile(`Coffee ([0-9]+)`)
	return &provider{name: name, abilities: logdriver.Abilities(), settings: own("log", "mode: "+mode+"%.0s"), sent: func() (all []sent) {
		for line := range strings.Lines(log()) {
			var logged struct {
				Message   string            `json:"msg"`
				Store     string            `json:"store"`
				SendKey   string            `json:"send_key"`
				Text      string            `json:"text"`
				Variables map[string]string `json:"variables"`
			}
			if json.Unmarshal([]byte(line), &logged) != nil || logged.Message != mode+" not sent: dry run" || logged.Store != name {
				continue
			}
			one := sent{id: logged.SendKey, body: logged.Text, properties: logged.Variables}
			if mode == "trigger" {
				one.body = "Recharge subscription_started"
			}
			id := product.FindStringSubmatch(logged.Text + logged.Variables["product_title"])[1]
			one.to, one.body = phonePrefix+id, strings.ReplaceAll(one.body, "***", portalHash(id))
			if link, masked := one.properties["portal_url"]; masked {
				one.properties["portal_url"] = strings.ReplaceAll(link, "***", portalHash(id))
			}
			all = append(all, one)
		}
		return all
	}}
}

// gateway is the driver webhook.
func gateway(name, mode string) *provider {
	const secret = "secret-of-the-gateway"
	s := smstest.New(secret, time.Now)
	return &provider{
		name: name, abilities: webhookdriver.Abilities(), simulator: s, key: secret, wrongKey: "http_401",
		settings: own("webhook", "mode: "+mode, `webhook: {url: "`+s.URL+`", secret: %q}`),
		sent: func() (all []sent) {
			for _, text := range s.Texts() {
				one := sent{to: text.To, email: text.Email, id: text.ID, body: text.Body, properties: text.Variables}
				if mode == "trigger" {
					one.body = "Recharge " + text.Flow
				}
				all = append(all, one)
			}
			return all
		},
		refusals: []mishap{
			rateLimited("http_429", smstest.TooManyRequestsUntil(2*time.Second)),
			refusedForGood("http_422", smstest.Behaviour{Status: http.StatusUnprocessableEntity, Body: `{"message":"no mobile number"}`}),
			refusedSlowly("http_403", smstest.Blocked()),
		},
		callbacks: gatewayCallbacks(name, secret, mode == "text"),
	}
}

func twilioProvider() *provider {
	account := twiliotest.SampleAccount()
	s := twiliotest.New(account, time.Now)
	return &provider{
		name: "twilio", abilities: twilio.Abilities(), simulator: s, key: account.AuthToken, wrongKey: "twilio_20003",
		settings: own("twilio", "from: '"+account.From[0]+"'", "callback_url: "+callbackURL,
			`twilio: {api_url: "`+s.URL+`", account_sid: `+account.SID+`, auth_token: %q}`),
		sent: func() (all []sent) {
			for _, m := range s.Texts() {
				all = append(all, sent{to: m.Params.Get("To"), body: m.Params.Get("Body"), callback: m.Params.Get("StatusCallback"), id: textOf(m.Params.Get("StatusCallback"))})
			}
			return all
		},
		refusals: []mishap{
			rateLimited("twilio_20429", retryAfter(smstest.Overloaded())),
			refusedForGood("twilio_21211", twiliotest.InvalidTo()), optedOutThere("twilio_21610", twiliotest.OptedOut()),
			refusedSlowly("twilio_29999", twiliotest.Refusal(http.StatusBadRequest, 29999, "A code that is not known")),
		},
		callbacks: twilioCallbacks(account),
	}
}

func telnyxProvider() *provider {
	account := telnyxtest.SampleAccount()
	s := telnyxtest.New(account, time.Now)
	return &provider{
		name: "telnyx", abilities: telnyx.Abilities(), simulator: s, key: account.APIKey, wrongKey: "telnyx_10009",
		settings: own("telnyx", "from: '"+account.From[0]+"'", "callback_url: "+callbackURL,
			`telnyx: {api_url: "`+s.URL+`", public_key: "`+account.PublicKey()+`", api_key: %q}`),
		sent: func() (all []sent) {
			for _, m := range s.Texts() {
				all = append(all, sent{to: m.To, body: m.Text, callback: m.WebhookURL, id: textOf(m.WebhookURL)})
			}
			return all
		},
		refusals: []mishap{
			rateLimited("telnyx_10011", retryAfter(telnyxtest.Refusal(http.StatusTooManyRequests, "10011", "Too many requests"))),
			refusedForGood("telnyx_40012", telnyxtest.Refusal(http.StatusBadRequest, "40012", "Invalid number")),
			optedOutThere("telnyx_40300", telnyxtest.Refusal(http.StatusBadRequest, "40300", "Blocked due to STOP message")),
			refusedSlowly("telnyx_49999", telnyxtest.Refusal(http.StatusBadRequest, "49999", "A code that is not known")),
		},
		callbacks: telnyxCallbacks(account),
	}
}

func klaviyoProvider() *provider {
	s := klaviyotest.New(time.Now)
	return &provider{
		name: "klaviyo", abilities: klaviyo.Abilities(), simulator: s, key: klaviyotest.Key, wrongKey: "klaviyo_authentication_failed",
		settings: own("klaviyo", `klaviyo: {api_url: "`+s.URL+`", api_key: %q}`),
		sent: func() (all []sent) {
			for _, e := range s.Texts() {
				all = append(all, sent{to: e.PhoneNumber, email: e.Email, id: e.UniqueID, body: e.Metric, properties: texts(e.Properties)})
			}
			return all
		},
		refusals: []mishap{
			rateLimited("klaviyo_throttled", klaviyotest.Refusal(http.StatusTooManyRequests, "throttled", "Request was throttled.",
				"Request was throttled. Expected available in 2 seconds.", "/data/")),
			refusedForGood("klaviyo_invalid_profile", klaviyotest.InvalidNumber()),
			refusedSlowly("klaviyo_invalid", klaviyotest.Invalid("An event has at most 400 properties.", "/data/attributes/properties")),
		},
	}
}

func postscriptProvider() *provider {
	s := postscripttest.New()
	return &provider{
		name: "postscript", abilities: postscript.Abilities(), simulator: s, key: postscripttest.Key, wrongKey: "http_401",
		settings: own("postscript", `postscript: {api_url: "`+s.URL+`", api_key: %q}`),
		sent: func() (all []sent) {
			for _, e := range s.Texts() {
				all = append(all, sent{to: e.Phone, email: e.Email, id: e.ExternalID, body: strings.Replace(e.Type, "_", " ", 1), properties: texts(e.Properties)})
			}
			return all
		},
		refusals: []mishap{
			rateLimited("postscript_3002", retryAfter(smstest.TooManyRequests())), refusedSlowly("http_400", postscripttest.Invalid()),
		},
	}
}

func attentiveProvider() *provider {
	s := attentivetest.New(time.Now)
	return &provider{
		name: "attentive", abilities: attentive.Abilities(), simulator: s, key: attentivetest.Key, wrongKey: "http_401",
		settings: own("attentive", `attentive: {api_url: "`+s.URL+`", api_key: %q}`),
		sent: func() (all []sent) {
			for _, e := range s.Texts() {
				all = append(all, sent{to: e.User.Phone, email: e.User.Email, id: e.ExternalEventID, body: e.Type, properties: texts(e.Properties)})
			}
			return all
		},
		refusals: []mishap{
			rateLimited("http_429", retryAfter(attentivetest.TooManyRequests())),
			refusedSlowly("http_400", attentivetest.Refusal(http.StatusBadRequest, "Invalid parameter")),
		},
	}
}

// textOf returns the id of the text that an address of reports is about.
func textOf(callback string) string {
	u, err := url.Parse(callback)
	if err != nil {
		panic(err) // the simulator has checked it
	}
	return u.Query().Get("text")
}

// retryAfter returns an answer that says how long to wait.
func retryAfter(b smstest.Behaviour) smstest.Behaviour {
	b.RetryAfter = 2 * time.Second
	return b
}

// texts returns properties, all of which are texts.
func texts(properties map[string]any) map[string]string {
	all := map[string]string{}
	for name, value := range properties {
		all[name] = fmt.Sprint(value)
	}
	return all
}

// The story has every driver of docs/sms-providers.md, whose table a test of app compares with the configuration.
func TestEveryDriverHasARow(t *testing.T) {
	page, err := os.ReadFile("../../docs/sms-providers.md")
	require.NoError(t, err)
	var settings strings.Builder
	for _, p := range providers(t, func() string { return "" }) {
		settings.WriteString(p.settings("key") + "\n")
	}
	rows := regexp.MustCompile("(?m)^\\| `([a-z]+)` \\| (?:yes|no) ").FindAllStringSubmatch(string(page), -1)
	require.NotEmpty(t, rows)
	for _, driver := range rows {
		require.Contains(t, settings.String(), "driver: "+driver[1]+"\n")
	}
}
