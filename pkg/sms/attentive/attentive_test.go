package attentive_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/attentive"
	"github.com/rechargeflow/rechargeflow/pkg/sms/attentive/attentivetest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func driver(t *testing.T, o attentive.Options) *attentive.Driver {
	t.Helper()
	d, err := attentive.New(o)
	require.NoError(t, err)
	return d
}

func simulator(t *testing.T) *attentivetest.Attentive {
	t.Helper()
	s := attentivetest.New(smstest.Moment)
	t.Cleanup(s.Close)
	return s
}

func TestSuite(t *testing.T) {
	const reference, limits = "https://docs.attentive.com/reference/postcustomevents", "https://docs.attentive.com/docs/api-rate-limits"
	smstest.Suite(t, smstest.Subject{
		Abilities: attentive.Abilities(), Secrets: []string{attentivetest.Key},
		Start: func(now func() time.Time) (smstest.Simulator, string) {
			s := attentivetest.New(now)
			return s, s.URL
		},
		New: func(address string, timeout time.Duration, now func() time.Time) (sms.Driver, error) {
			return attentive.New(attentive.Options{URL: address, APIKey: attentivetest.Key, Timeout: timeout, Now: now})
		},
		Answers: []smstest.Case{
			{Name: "invalid, of the event or of all", Source: reference, On: attentivetest.Refusal(400, "Invalid parameter"), Class: sms.Forbidden, Code: "http_400"},
			{Name: "wrong key", Source: reference, On: attentivetest.Refusal(401, "Unauthorized"), Class: sms.Config, Code: "http_401"},
			{Name: "no permission", Source: reference, On: attentivetest.Refusal(403, "Access Denied"), Class: sms.Forbidden, Code: "http_403"},
			{Name: "not found, of the event or of all", Source: reference, On: attentivetest.Refusal(404, "Not found"), Class: sms.Forbidden, Code: "http_404"},
			{Name: "too many requests", Source: limits, On: attentivetest.TooManyRequests(), Class: sms.NotSent, Code: "http_429"},
			{Name: "internal error", Source: reference, On: attentivetest.Refusal(500, "Internal Server Error"), Class: sms.Unknown, Code: "http_500"},
		},
	})
}

// The request is Attentive's, field by field.
func TestRequest(t *testing.T) {
	start := func(address string) (sms.Driver, error) {
		return attentive.New(attentive.Options{URL: address + "/", APIKey: attentivetest.Key, Now: smstest.Moment})
	}
	written, body := smstest.JSONRequest(t, start, smstest.SampleTrigger())
	want, err := os.ReadFile("testdata/request.txt")
	require.NoError(t, err)
	assert.Equal(t, string(want), written)
	smstest.AssertSpecified(t, "testdata/custom_event.txt", body)

	m := sms.Message{SendKey: "1", Flow: "charge_paid", Email: "jo@example.com", Values: &sms.Values{}}
	_, body = smstest.JSONRequest(t, start, m)
	smstest.AssertSpecified(t, "testdata/custom_event.txt", body)
	assert.JSONEq(t, `{"type":"Recharge charge_paid","user":{"email":"jo@example.com"},"properties":{},
		"externalEventId":"6b86b273-ff34-8ce1-9d6b-804eff5a3f57"}`, string(body), "what is not known is not sent")
}

// An event that would be too old counts as one of now. Attentive would accept it, and text nobody.
func TestOldEvents(t *testing.T) {
	s := simulator(t)
	d := driver(t, attentive.Options{URL: s.URL, APIKey: attentivetest.Key, Now: smstest.Moment})
	for _, tt := range []struct {
		age      time.Duration
		withTime bool
	}{
		{0, true}, {-time.Minute, true}, {11 * time.Hour, true}, {11*time.Hour + time.Second, false}, {12 * time.Hour, false}, {13 * time.Hour, false}, {72 * time.Hour, false},
	} {
		m := smstest.SampleTrigger()
		m.Values.OccurredAt = smstest.Moment().Add(-tt.age)
		_, err := d.Send(t.Context(), m)
		require.NoError(t, err)
		events := s.Texts()
		last := events[len(events)-1]
		assert.False(t, last.Mute, tt.age)
		assert.Equal(t, tt.withTime, last.OccurredAt != "", tt.age)
		if !tt.withTime {
			assert.Equal(t, m.Values.OccurredAt.Format(time.RFC3339), last.Properties["occurred_at"])
		}
	}
}

// The same text has the same id, and no other text has it.
func TestExternalID(t *testing.T) {
	s := simulator(t)
	d := driver(t, attentive.Options{URL: s.URL, APIKey: attentivetest.Key, Now: smstest.Moment})
	first, second := smstest.SampleTrigger(), smstest.SampleTrigger()
	second.SendKey = strings.Repeat("cd", 32)
	for _, m := range []sms.Message{first, second, first} {
		_, err := d.Send(t.Context(), m)
		require.NoError(t, err)
	}
	events := s.Texts()
	assert.Equal(t, events[0].ExternalEventID, events[2].ExternalEventID)
	assert.NotEqual(t, events[0].ExternalEventID, events[1].ExternalEventID)
}

// What the driver and the simulator disagree on is a refusal.
func TestSimulatorRefuses(t *testing.T) {
	s := simulator(t)
	for name, tt := range map[string]struct {
		options func(*attentive.Options)
		trigger func(*sms.Message)
		code    string
	}{
		"wrong key":                     {func(o *attentive.Options) { o.APIKey = "other" }, nil, "http_401"},
		"another path":                  {func(o *attentive.Options) { o.URL += "/v1" }, nil, "http_404"},
		"nobody":                        {nil, func(m *sms.Message) { m.To, m.Email = "", "" }, "http_400"},
		"number that is none":           {nil, func(m *sms.Message) { m.To = "4155552671" }, "http_400"},
		"a flow that is no name":        {nil, func(m *sms.Message) { m.Flow = "charge(failed)" }, "http_400"},
		"number alone":                  {nil, func(m *sms.Message) { m.Email = "" }, ""},
		"e-mail alone":                  {nil, func(m *sms.Message) { m.To = "" }, ""},
		"a text: the driver takes none": {nil, func(m *sms.Message) { m.Values = nil }, "bad_request"},
	} {
		t.Run(name, func(t *testing.T) {
			o, m := attentive.Options{URL: s.URL, APIKey: attentivetest.Key, Now: smstest.Moment}, smstest.SampleTrigger()
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

func TestNewChecksOptions(t *testing.T) {
	for want, change := range map[string]func(*attentive.Options){
		"url must be an absolute": func(o *attentive.Options) { o.URL = "api.attentivemobile.com" },
		"API key is missing":      func(o *attentive.Options) { o.APIKey = "" },
		"the timeout is negative": func(o *attentive.Options) { o.Timeout = -1 },
	} {
		o := attentive.Options{APIKey: attentivetest.Key}
		change(&o)
		_, err := attentive.New(o)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), attentivetest.Key)
	}
	driver(t, attentive.Options{APIKey: attentivetest.Key})
}
