package telnyx_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/telnyx"
	"github.com/rechargeflow/rechargeflow/pkg/sms/telnyx/telnyxtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const address = "https://hooks.acme.test/callbacks/acme/telnyx"

func options(api string) telnyx.Options {
	return telnyx.Options{URL: api, APIKey: telnyxtest.SampleAccount().APIKey, CallbackURL: address, Now: smstest.Moment}
}

func driver(t *testing.T, o telnyx.Options) *telnyx.Driver {
	t.Helper()
	d, err := telnyx.New(o)
	require.NoError(t, err)
	return d
}

func TestSuite(t *testing.T) {
	account := telnyxtest.SampleAccount()
	const messages, general = "https://developers.telnyx.com/docs/messaging/messages/error-codes/index", "https://developers.telnyx.com/development/api-fundamentals/api-errors"
	smstest.Suite(t, smstest.Subject{
		Abilities: telnyx.Abilities(), Secrets: []string{account.APIKey},
		Start: func(now func() time.Time) (smstest.Simulator, string) {
			s := telnyxtest.New(account, now)
			return s, s.URL
		},
		New: func(address string, timeout time.Duration, now func() time.Time) (sms.Driver, error) {
			o := options(address)
			o.Timeout, o.Now = timeout, now
			return telnyx.New(o)
		},
		Answers: []smstest.Case{
			{Name: "opted out", Source: messages, On: telnyxtest.Refusal(400, "40300", "Blocked due to STOP message"), Class: sms.OptedOut, Code: "telnyx_40300"},
			{Name: "opted out, with 403", Source: messages, On: telnyxtest.Refusal(403, "40300", "Blocked due to STOP message"), Class: sms.OptedOut, Code: "telnyx_40300"},
			{Name: "landline", Source: messages, On: telnyxtest.Refusal(400, "40001", "Not routable"), Class: sms.Rejected, Code: "telnyx_40001"},
			{Name: "sender of another account", Source: messages, On: telnyxtest.Refusal(400, "40305", "Invalid 'from' address"), Class: sms.Config, Code: "telnyx_40305"},
			{Name: "wrong key", Source: general, On: telnyxtest.Refusal(401, "10009", "Authentication failed"), Class: sms.Config, Code: "telnyx_10009"},
			{Name: "account not allowed", Source: general, On: telnyxtest.Refusal(403, "10010", "Authorization failed"), Class: sms.Config, Code: "telnyx_10010"},
			{Name: "account not verified", Source: "https://telnyx.com/upgrade", On: telnyxtest.Refusal(400, "10039", "Only pre-verified destinations"), Class: sms.Config, Code: "telnyx_10039"},
			{Name: "too many requests", Source: general, On: telnyxtest.Refusal(429, "10011", "Too many requests"), Class: sms.NotSent, Code: "telnyx_10011"},
			{Name: "of the text or of all: not in the table", Source: general, On: telnyxtest.Refusal(422, "49999", "new"), Class: sms.Forbidden, Code: "telnyx_49999"},
			{Name: "400 without errors", Source: "a proxy", On: smstest.Behaviour{Status: 400, Body: `{"errors":[]}`}, Class: sms.Forbidden, Code: "http_400"},
			{Name: "code that is none", Source: "a proxy", On: telnyxtest.Refusal(400, "drop table", "?"), Class: sms.Forbidden, Code: "http_400"},
			{Name: "5xx with the code of a refusal", Source: "a proxy", On: telnyxtest.Refusal(500, "40300", "?"), Class: sms.Unknown, Code: "http_500"},
		},
	})
}

// What the driver and the simulator disagree on is a refusal with Telnyx's code.
func TestSimulatorRefuses(t *testing.T) {
	s := telnyxtest.New(telnyxtest.SampleAccount(), smstest.Moment)
	defer s.Close()
	for name, tt := range map[string]struct {
		options func(*telnyx.Options)
		text    func(*sms.Message)
		code    string
	}{
		"wrong key":            {func(o *telnyx.Options) { o.APIKey = "other" }, func(*sms.Message) {}, "telnyx_10009"},
		"no sender":            {func(*telnyx.Options) {}, func(m *sms.Message) { m.From = "" }, "telnyx_10004"},
		"not our number":       {func(*telnyx.Options) {}, func(m *sms.Message) { m.From = "+15005550007" }, "telnyx_40305"},
		"not our profile":      {func(o *telnyx.Options) { o.ProfileID = "other" }, func(*sms.Message) {}, "telnyx_10006"},
		"no text":              {func(*telnyx.Options) {}, func(m *sms.Message) { m.Body = "" }, "telnyx_10004"},
		"too long":             {func(*telnyx.Options) {}, func(m *sms.Message) { m.Body = strings.Repeat("é", 1601) }, "telnyx_40009"},
		"number without a +":   {func(*telnyx.Options) {}, func(m *sms.Message) { m.To = "14155552671" }, "telnyx_10016"},
		"accepted at its most": {func(*telnyx.Options) {}, func(m *sms.Message) { m.Body = strings.Repeat("é", 1600) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o, m := options(s.URL), smstest.SampleText()
			tt.options(&o)
			tt.text(&m)
			_, err := driver(t, o).Send(t.Context(), m)
			if tt.code == "" {
				require.NoError(t, err)
				return
			}
			var e *sms.SendError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, tt.code, e.Code)
		})
	}
}

// The request is Telnyx's, field by field.
func TestRequest(t *testing.T) {
	var got strings.Builder
	var fields map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fields = map[string]any{}
		_ = json.NewDecoder(r.Body).Decode(&fields) // the test looks at it
		fmt.Fprintf(&got, "%s %s\n", r.Method, r.URL.RequestURI())
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			if !slices.Contains([]string{"Content-Length", "Accept-Encoding", "Connection"}, name) {
				fmt.Fprintf(&got, "%s: %s\n", name, r.Header.Get(name))
			}
		}
		_, _ = w.Write([]byte(`{"data":{"id":"40385f64"}}`))
	}))
	defer server.Close()
	o := options(server.URL)
	o.ProfileID = telnyxtest.SampleAccount().Profiles[0]
	receipt, err := driver(t, o).Send(t.Context(), smstest.SampleText())
	require.NoError(t, err)
	assert.Equal(t, "40385f64", receipt.ProviderID)
	got.WriteString("\n")
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(&got, "%s=%v\n", name, fields[name])
	}
	want, err := os.ReadFile("testdata/request.txt")
	require.NoError(t, err)
	assert.Equal(t, string(want), got.String())

	published, err := os.ReadFile("testdata/send_message.txt")
	require.NoError(t, err)
	known := 0
	for line := range strings.Lines(string(published)) {
		words := strings.Fields(line)
		if words[0] == "#" {
			continue
		}
		value, sent := fields[words[0]]
		assert.True(t, sent || len(words) == 3, "%s is required", words[0])
		if sent {
			known++
			assert.Regexp(t, words[2], value, words[0])
		}
	}
	assert.Len(t, fields, known, "each field is published")

	_, err = driver(t, telnyx.Options{URL: server.URL, APIKey: "k"}).Send(t.Context(), sms.Message{To: "+14155552671", Body: "hi"})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"to": "+14155552671", "text": "hi", "type": "SMS"}, fields, "what is not set is not sent")
}

func TestNewChecksOptions(t *testing.T) {
	for want, change := range map[string]func(*telnyx.Options){
		"url must be an absolute":          func(o *telnyx.Options) { o.URL = "api.telnyx.com" },
		"the API key is missing":           func(o *telnyx.Options) { o.APIKey = "" },
		"callback url must be an absolute": func(o *telnyx.Options) { o.CallbackURL = "hooks.acme.test" },
		"the timeout is negative":          func(o *telnyx.Options) { o.Timeout = -1 },
	} {
		o := options("https://api.telnyx.com")
		change(&o)
		_, err := telnyx.New(o)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "KEY0123456789")
	}
	_, err := telnyx.New(options(""))
	require.NoError(t, err, "the address of Telnyx is the default")
}
