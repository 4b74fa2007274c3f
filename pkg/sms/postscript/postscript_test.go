package postscript_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/postscript"
	"github.com/rechargeflow/rechargeflow/pkg/sms/postscript/postscripttest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func driver(t *testing.T, o postscript.Options) *postscript.Driver {
	t.Helper()
	d, err := postscript.New(o)
	require.NoError(t, err)
	return d
}

func TestSuite(t *testing.T) {
	const reference, limits = "https://developers.postscript.io/reference/create-custom-event", "https://developers.postscript.io/docs/rate-limits"
	for partner, secrets := range map[string][]string{"": {postscripttest.Key}, postscripttest.PartnerKey: {postscripttest.Key, postscripttest.PartnerKey}} {
		t.Run("partner "+partner, func(t *testing.T) {
			smstest.Suite(t, smstest.Subject{
				Abilities: postscript.Abilities(), Secrets: secrets,
				Start: func(func() time.Time) (smstest.Simulator, string) {
					s := postscripttest.New()
					return s, s.URL
				},
				New: func(address string, timeout time.Duration, now func() time.Time) (sms.Driver, error) {
					return postscript.New(postscript.Options{URL: address, APIKey: postscripttest.Key, PartnerKey: partner, Timeout: timeout, Now: now})
				},
				Answers: []smstest.Case{
					{Name: "invalid, of the event or of all", Source: reference, On: postscripttest.Invalid(), Class: sms.Forbidden, Code: "http_400"},
					{Name: "wrong key", Source: "https://github.com/api-evangelist/postscript", On: postscripttest.Unauthorized(), Class: sms.Config, Code: "http_401"},
					{Name: "too many requests", Source: limits, On: smstest.TooManyRequests(), Class: sms.NotSent, Code: "postscript_3002"},
					{Name: "a code that is new", Source: limits, On: refusal(403, `{"error_code":4001,"error_message":"?","success":false}`), Class: sms.Forbidden, Code: "postscript_4001"},
					{Name: "a code of another type", Source: "a proxy", On: refusal(400, `{"error_code":"3002"}`), Class: sms.Forbidden, Code: "http_400"},
					{Name: "an endless code", Source: "a proxy", On: refusal(400, `{"error_code":99999999}`), Class: sms.Forbidden, Code: "http_400"},
					{Name: "503 with a code", Source: "a proxy", On: refusal(503, `{"error_code":3002}`), Class: sms.Unknown, Code: "http_503"},
					{Name: "somebody who is no subscriber", Source: reference, On: smstest.Behaviour{Status: 202, Body: `{"event_ids": []}`}},
				},
			})
		})
	}
}

func refusal(status int, body string) smstest.Behaviour {
	return smstest.Behaviour{Status: status, Body: body}
}

// The request is Postscript's, field by field.
func TestRequest(t *testing.T) {
	start := func(address string) (sms.Driver, error) {
		return postscript.New(postscript.Options{URL: address + "/", APIKey: postscripttest.Key})
	}
	written, body := smstest.JSONRequest(t, start, smstest.SampleTrigger())
	want, err := os.ReadFile("testdata/request.txt")
	require.NoError(t, err)
	assert.Equal(t, string(want), written)
	smstest.AssertSpecified(t, "testdata/create_event.txt", body)

	m := sms.Message{SendKey: "1", Flow: "charge_paid", Email: "jo@example.com", Values: &sms.Values{}}
	_, body = smstest.JSONRequest(t, start, m)
	smstest.AssertSpecified(t, "testdata/create_event.txt", body)
	assert.JSONEq(t, `{"type":"Recharge_charge_paid","email":"jo@example.com","properties":{},"external_id":"1"}`, string(body), "what is not known is not sent")

	m.Values.OccurredAt = time.Date(2026, 5, 4, 2, 3, 4, 567_890_123, time.FixedZone("", -7*60*60))
	_, body = smstest.JSONRequest(t, start, m)
	assert.Contains(t, string(body), `"occurred_at":"2026-05-04 09:03:04.567890"`)
}

// The id of an event is Postscript's.
func TestReceipt(t *testing.T) {
	s := postscripttest.New()
	t.Cleanup(s.Close)
	receipt, err := driver(t, postscript.Options{URL: s.URL, APIKey: postscripttest.Key}).Send(t.Context(), smstest.SampleTrigger())
	require.NoError(t, err)
	assert.Equal(t, "0000-abcd-0001", receipt.ProviderID)
}

// What the driver and the simulator disagree on is a refusal.
func TestSimulatorRefuses(t *testing.T) {
	s := postscripttest.New()
	t.Cleanup(s.Close)
	for name, tt := range map[string]struct {
		options func(*postscript.Options)
		trigger func(*sms.Message)
		code    string
	}{
		"wrong key":                     {func(o *postscript.Options) { o.APIKey = "sk_other" }, nil, "http_401"},
		"wrong key of a partner":        {func(o *postscript.Options) { o.PartnerKey = "sk_partner_other" }, nil, "http_401"},
		"a partner for another shop":    {func(o *postscript.Options) { o.APIKey, o.PartnerKey = "sk_other", postscripttest.PartnerKey }, nil, "http_401"},
		"another path":                  {func(o *postscript.Options) { o.URL += "/v1" }, nil, "http_404"},
		"nobody":                        {nil, func(m *sms.Message) { m.To, m.Email = "", "" }, "http_400"},
		"a flow that is no name":        {nil, func(m *sms.Message) { m.Flow = "charge-failed" }, "http_400"},
		"number alone":                  {nil, func(m *sms.Message) { m.Email = "" }, ""},
		"e-mail alone":                  {nil, func(m *sms.Message) { m.To = "" }, ""},
		"a text: the driver takes none": {nil, func(m *sms.Message) { m.Values = nil }, "bad_request"},
	} {
		t.Run(name, func(t *testing.T) {
			o, m := postscript.Options{URL: s.URL, APIKey: postscripttest.Key}, smstest.SampleTrigger()
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
	assert.Len(t, s.Texts(), 2)
	assert.Equal(t, 8, s.Requests())
}

func TestNewChecksOptions(t *testing.T) {
	for want, change := range map[string]func(*postscript.Options){
		"url must be an absolute": func(o *postscript.Options) { o.URL = "api.postscript.io" },
		"key of the shop is":      func(o *postscript.Options) { o.APIKey = "" },
		"public one of the shop":  func(o *postscript.Options) { o.APIKey = "pk_1" },
		"the timeout is negative": func(o *postscript.Options) { o.Timeout = -1 },
	} {
		o := postscript.Options{APIKey: postscripttest.Key, PartnerKey: postscripttest.PartnerKey}
		change(&o)
		_, err := postscript.New(o)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), postscripttest.Key)
	}
	driver(t, postscript.Options{APIKey: postscripttest.Key})
}
