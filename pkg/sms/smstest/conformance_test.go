package smstest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/simtest"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
)

const unknown = "not documented: a client must cope with it"

// behaviour is one row of what the gateway imitates: its source, how to switch it on, the answer that a plain HTTP client
// gets, the number of accepted texts, and the class of the webhook driver's error.
type behaviour struct {
	name, source string
	on           smstest.Behaviour
	sees         string
	sent         int
	driver       sms.Class // "" is accepted
}

func conformance() []behaviour {
	return []behaviour{
		{
			name: "accepted", source: "https://github.com/knadh/listmonk postback messenger: any gateway by webhook",
			on: smstest.Behaviour{Accept: true}, sees: `200 {"id":"gw-1"}`, sent: 1,
		},
		{
			name: "accepted with 202 and no body", source: "https://github.com/klaviyo/openapi create_event.json",
			on: smstest.Queued(), sees: `202 `, sent: 1,
		},
		{
			name: "accepted with a body that is not JSON", source: unknown,
			on: smstest.Behaviour{Accept: true, Body: "OK 1234"}, sees: `200 OK 1234`, sent: 1,
		},
		{
			name: "429 without Retry-After", source: "https://developers.postscript.io/reference/create-custom-event",
			on:   smstest.TooManyRequests(),
			sees: `429 {"error_code":3002,"error_message":"Rate limit exceeded","success":false}`, driver: sms.NotSent,
		},
		{
			name: "429 with Retry-After and rate-limit headers", source: "https://github.com/api-evangelist/attentive; Retry-After assumed of Klaviyo",
			on:   smstest.TooManyRequestsUntil(7 * time.Second),
			sees: `429 {"error_code":3002,"error_message":"Rate limit exceeded","success":false}; Retry-After 7; X-Ratelimit-Remaining 0`, driver: sms.NotSent,
		},
		{
			name: "refused for good: opted out", source: "https://www.twilio.com/docs/api/errors/21610",
			on: smstest.OptedOut(), driver: sms.Rejected,
			sees: `400 {"code":21610,"message":"Attempt to send to unsubscribed recipient","more_info":"https://www.twilio.com/docs/errors/21610","status":400}`,
		},
		{
			name: "refused for good: invalid number", source: "https://www.twilio.com/docs/api/errors/21211",
			on: smstest.InvalidNumber(), driver: sms.Rejected,
			sees: `400 {"code":21211,"message":"Invalid 'To' Phone Number","more_info":"https://www.twilio.com/docs/errors/21211","status":400}`,
		},
		{
			name: "temporary refusal with 400: for the driver it is for good", source: "https://www.twilio.com/docs/api/errors/21611",
			on: smstest.QueueFull(), driver: sms.Rejected,
			sees: `400 {"code":21611,"message":"This 'From' number has exceeded the maximum number of queued messages","more_info":"https://www.twilio.com/docs/errors/21611","status":400}`,
		},
		{
			name: "refused for good: not a mobile number", source: "https://www.twilio.com/docs/api/errors/21614",
			on: smstest.NotCapable(), driver: sms.Rejected,
			sees: `400 {"code":21614,"message":"'To' number is not a valid mobile number","more_info":"https://www.twilio.com/docs/errors/21614","status":400}`,
		},
		{
			name: "refused for good: not reachable", source: "https://www.twilio.com/docs/api/errors/21612",
			on: smstest.Unroutable(), driver: sms.Rejected,
			sees: `400 {"code":21612,"message":"The 'To' phone number is not currently reachable via SMS","more_info":"https://www.twilio.com/docs/errors/21612","status":400}`,
		},
		{
			name: "refused for good: a country that is not enabled", source: "https://www.twilio.com/docs/api/errors/21408",
			on: smstest.RegionNotEnabled(), driver: sms.Rejected,
			sees: `400 {"code":21408,"message":"Permission to send an SMS has not been enabled for the region","more_info":"https://www.twilio.com/docs/errors/21408","status":400}`,
		},
		{
			name: "error of the account with 400: for the driver it is of the text", source: "https://www.twilio.com/docs/api/errors/21606",
			on: smstest.BadSender(), driver: sms.Rejected,
			sees: `400 {"code":21606,"message":"The 'From' phone number is not a valid, SMS-capable inbound phone number","more_info":"https://www.twilio.com/docs/errors/21606","status":400}`,
		},
		{
			name: "429 of Twilio", source: "https://www.twilio.com/docs/api/errors/20429",
			on: smstest.Overloaded(), driver: sms.NotSent,
			sees: `429 {"code":20429,"message":"Too Many Requests","more_info":"https://www.twilio.com/docs/errors/20429","status":429}`,
		},
		{
			name: "an empty 400", source: "https://developers.postscript.io/reference/create-custom-event",
			on: smstest.Behaviour{Status: 400, Body: `{}`}, sees: `400 {}`, driver: sms.Rejected,
		},
		{
			name: "404: the address is wrong", source: "https://github.com/api-evangelist/attentive lists 404",
			on: smstest.Behaviour{Status: 404, Body: `{}`}, sees: `404 {}`, driver: sms.Config,
		},
		{
			name: "202 for a text that is never sent", source: "https://developers.postscript.io/reference/create-custom-event: an unknown phone still gives 202",
			on: smstest.NeverSent(), sees: `202 {"event_ids":["00000000-0000-4000-8000-000000000001"]}`,
		},
		{
			name: "wrong credentials", source: "https://www.twilio.com/docs/api/errors/20003",
			on: smstest.BadCredentials(), driver: sms.Config,
			sees: `401 {"code":20003,"message":"Authenticate","more_info":"https://www.twilio.com/docs/errors/20003","status":401}`,
		},
		{
			name: "forbidden", source: "https://github.com/api-evangelist/attentive",
			on: smstest.Behaviour{Status: 403, Body: `{}`}, sees: `403 {}`, driver: sms.Forbidden,
		},
		{
			name: "a recipient who blocked the sender", source: "https://github.com/nyaruka/courier/pull/875",
			on: smstest.Blocked(), driver: sms.Forbidden,
			sees: `403 {"error":{"code":"illegal_number_type","message":"The recipient blocked this sender"}}`,
		},
		{
			name: "redirect: not followed", source: unknown,
			on:   smstest.Behaviour{Status: 307, Body: smstest.Empty, Header: http.Header{"Location": {"http://127.0.0.1:1/"}}},
			sees: `307 `, driver: sms.Config,
		},
		{
			name: "200 with an error in the body: accepted for the driver, an adapter must answer 4xx", source: "https://github.com/api-evangelist/vonage",
			on:   smstest.FailedInside(),
			sees: `200 {"message-count":"1","messages":[{"status":"6","error-text":"Invalid message"}]}`,
		},
		{
			name: "500 before acceptance", source: "https://github.com/api-evangelist/attentive lists 500",
			sees: `500 {"error":"refused by the test"}`, driver: sms.Unknown,
		},
		{
			name: "500 after acceptance", source: "https://github.com/twilio/twilio-oai: no idempotency key on Messages",
			on: smstest.FailedAfterwards(), sees: `500 {"error":"internal"}`, sent: 1, driver: sms.Unknown,
		},
		{
			name: "a body that is not JSON", source: unknown + "; a proxy's page",
			on: smstest.NotJSON(), sees: `502 <html><body><h1>502 Bad Gateway</h1></body></html>`, driver: sms.Unknown,
		},
		{
			name: "slow", source: "https://github.com/twilio/twilio-go: 10 s by default",
			on: smstest.Behaviour{Accept: true, Delay: 20 * time.Millisecond}, sees: `200 {"id":"gw-1"}`, sent: 1,
		},
		{
			name: "slower than the client waits: not accepted", source: unknown,
			on: smstest.Behaviour{Accept: true, Delay: time.Hour}, sees: `timeout`, driver: sms.Unknown,
		},
		{
			name: "hangs before acceptance", source: unknown,
			on: smstest.Behaviour{Hang: true}, sees: `timeout`, driver: sms.Unknown,
		},
		{
			name: "hangs after acceptance", source: unknown,
			on: smstest.Behaviour{Accept: true, Hang: true}, sees: `timeout`, sent: 1, driver: sms.Unknown,
		},
		{
			name: "reset before acceptance", source: unknown,
			on: smstest.Behaviour{Reset: true}, sees: `reset`, driver: sms.Unknown,
		},
		{
			name: "reset after acceptance", source: unknown,
			on: smstest.Behaviour{Accept: true, Reset: true}, sees: `reset`, sent: 1, driver: sms.Unknown,
		},
		{
			name: "connection closed in order after acceptance", source: unknown,
			on: smstest.Behaviour{Accept: true, Drop: true}, sees: `closed`, sent: 1, driver: sms.Unknown,
		},
	}
}

func gateway(t *testing.T) *smstest.Gateway {
	t.Helper()
	g := smstest.New("s", func() time.Time { return noon })
	t.Cleanup(g.Close)
	return g
}

func TestConformance(t *testing.T) {
	for _, row := range conformance() {
		t.Run(row.name, func(t *testing.T) {
			require.NotEmpty(t, row.source)
			timeout := 10 * time.Second
			if row.sees == "timeout" {
				timeout = 200 * time.Millisecond
			}
			g := gateway(t)
			g.Next(1, row.on)
			began := time.Now()
			assert.Equal(t, row.sees, seen(t, g, "+14155552671", timeout))
			if row.sees != "timeout" {
				assert.GreaterOrEqual(t, time.Since(began), row.on.Delay)
			}
			assert.Len(t, g.Texts(), row.sent)

			for i, m := range bothModes() {
				g.Next(1, row.on)
				assert.Equal(t, row.driver, sentByDriver(t, g, m, timeout))
				assert.Len(t, g.Texts(), (2+i)*row.sent)
			}
			assert.Equal(t, 3, g.Requests())
			assert.Empty(t, g.Refused())
		})
	}
}

// Twilio's magic numbers: https://www.twilio.com/docs/iam/test-credentials.
func TestConformanceByNumber(t *testing.T) {
	g := gateway(t)
	for to, b := range smstest.TestNumbers() {
		g.ForNumber(to, b)
	}
	g.Next(1, smstest.Behaviour{Accept: true})
	for i, want := range []struct{ to, sees string }{
		{"+15005550004", `200 {"id":"gw-1"}`},
		{"+15005550001", "400 {\"code\":21211"},
		{"+15005550002", "400 {\"code\":21612"},
		{"+15005550003", "400 {\"code\":21408"},
		{"+15005550004", "400 {\"code\":21610"},
		{"+15005550006", `200 {"id":"gw-2"}`},
		{"+15005550009", "400 {\"code\":21614"},
	} {
		assert.True(t, strings.HasPrefix(seen(t, g, want.to, 10*time.Second), want.sees), "%d: %s", i, want.to)
	}
	assert.Len(t, g.Texts(), 2)
}

// seen returns what a client sees: status, body and relevant headers, or the way in which it got no answer.
func seen(t *testing.T, g *smstest.Gateway, to string, timeout time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	body, stamp := `{"id":"1","to":"`+to+`","body":"hi"}`, strconv.FormatInt(noon.Unix(), 10)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL, strings.NewReader(body))
	require.NoError(t, err)
	r.Close = true
	r.Header.Set(webhook.TimestampHeader, stamp)
	r.Header.Set(webhook.SignatureHeader, webhook.Sign("s", stamp, []byte(body)))
	response, err := http.DefaultTransport.RoundTrip(r)
	if end := simtest.NoAnswer(err); end != "" {
		return end
	}
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	line := fmt.Sprint(response.StatusCode, " ", string(raw))
	for _, name := range []string{"Retry-After", "X-Ratelimit-Remaining"} {
		if value := response.Header.Get(name); value != "" {
			line += "; " + name + " " + value
		}
	}
	return line
}

// bothModes returns a text and a trigger.
func bothModes() []sms.Message {
	text := sms.Message{SendKey: "1", To: "+14155552671", Body: "hi"}
	trigger := sms.Message{
		SendKey: "2", Email: "jo@example.com", Flow: "charge_paid",
		Values: &sms.Values{OccurredAt: noon, Variables: map[string]string{"first_name": "Jo"}},
	}
	return []sms.Message{text, trigger}
}

// sentByDriver returns the class of the driver's error, "" for an accepted text or trigger.
func sentByDriver(t *testing.T, g *smstest.Gateway, m sms.Message, timeout time.Duration) sms.Class {
	t.Helper()
	driver, err := webhook.New(webhook.Options{
		URL: g.URL, Secret: "s", Timeout: timeout, Now: func() time.Time { return noon },
	})
	require.NoError(t, err)
	_, err = driver.Send(t.Context(), m)
	if err == nil {
		return ""
	}
	var failed *sms.SendError
	require.ErrorAs(t, err, &failed)
	return failed.Class
}
