package klaviyo_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
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

const apiKey = "pk_0123456789"

func driver(t *testing.T, url string) *klaviyo.Driver {
	t.Helper()
	d, err := klaviyo.New(klaviyo.Options{URL: url, APIKey: apiKey, Now: smstest.Moment})
	require.NoError(t, err)
	return d
}

func TestSuite(t *testing.T) {
	const source = "https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling"
	smstest.Suite(t, smstest.Subject{
		Abilities: klaviyo.Abilities(), Secrets: []string{apiKey},
		Start: func(now func() time.Time) (smstest.Simulator, string) {
			k := klaviyotest.New(apiKey, now)
			return k, k.URL
		},
		New: func(address string, timeout time.Duration, now func() time.Time) (sms.Driver, error) {
			return klaviyo.New(klaviyo.Options{URL: address, APIKey: apiKey, Timeout: timeout, Now: now})
		},
		Answers: []smstest.Case{
			{Name: "invalid number", Source: source, On: klaviyotest.Refusal(400, "invalid", "/data/attributes/profile/data/attributes/phone_number"), Class: sms.Rejected},
			{Name: "invalid event", Source: source, On: klaviyotest.Refusal(400, "invalid", "/data/attributes/properties"), Class: sms.Forbidden},
			{Name: "wrong key", Source: source, On: klaviyotest.Refusal(401, "not_authenticated", "/data/"), Class: sms.Config},
			{Name: "key without the scope", Source: source, On: klaviyotest.Refusal(403, "permission_denied", "/data/"), Class: sms.Config},
			{Name: "revision no longer supported", Source: source, On: klaviyotest.Refusal(410, "gone", "/data/"), Class: sms.Forbidden},
			{Name: "too many", Source: source, On: klaviyotest.Refusal(429, "throttled", "/data/"), Class: sms.NotSent},
			{Name: "5xx with errors", Source: source, On: klaviyotest.Refusal(503, "service_unavailable", "/data/"), Class: sms.Unknown},
		},
	})
}

// The request is Klaviyo's, field by field.
func TestRequest(t *testing.T) {
	var body []byte
	var header http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	m := smstest.SampleTrigger()
	m.Values.OccurredAt = m.Values.OccurredAt.Add(700 * time.Millisecond).In(time.FixedZone("EST", -5*3600))
	receipt, err := driver(t, server.URL).Send(t.Context(), m)
	require.NoError(t, err)
	assert.Empty(t, receipt.ProviderID)
	want, err := os.ReadFile("testdata/request.json")
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(body))
	for name, value := range map[string]string{
		"Content-Type": "application/vnd.api+json", "Accept": "application/vnd.api+json", "Authorization": "Klaviyo-API-Key " + apiKey, "Revision": "2026-07-15",
	} {
		assert.Equal(t, value, header.Get(name), name)
	}

	fields := map[string]string{}
	var decoded map[string]any
	require.NoError(t, json.Unmarshal(body, &decoded))
	flatten(fields, "", decoded)
	published, err := os.ReadFile("testdata/create_event.txt")
	require.NoError(t, err)
	known := 0
	for line := range strings.Lines(string(published)) {
		words := strings.Fields(line)
		if words[0] == "#" {
			continue
		}
		value, sent := fields[words[0]]
		assert.True(t, sent || len(words) == 2, "%s is required", words[0])
		if sent {
			known++
			assert.Regexp(t, words[1], value, words[0])
		}
	}
	assert.Len(t, fields, known, "each field is published: %v", fields)
}

// flatten adds the leaves of an object by path. The properties of an event are one.
func flatten(fields map[string]string, path string, value any) {
	object, isObject := value.(map[string]any)
	if !isObject || strings.HasSuffix(path, ".properties") {
		fields[path] = fmt.Sprint(value)
		return
	}
	for name, each := range object {
		flatten(fields, strings.TrimPrefix(path+"."+name, "."), each)
	}
}

// A customer without a number is known by e-mail, one without an e-mail by number. A repetition is the same event.
func TestEvents(t *testing.T) {
	k := klaviyotest.New(apiKey, smstest.Moment)
	defer k.Close()
	d := driver(t, k.URL)
	for _, change := range []func(*sms.Message){
		func(m *sms.Message) { m.To = "" }, func(m *sms.Message) { m.Email = "" }, func(m *sms.Message) { m.Items = nil }, func(m *sms.Message) { m.Values.Variables = nil },
	} {
		m := smstest.SampleTrigger()
		change(&m)
		for range 2 {
			_, err := d.Send(t.Context(), m)
			require.NoError(t, err)
		}
	}
	events := k.Texts()
	require.Len(t, events, 3, "the last is a repetition of the third: the first one holds")
	assert.Equal(t, klaviyotest.Event{
		UniqueID: strings.Repeat("ab", 32) + "-7-90001", Time: smstest.Moment(), Metric: "Recharge charge_paid", Email: "jo@example.com",
		Properties: map[string]any{
			"first_name": "Joanna", "charge.total": "34.50", "portal_url": "https://acme.example/portal/f99bd4a6", "resources": []any{"charge/501", "subscription/71"},
			"consent": "opted_in", "cause": "acme/90001/charge_paid/12/501",
		},
	}, events[0])
	assert.Equal(t, "+14155552671", events[1].Phone)
	assert.Equal(t, []any{}, events[2].Properties["resources"])
}

func TestRefusesTexts(t *testing.T) {
	_, err := driver(t, "http://127.0.0.1:1").Send(t.Context(), smstest.SampleText())
	require.EqualError(t, err, "send text: config (bad_request): klaviyo takes triggers, not texts")
}

func TestNewChecksOptions(t *testing.T) {
	for want, o := range map[string]klaviyo.Options{
		"url must be an absolute": {URL: "a.klaviyo.com", APIKey: apiKey}, "API key is missing": {}, "timeout is negative": {APIKey: apiKey, Timeout: -1},
	} {
		_, err := klaviyo.New(o)
		require.ErrorContains(t, err, want)
	}
}
