package webhook_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
)

const secret = "gateway-secret"

var (
	noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	text = sms.Message{
		SendKey: strings.Repeat("ab", 32), To: "+14155552671", From: "Acme", Body: "Acme: 34.50 €, \"hi\" & <bye>",
		Store: "acme", Flow: "charge_paid", CustomerID: "90001", Partition: 7, Email: "jo@example.com", Cause: "acme/90001/charge_paid/12/501",
		Items: []string{"charge/501", "subscription/71"},
	}
)

func clock() time.Time { return noon }

func driver(t *testing.T, o webhook.Options) *webhook.Driver {
	t.Helper()
	if o.Secret == "" {
		o.Secret = secret
	}
	if o.Now == nil {
		o.Now = clock
	}
	d, err := webhook.New(o)
	require.NoError(t, err)
	return d
}

func gateway(t *testing.T) *smstest.Gateway {
	t.Helper()
	g := smstest.New(secret, clock)
	t.Cleanup(g.Close)
	return g
}

func failure(t *testing.T, err error) *sms.SendError {
	t.Helper()
	var e *sms.SendError
	require.ErrorAs(t, err, &e)
	assert.NotContains(t, err.Error(), text.To)
	assert.NotContains(t, err.Error(), "34.50")
	return e
}

func TestSend(t *testing.T) {
	g := gateway(t)
	receipt, err := driver(t, webhook.Options{URL: g.URL}).Send(t.Context(), text)
	require.NoError(t, err)
	assert.Equal(t, "gw-1", receipt.ProviderID)
	assert.Equal(t, []smstest.Text{{
		ID: text.SendKey + "-7-90001", To: text.To, From: text.From, Body: text.Body, Store: text.Store, Flow: text.Flow,
		CustomerID: "90001", Email: text.Email, Cause: text.Cause, Items: text.Items,
	}}, g.Texts())
	assert.Empty(t, g.Duplicates())
}

func TestRequestOnTheWire(t *testing.T) {
	var header http.Header
	var body []byte
	var closed bool
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		header, closed = r.Header, r.Close
		body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	plain := sms.Message{SendKey: text.SendKey, To: text.To, Body: text.Body}
	_, err := driver(t, webhook.Options{URL: server.URL}).Send(t.Context(), plain)
	require.NoError(t, err)

	assert.Equal(t, "application/json", header.Get("Content-Type"))
	assert.Equal(t, "1777896000", header.Get("X-Rechargeflow-Timestamp"))
	assert.Equal(t, webhook.Sign(secret, "1777896000", body), header.Get("X-Rechargeflow-Signature"))
	assert.JSONEq(t, `{"id":"`+plain.SendKey+`","to":"+14155552671","body":"Acme: 34.50 €, \"hi\" & <bye>"}`, string(body))
	assert.Empty(t, header.Values("Idempotency-Key"), "net/http would repeat the request")
	assert.Empty(t, header.Values("X-Idempotency-Key"), "net/http would repeat the request")
	assert.True(t, closed, "one connection for each text")
}

// A trigger has the values of a text. It goes without a number if the customer has none.
func TestSendTrigger(t *testing.T) {
	g, trigger := gateway(t), text
	trigger.To, trigger.Body, trigger.Values = "", "", &sms.Values{
		Consent: "opted_in", OccurredAt: noon, Variables: map[string]string{"total": "34.50 USD", "customer.first_name": "Jo"},
	}
	receipt, err := driver(t, webhook.Options{URL: g.URL}).Send(t.Context(), trigger)
	require.NoError(t, err)
	assert.Equal(t, "gw-1", receipt.ProviderID)
	assert.Equal(t, []smstest.Text{{
		ID: text.SendKey + "-7-90001", Store: text.Store, Flow: text.Flow, CustomerID: "90001", Email: text.Email, Cause: text.Cause, Items: text.Items,
		Consent: "opted_in", OccurredAt: noon, Variables: trigger.Values.Variables,
	}}, g.Texts())
}

// An answer that quotes the variables of a trigger is quoted without them.
func TestWordsAboutATrigger(t *testing.T) {
	g, trigger := gateway(t), text
	trigger.Body, trigger.Values = "", &sms.Values{OccurredAt: noon, Variables: map[string]string{"first_name": "Anna \"A\"", "charge.attempts": "2"}}
	g.Next(1, smstest.Behaviour{Status: http.StatusUnprocessableEntity, Body: `2 errors: {"first_name":"Anna \"A\""} and Anna "A"`})
	_, err := driver(t, webhook.Options{URL: g.URL}).Send(t.Context(), trigger)
	require.EqualError(t, err, `send text: rejected (http_422): 2 errors: {"first_name":"***"} and ***`)
}

// The signature is part of the documented protocol: it must not change.
func TestSignGolden(t *testing.T) {
	assert.Equal(t, "v1=e7751b1fc1906e47ef21e2d569ee2ad803f012178a4f0e6efd8568a01240cdf1",
		webhook.Sign("gateway-secret", "1767225600", []byte(`{"id":"1"}`)))
}

func TestVerify(t *testing.T) {
	body, stamp := []byte("{}"), "1777896000"
	good := webhook.Sign(secret, stamp, body)
	tests := []struct {
		name, secret, stamp, signature string
		now                            time.Time
		want                           error
	}{
		{"good", secret, stamp, good, noon, nil},
		{"a little late", secret, stamp, good, noon.Add(time.Minute), nil},
		{"late", secret, stamp, good, noon.Add(time.Minute + time.Second), webhook.ErrTimestamp},
		{"early", secret, stamp, good, noon.Add(-2 * time.Minute), webhook.ErrTimestamp},
		{"other secret", "other", stamp, good, noon, webhook.ErrSignature},
		{"other time", secret, "1777896001", good, noon, webhook.ErrSignature},
		{"no time", secret, "", webhook.Sign(secret, "", body), noon, webhook.ErrTimestamp},
		{"no version", secret, stamp, strings.TrimPrefix(good, "v1="), noon, webhook.ErrSignature},
		{"nothing", secret, stamp, "", noon, webhook.ErrSignature},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.ErrorIs(t, webhook.Verify(tt.secret, tt.stamp, tt.signature, body, tt.now, time.Minute), tt.want)
		})
	}
}

func TestAnswers(t *testing.T) {
	tests := []struct {
		status int
		class  sms.Class
	}{
		{301, sms.Config},
		{302, sms.Config},
		{307, sms.Config},
		{308, sms.Config},
		{401, sms.Config},
		{403, sms.Forbidden},
		{404, sms.Config},
		{405, sms.Config},
		{400, sms.Rejected},
		{402, sms.Config},
		{406, sms.Config},
		{407, sms.Config},
		{415, sms.Config},
		{426, sms.Config},
		{409, sms.Rejected},
		{410, sms.Rejected},
		{413, sms.Rejected},
		{422, sms.Rejected},
		{408, sms.Unknown},
		{500, sms.Unknown},
		{502, sms.Unknown},
		{503, sms.Unknown},
		{504, sms.Unknown},
		{429, sms.NotSent},
	}
	for _, tt := range tests {
		t.Run(http.StatusText(tt.status), func(t *testing.T) {
			g := gateway(t)
			g.Next(1, smstest.Behaviour{Status: tt.status, RetryAfter: 7 * time.Second})
			_, err := driver(t, webhook.Options{URL: g.URL}).Send(t.Context(), text)
			e := failure(t, err)
			assert.Equal(t, tt.class, e.Class)
			assert.Contains(t, e.Code, "http_")
			assert.Equal(t, 1, g.Requests(), "one text, one request")
			if tt.class == sms.NotSent {
				assert.Equal(t, 7*time.Second, e.RetryAfter)
			} else {
				assert.Zero(t, e.RetryAfter)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"-5":                            0,
		"30":                            30 * time.Second,
		"999999999999":                  time.Hour,
		"soon":                          0,
		"Mon, 04 May 2026 12:01:00 GMT": time.Minute,
		"Mon, 04 May 2026 11:00:00 GMT": 0,
		"Mon, 04 May 2099 11:00:00 GMT": time.Hour,
		"99999999999999999999999999999": 0,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		_, err := driver(t, webhook.Options{URL: server.URL}).Send(t.Context(), text)
		assert.Equal(t, want, failure(t, err).RetryAfter, header)
		server.Close()
	}
}

func TestAcceptedWithAnyBody(t *testing.T) {
	for body, want := range map[string]string{
		"OK":                  "",
		`{"id":"m-1"}`:        "m-1",
		`{"id":7}`:            "",
		`{"status":"queued"}`: "",
		`{"id":"` + strings.Repeat("x", 201) + `"}`:    "",
		`{"id":"x","y":"` + strings.Repeat("y", 70000): "",
	} {
		g := gateway(t)
		g.Next(1, smstest.Behaviour{Accept: true, Status: http.StatusAccepted, Body: body})
		receipt, err := driver(t, webhook.Options{URL: g.URL}).Send(t.Context(), text)
		require.NoError(t, err)
		assert.Equal(t, want, receipt.ProviderID)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	other := gateway(t)
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	_, err := driver(t, webhook.Options{URL: server.URL}).Send(t.Context(), text)
	assert.Equal(t, sms.Config, failure(t, err).Class)
	assert.Zero(t, other.Requests())
}

func TestNoAnswer(t *testing.T) {
	tests := map[string]smstest.Behaviour{
		"dropped before acceptance": {Drop: true},
		"dropped after acceptance":  {Drop: true, Accept: true},
		"hangs before acceptance":   {Hang: true},
		"hangs after acceptance":    {Hang: true, Accept: true},
	}
	for name, b := range tests {
		t.Run(name, func(t *testing.T) {
			g := gateway(t)
			g.Next(1, b)
			_, err := driver(t, webhook.Options{URL: g.URL, Timeout: 200 * time.Millisecond}).Send(t.Context(), text)
			e := failure(t, err)
			assert.Equal(t, sms.Unknown, e.Class)
			assert.Equal(t, "no_answer", e.Code)
			assert.Equal(t, 1, g.Requests(), "one text, one request")
		})
	}
}

func TestNoConnection(t *testing.T) {
	g := smstest.New(secret, clock)
	g.Close()
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	for name, address := range map[string]string{
		"connection refused":    g.URL + "/?token=hidden",
		"no such name":          "http://gateway.invalid/?token=hidden",
		"untrusted certificate": tls.URL + "/?token=hidden",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := driver(t, webhook.Options{URL: address}).Send(t.Context(), text)
			e := failure(t, err)
			assert.Equal(t, sms.NotSent, e.Class)
			assert.Equal(t, "no_connection", e.Code)
			assert.NotContains(t, err.Error(), "hidden", "a URL may contain a token")
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := driver(t, webhook.Options{URL: "http://127.0.0.1:1"}).Send(ctx, text)
	assert.Equal(t, sms.NotSent, failure(t, err).Class)
	assert.ErrorIs(t, err, context.Canceled)
}

// The server closes the connection without reading. That looks the same as a gateway that read the text.
func TestConnectionClosedAtOnce(t *testing.T) {
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	_, err = driver(t, webhook.Options{URL: "http://" + l.Addr().String()}).Send(t.Context(), text)
	assert.Equal(t, sms.Unknown, failure(t, err).Class)
	require.NoError(t, l.Close())
	<-done
}

func TestNewChecksOptions(t *testing.T) {
	for want, o := range map[string]webhook.Options{
		"the url must be":         {URL: "gateway.example", Secret: secret},
		"absolute http or https":  {URL: "ftp://gateway.example", Secret: secret},
		"address":                 {URL: "http://a b", Secret: secret},
		"the secret is missing":   {URL: "https://gateway.example"},
		"the timeout is negative": {URL: "https://gateway.example", Secret: secret, Timeout: -1},
	} {
		_, err := webhook.New(o)
		assert.ErrorContains(t, err, want)
	}
}

func TestSendErrorUnwraps(t *testing.T) {
	cause := errors.New("cause")
	err := error(&sms.SendError{Class: sms.Unknown, Code: "no_answer", Err: cause})
	require.ErrorIs(t, err, cause)
	require.EqualError(t, err, "send text: unknown (no_answer): cause")
	assert.EqualError(t, &sms.SendError{Class: sms.Rejected, Code: "http_422"}, "send text: rejected (http_422)")
}

// The gateway's own words are in the error, without the number, the text and its secrets.
func TestWords(t *testing.T) {
	m := text
	m.Body = "Acme: Hi Anna, \"House Blend\" & more: https://acme.example/portal/f99bd4a6"
	m.Secrets = []string{"f99bd4a6", ""}
	escaped := `Acme: Hi Anna, \"House Blend\" & more: https://acme.example/portal/f99bd4a6`
	for body, want := range map[string]string{
		smstest.Empty: "send text: rejected (http_422)",
		`{"code":21610,"message":"Attempt to send to unsubscribed recipient"}`:  `send text: rejected (http_422): {"code":21610,"message":"Attempt to send to unsubscribed recipient"}`,
		"<html><body>\n<h1>No <b>route</b> to +14155552671 or 14155552671</h1>": "send text: rejected (http_422): No route to *** or ***",
		"bad text: " + m.Body:                           "send text: rejected (http_422): bad text: ***",
		`{"message":"bad text ` + escaped + `"}`:        `send text: rejected (http_422): {"message":"bad text ***"}`,
		"bad text: " + m.Body[:30] + "...":              "send text: rejected (http_422): bad text: ***...",
		"key f99bd4a6 and jo@example.com and " + secret: "send text: rejected (http_422): key *** and *** and ***",
		"\x1b[31m" + strings.Repeat("ä", 1000):          "send text: rejected (http_422): [31m" + strings.Repeat("ä", 248),
	} {
		g := gateway(t)
		g.Next(1, smstest.Behaviour{Status: http.StatusUnprocessableEntity, Body: body})
		_, err := driver(t, webhook.Options{URL: g.URL}).Send(t.Context(), m)
		require.EqualError(t, err, want, body)
	}
}
