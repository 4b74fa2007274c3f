package klaviyo_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/klaviyo"
	"github.com/rechargeflow/rechargeflow/pkg/sms/klaviyo/klaviyotest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func driver(t *testing.T, o klaviyo.Options) *klaviyo.Driver {
	t.Helper()
	d, err := klaviyo.New(o)
	require.NoError(t, err)
	return d
}

func simulator(t *testing.T) *klaviyotest.Klaviyo {
	t.Helper()
	s := klaviyotest.New(smstest.Moment)
	t.Cleanup(s.Close)
	return s
}

func TestSuite(t *testing.T) {
	const errors = "https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling"
	smstest.Suite(t, smstest.Subject{
		Abilities: klaviyo.Abilities(), Secrets: []string{klaviyotest.Key},
		Start: func(now func() time.Time) (smstest.Simulator, string) {
			s := klaviyotest.New(now)
			return s, s.URL
		},
		New: func(address string, timeout time.Duration, now func() time.Time) (sms.Driver, error) {
			return klaviyo.New(klaviyo.Options{URL: address, APIKey: klaviyotest.Key, Timeout: timeout, Now: now})
		},
		Answers: []smstest.Case{
			{Name: "no key", Source: errors, On: klaviyotest.NotAuthenticated(), Class: sms.Config, Code: "klaviyo_not_authenticated"},
			{Name: "wrong key", Source: "https://github.com/trufflesecurity/trufflehog/pull/1870", On: klaviyotest.WrongKey(), Class: sms.Config, Code: "klaviyo_authentication_failed"},
			{Name: "no scope", Source: "https://github.com/segment-boneyard/segment-docs/pull/6758", On: klaviyotest.NoScope(), Class: sms.Config, Code: "klaviyo_permission_denied"},
			{Name: "throttled", Source: "https://github.com/klaviyo/klaviyo-api-node/issues/66", On: klaviyotest.Throttled(), Class: sms.NotSent, Code: "klaviyo_throttled"},
			{
				Name: "invalid number", Source: "https://community.klaviyo.com/developer-group-64/api-validation-improvements-for-phone-number-handling-18034",
				On: klaviyotest.InvalidNumber(), Class: sms.Rejected, Code: "klaviyo_invalid_profile",
			},
			{Name: "invalid, of the event or of all", Source: errors, On: klaviyotest.Invalid("?", "/data/attributes/metric"), Class: sms.Forbidden, Code: "klaviyo_invalid"},
			{Name: "number and more", Source: errors, On: several(), Class: sms.Forbidden, Code: "klaviyo_invalid"},
			{Name: "revision retired", Source: errors, On: klaviyotest.Refusal(410, "gone", "?", "?", ""), Class: sms.Config, Code: "http_410"},
			{Name: "a code that is new", Source: errors, On: klaviyotest.Refusal(400, "new", "?", "?", ""), Class: sms.Forbidden, Code: "http_400"},
			{Name: "errors without one", Source: "a proxy", On: smstest.Behaviour{Status: 422, Body: `{"errors":[]}`}, Class: sms.Forbidden, Code: "http_422"},
			{Name: "errors of another type", Source: "a proxy", On: smstest.Behaviour{Status: 400, Body: `{"errors":"invalid"}`}, Class: sms.Forbidden, Code: "http_400"},
			{Name: "503 with the code of a refusal", Source: "a proxy", On: klaviyotest.Refusal(503, "invalid", "?", "?", ""), Class: sms.Unknown, Code: "http_503"},
		},
	})
}

// several is the refusal of an event whose number is not the only thing that is wrong.
func several() smstest.Behaviour {
	b := klaviyotest.InvalidNumber()
	b.Body = strings.Replace(b.Body, `"errors":[`, `"errors":[{"code":"invalid","source":{"pointer":"/data/attributes/time"}},`, 1)
	return b
}

// Klaviyo says in words when it takes requests again, where it sends no Retry-After.
func TestRetryAfter(t *testing.T) {
	s := simulator(t)
	d := driver(t, klaviyo.Options{URL: s.URL, APIKey: klaviyotest.Key})
	header := klaviyotest.Throttled()
	header.RetryAfter = 3 * time.Second
	for _, tt := range []struct {
		on   smstest.Behaviour
		want time.Duration
	}{
		{klaviyotest.Throttled(), 12 * time.Second},
		{header, 3 * time.Second},
		{klaviyotest.Refusal(429, "throttled", "?", "Expected available in 56.0 seconds.", ""), 56 * time.Second},
		{klaviyotest.Refusal(429, "throttled", "?", "Expected available in 1 second.", ""), time.Second},
		{klaviyotest.Refusal(429, "throttled", "?", "Expected available in 9999 seconds.", ""), time.Minute},
		{klaviyotest.Refusal(429, "throttled", "?", "Later.", ""), 0},
	} {
		s.Next(1, tt.on)
		_, err := d.Send(t.Context(), smstest.SampleTrigger())
		var e *sms.SendError
		require.ErrorAs(t, err, &e)
		assert.Equal(t, tt.want, e.RetryAfter, tt.on.Body)
	}
}

// The request is Klaviyo's, field by field.
func TestRequest(t *testing.T) {
	start := func(address string) (sms.Driver, error) {
		return klaviyo.New(klaviyo.Options{URL: address + "/", APIKey: klaviyotest.Key})
	}
	m := smstest.SampleTrigger()
	m.Values.Variables["charge.currency"] = "USD"
	written, body := smstest.JSONRequest(t, start, m)
	want, err := os.ReadFile("testdata/request.txt")
	require.NoError(t, err)
	assert.Equal(t, string(want), written)
	smstest.AssertSpecified(t, "testdata/create_event.txt", body)

	_, body = smstest.JSONRequest(t, start, sms.Message{SendKey: "1", Flow: "charge_paid", Email: "jo@example.com", Values: &sms.Values{}})
	smstest.AssertSpecified(t, "testdata/create_event.txt", body)
	assert.JSONEq(t, `{"data":{"type":"event","attributes":{"unique_id":"1","properties":{},
		"metric":{"data":{"type":"metric","attributes":{"name":"Recharge charge_paid"}}},
		"profile":{"data":{"type":"profile","attributes":{"email":"jo@example.com"}}}}}}`, string(body), "what is not known is not sent")
}

// A total is a value if it is a number with a currency.
func TestValue(t *testing.T) {
	s := simulator(t)
	d := driver(t, klaviyo.Options{URL: s.URL, APIKey: klaviyotest.Key})
	for _, tt := range []struct{ total, currency, value string }{
		{"34.50", "USD", "34.50 USD"}, {"0", "JPY", "0 JPY"}, {"34.50", "", " "}, {"1,249.90", "USD", " "}, {"007", "USD", " "}, {"", "USD", " "}, {"34.50", "usd", " "},
	} {
		m := smstest.SampleTrigger()
		m.SendKey, m.Values.Variables = tt.total+tt.currency, map[string]string{"charge.total": tt.total, "charge.currency": tt.currency}
		_, err := d.Send(t.Context(), m)
		require.NoError(t, err)
		events := s.Texts()
		last := events[len(events)-1]
		assert.Equal(t, tt.value, last.Value.String()+" "+last.ValueCurrency, tt.total)
	}
}

// What the driver and the simulator disagree on is a refusal with Klaviyo's code.
func TestSimulatorRefuses(t *testing.T) {
	s := simulator(t)
	for name, tt := range map[string]struct {
		options func(*klaviyo.Options)
		trigger func(*sms.Message)
		code    string
	}{
		"wrong key":                      {func(o *klaviyo.Options) { o.APIKey = "pk_other" }, nil, "klaviyo_authentication_failed"},
		"another revision":               {func(o *klaviyo.Options) { o.Revision = "2020-01-15" }, nil, "klaviyo_invalid"},
		"another path":                   {func(o *klaviyo.Options) { o.URL += "/v1" }, nil, "http_404"},
		"nobody":                         {nil, func(m *sms.Message) { m.To, m.Email = "", "" }, "klaviyo_invalid"},
		"wrong number alone":             {nil, func(m *sms.Message) { m.To, m.Email = "4155552671", "" }, "klaviyo_invalid_profile"},
		"wrong number and an e-mail":     {nil, func(m *sms.Message) { m.To = "4155552671" }, ""},
		"number alone":                   {nil, func(m *sms.Message) { m.Email = "" }, ""},
		"happened in two years":          {nil, func(m *sms.Message) { m.Values.OccurredAt = smstest.Moment().AddDate(2, 0, 0) }, "klaviyo_invalid"},
		"a flow with a very long name":   {nil, func(m *sms.Message) { m.Flow = strings.Repeat("x", 120) }, "klaviyo_invalid"},
		"a text: the driver takes none":  {nil, func(m *sms.Message) { m.Values = nil }, "bad_request"},
		"the longest name that it takes": {nil, func(m *sms.Message) { m.Flow = strings.Repeat("x", 118) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o, m := klaviyo.Options{URL: s.URL, APIKey: klaviyotest.Key}, smstest.SampleTrigger()
			if tt.options != nil {
				tt.options(&o)
			}
			if tt.trigger != nil {
				tt.trigger(&m)
			}
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

// The events of two flows, and of two texts of one flow, are events of their own.
func TestDeduplicates(t *testing.T) {
	s := simulator(t)
	d := driver(t, klaviyo.Options{URL: s.URL, APIKey: klaviyotest.Key, Timeout: 300 * time.Millisecond})
	first, second, other := smstest.SampleTrigger(), smstest.SampleTrigger(), smstest.SampleTrigger()
	second.SendKey, other.Flow = strings.Repeat("cd", 32), "charge_failed"
	s.Next(1, smstest.Behaviour{Accept: true, Status: http.StatusBadGateway})
	_, err := d.Send(t.Context(), first)
	require.Error(t, err)
	for _, m := range []sms.Message{first, second, other, first} {
		_, err := d.Send(t.Context(), m)
		require.NoError(t, err)
	}
	events := s.Texts()
	require.Len(t, events, 3)
	assert.Equal(t, 5, s.Requests())
	assert.Equal(t, "Recharge charge_failed", events[2].Metric)
}

func TestNewChecksOptions(t *testing.T) {
	for want, change := range map[string]func(*klaviyo.Options){
		"url must be an absolute": func(o *klaviyo.Options) { o.URL = "a.klaviyo.com" },
		"private key is missing":  func(o *klaviyo.Options) { o.APIKey = "" },
		"revision is a date":      func(o *klaviyo.Options) { o.Revision = "v3" },
		"the timeout is negative": func(o *klaviyo.Options) { o.Timeout = -1 },
	} {
		o := klaviyo.Options{APIKey: klaviyotest.Key}
		change(&o)
		_, err := klaviyo.New(o)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), klaviyotest.Key)
	}
	driver(t, klaviyo.Options{APIKey: klaviyotest.Key, Revision: "2026-07-15.pre"})
	assert.Equal(t, klaviyotest.Revision, klaviyo.DefaultRevision)
}
