package twilio_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/twilio"
	"github.com/rechargeflow/rechargeflow/pkg/sms/twilio/twiliotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const address = "https://hooks.acme.test/callbacks/acme/twilio"

// options are those of the sample account, with its auth token.
func options(api string) twilio.Options {
	account := twiliotest.SampleAccount()
	return twilio.Options{URL: api, AccountSID: account.SID, AuthToken: account.AuthToken, CallbackURL: address, Now: smstest.Moment}
}

func driver(t *testing.T, o twilio.Options) *twilio.Driver {
	t.Helper()
	d, err := twilio.New(o)
	require.NoError(t, err)
	return d
}

func simulator(t *testing.T) *twiliotest.Twilio {
	t.Helper()
	s := twiliotest.New(twiliotest.SampleAccount(), smstest.Moment)
	t.Cleanup(s.Close)
	return s
}

func TestSuite(t *testing.T) {
	account := twiliotest.SampleAccount()
	source := func(code string) string { return "https://www.twilio.com/docs/api/errors/" + code }
	smstest.Suite(t, smstest.Subject{
		Abilities: twilio.Abilities(), Secrets: []string{account.AuthToken},
		Start: func(now func() time.Time) (smstest.Simulator, string) {
			s := twiliotest.New(account, now)
			return s, s.URL
		},
		New: func(address string, timeout time.Duration, now func() time.Time) (sms.Driver, error) {
			o := options(address)
			o.Timeout, o.Now = timeout, now
			return twilio.New(o)
		},
		Answers: []smstest.Case{
			{Name: "opted out", Source: source("21610"), On: twiliotest.OptedOut(), Class: sms.OptedOut, Code: "twilio_21610"},
			{Name: "invalid number", Source: source("21211"), On: twiliotest.InvalidTo(), Class: sms.Rejected, Code: "twilio_21211"},
			{Name: "sender of another account", Source: source("21606"), On: twiliotest.BadFrom(), Class: sms.Config, Code: "twilio_21606"},
			{Name: "wrong credentials", Source: source("20003"), On: twiliotest.BadCredentials(), Class: sms.Config, Code: "twilio_20003"},
			{Name: "account suspended", Source: source("20403"), On: twiliotest.Suspended(), Class: sms.Config, Code: "twilio_20403"},
			{Name: "account not active", Source: source("10001"), On: twiliotest.Refusal(403, 10001, "Account is not active"), Class: sms.Config, Code: "twilio_10001"},
			{Name: "account not found", Source: source("20404"), On: twiliotest.Refusal(404, 20404, "not found"), Class: sms.Config, Code: "twilio_20404"},
			{Name: "too many requests", Source: source("20429"), On: twiliotest.Refusal(429, 20429, "Too Many Requests"), Class: sms.NotSent, Code: "twilio_20429"},
			{Name: "queue full, with 400", Source: source("21611"), On: twiliotest.Refusal(400, 21611, "queue full"), Class: sms.NotSent, Code: "twilio_21611"},
			{Name: "of the text or of all: not in the table", Source: source("21999"), On: twiliotest.Refusal(400, 21999, "new"), Class: sms.Forbidden, Code: "twilio_21999"},
			{Name: "400 that is not Twilio's", Source: "a proxy", On: smstest.Behaviour{Status: 400, Body: "<html>"}, Class: sms.Forbidden, Code: "http_400"},
			{Name: "code of another type", Source: "a proxy", On: smstest.Behaviour{Status: 400, Body: `{"code":"21610"}`}, Class: sms.Forbidden, Code: "http_400"},
			{Name: "5xx with a code", Source: source("20500"), On: twiliotest.Refusal(500, 20500, "Internal Server Error"), Class: sms.Unknown, Code: "http_500"},
			{Name: "5xx with the code of a refusal", Source: "a proxy", On: twiliotest.Refusal(503, 21610, "?"), Class: sms.Unknown, Code: "http_503"},
		},
	})
}

// Twilio's own test numbers.
func TestNumbers(t *testing.T) {
	s := simulator(t)
	for number, b := range twiliotest.TestNumbers() {
		s.ForNumber(number, b)
	}
	d := driver(t, options(s.URL))
	for number, want := range map[string]sms.Class{
		"+15005550001": sms.Rejected, "+15005550002": sms.Rejected, "+15005550003": sms.Rejected, "+15005550004": sms.OptedOut,
		"+15005550009": sms.Rejected, "+15005550006": "",
	} {
		m := smstest.SampleText()
		m.To = number
		assert.Equal(t, want, class(t, d, m), number)
	}
	require.Len(t, s.Texts(), 1)
}

// class returns the class of the error, "" for an accepted text.
func class(t *testing.T, d sms.Driver, m sms.Message) sms.Class {
	t.Helper()
	_, err := d.Send(t.Context(), m)
	if err == nil {
		return ""
	}
	var e *sms.SendError
	require.ErrorAs(t, err, &e)
	return e.Class
}

// What the driver and the simulator disagree on is a refusal with Twilio's code.
func TestSimulatorRefuses(t *testing.T) {
	s := simulator(t)
	text := func(change func(*sms.Message)) sms.Message {
		m := smstest.SampleText()
		change(&m)
		return m
	}
	for name, tt := range map[string]struct {
		options func(*twilio.Options)
		text    sms.Message
		code    string
	}{
		"wrong token":          {func(o *twilio.Options) { o.AuthToken = "other" }, text(func(*sms.Message) {}), "twilio_20003"},
		"wrong key":            {func(o *twilio.Options) { o.APIKey, o.APISecret = "SK1", "other" }, text(func(*sms.Message) {}), "twilio_20003"},
		"another account":      {func(o *twilio.Options) { o.AccountSID = "AC" + strings.Repeat("9", 32) }, text(func(*sms.Message) {}), "twilio_20003"},
		"no sender":            {func(*twilio.Options) {}, text(func(m *sms.Message) { m.From = "" }), "twilio_21603"},
		"not our number":       {func(*twilio.Options) {}, text(func(m *sms.Message) { m.From = "+15005550007" }), "twilio_21606"},
		"not our service":      {func(o *twilio.Options) { o.MessagingServiceSID = "MG1" }, text(func(*sms.Message) {}), "twilio_21705"},
		"no text":              {func(*twilio.Options) {}, text(func(m *sms.Message) { m.Body = "" }), "twilio_21602"},
		"too long":             {func(*twilio.Options) {}, text(func(m *sms.Message) { m.Body = strings.Repeat("é", 1601) }), "twilio_21617"},
		"no number":            {func(*twilio.Options) {}, text(func(m *sms.Message) { m.To = "" }), "twilio_21604"},
		"number without a +":   {func(*twilio.Options) {}, text(func(m *sms.Message) { m.To = "14155552671" }), "twilio_21211"},
		"accepted at its most": {func(*twilio.Options) {}, text(func(m *sms.Message) { m.Body = strings.Repeat("é", 1600) }), ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(s.URL)
			tt.options(&o)
			_, err := driver(t, o).Send(t.Context(), tt.text)
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

// parameter is a line of testdata/create_message.txt.
type parameter struct {
	form     *regexp.Regexp
	required bool
}

// specification returns the published parameters by name.
func specification(t *testing.T) map[string]parameter {
	t.Helper()
	raw, err := os.ReadFile("testdata/create_message.txt")
	require.NoError(t, err)
	all := map[string]parameter{}
	for line := range strings.Lines(string(raw)) {
		if fields := strings.Fields(line); line[0] != '#' {
			require.GreaterOrEqual(t, len(fields), 3, line)
			all[fields[0]] = parameter{form: regexp.MustCompile(fields[2]), required: len(fields) == 4}
		}
	}
	return all
}

// The request is Twilio's, parameter by parameter.
func TestRequest(t *testing.T) {
	var got string
	var form url.Values
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ = url.ParseQuery(string(body))
		got = written(r, form)
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"sid":"SM1"}`))
	}))
	defer server.Close()
	account := twiliotest.SampleAccount()
	o := options(server.URL + "/")
	o.APIKey, o.APISecret, o.MessagingServiceSID = account.APIKey, account.APISecret, account.Services[0]
	receipt, err := driver(t, o).Send(t.Context(), smstest.SampleText())
	require.NoError(t, err)
	assert.Equal(t, "SM1", receipt.ProviderID)
	want, err := os.ReadFile("testdata/request.txt")
	require.NoError(t, err)
	assert.Equal(t, string(want), got)

	published := specification(t)
	for name, values := range form {
		require.Contains(t, published, name)
		require.Len(t, values, 1)
		assert.Regexp(t, published[name].form, values[0], name)
	}
	for name, p := range published {
		assert.True(t, !p.required || form.Has(name), name)
	}

	for validFor, period := range map[time.Duration]string{0: "14400", 30 * time.Minute: "1800", 24 * time.Hour: "14400", time.Millisecond: "1"} {
		_, err = driver(t, twilio.Options{URL: server.URL, AccountSID: account.SID, AuthToken: account.AuthToken}).
			Send(t.Context(), sms.Message{To: "+14155552671", Body: "hi", ValidFor: validFor})
		require.NoError(t, err)
		assert.Equal(t, url.Values{"To": {"+14155552671"}, "Body": {"hi"}, "ValidityPeriod": {period}}, form, "what is not set is not sent")
	}
}

// written returns a request as testdata/request.txt has it.
func written(r *http.Request, form url.Values) string {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s\n", r.Method, r.URL.RequestURI())
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if !slices.Contains([]string{"Content-Length", "Accept-Encoding", "Connection"}, name) {
			fmt.Fprintf(&text, "%s: %s\n", name, r.Header.Get(name))
		}
	}
	text.WriteString("\n")
	for _, name := range slices.Sorted(maps.Keys(form)) {
		fmt.Fprintf(&text, "%s=%s\n", name, form.Get(name))
	}
	return text.String()
}

func TestNewChecksOptions(t *testing.T) {
	for want, change := range map[string]func(*twilio.Options){
		"url must be an absolute":          func(o *twilio.Options) { o.URL = "api.twilio.com" },
		"AC and 32 hex digits":             func(o *twilio.Options) { o.AccountSID = "SK1" },
		"an auth token or an API key":      func(o *twilio.Options) { o.AuthToken = "" },
		"secret of the API key is missing": func(o *twilio.Options) { o.APIKey = "SK1" },
		"callback url must be an absolute": func(o *twilio.Options) { o.CallbackURL = "hooks.acme.test" },
		"no underscore":                    func(o *twilio.Options) { o.CallbackURL = "https://my_hooks.acme.test/callbacks" },
		"the timeout is negative":          func(o *twilio.Options) { o.Timeout = -1 },
	} {
		o := options("https://api.twilio.com")
		change(&o)
		_, err := twilio.New(o)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "token-of-the-account")
	}
	o := options("")
	_, err := twilio.New(o)
	require.NoError(t, err, "the address of Twilio is the default")
}

// A text whose call was not answered is found if Twilio has exactly one like it from then on.
func TestFind(t *testing.T) {
	s := simulator(t)
	o := options(s.URL)
	o.Timeout = 300 * time.Millisecond
	d, m := driver(t, o), smstest.SampleText()
	find := func(m sms.Message, began time.Time) (sms.Receipt, bool) {
		receipt, found, err := d.Find(t.Context(), m, began)
		require.NoError(t, err)
		return receipt, found
	}
	_, found := find(m, smstest.Moment())
	assert.False(t, found, "Twilio has none")

	s.Next(1, smstest.Behaviour{Accept: true, Hang: true})
	assert.Equal(t, sms.Unknown, class(t, d, m))
	receipt, found := find(m, smstest.Moment())
	assert.True(t, found)
	assert.Equal(t, sms.Receipt{ProviderID: "SM" + strings.Repeat("0", 31) + "1"}, receipt)

	_, found = find(m, smstest.Moment().Add(2*time.Second))
	assert.True(t, found, "date_created is rounded")
	_, found = find(m, smstest.Moment().Add(3*time.Second))
	assert.False(t, found, "an earlier text")
	other := m
	other.Body = "Acme: another text"
	_, found = find(other, smstest.Moment())
	assert.False(t, found, "another text to the number")
	other = m
	other.To = "+14155552672"
	_, found = find(other, smstest.Moment())
	assert.False(t, found, "the text to another number")

	require.Empty(t, class(t, d, m))
	_, found = find(m, smstest.Moment())
	assert.False(t, found, "one of two: it may be the other")
}

// A text is found whatever the difference between the clocks, and an earlier one is not.
func TestFindOtherClock(t *testing.T) {
	for _, ahead := range []time.Duration{-time.Hour, -10 * time.Second, 0, 10 * time.Second, time.Hour} {
		s := twiliotest.New(twiliotest.SampleAccount(), func() time.Time { return smstest.Moment().Add(ahead) })
		d, m := driver(t, options(s.URL)), smstest.SampleText()
		require.Empty(t, class(t, d, m))
		_, found, err := d.Find(t.Context(), m, smstest.Moment())
		require.NoError(t, err)
		assert.True(t, found, ahead)
		_, found, err = d.Find(t.Context(), m, smstest.Moment().Add(3*time.Second))
		require.NoError(t, err)
		assert.False(t, found, ahead)
		s.Close()
	}
}

// Without a Date the clocks may differ by a minute.
func TestFindWithoutDate(t *testing.T) {
	m := smstest.SampleText()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		_, _ = fmt.Fprintf(w, `{"messages":[{"sid":"SM1","to":%q,"body":%q,"direction":"outbound-api","date_created":%q}]}`,
			m.To, m.Body, smstest.Moment().UTC().Format(time.RFC1123Z))
	}))
	defer server.Close()
	for began, want := range map[time.Duration]bool{0: true, time.Minute: true, 61 * time.Second: false} {
		_, found, err := driver(t, options(server.URL)).Find(t.Context(), m, smstest.Moment().Add(began))
		require.NoError(t, err)
		assert.Equal(t, want, found, began)
	}
}

// An answer that can't be read finds nothing, and says nothing private.
func TestFindFails(t *testing.T) {
	m := smstest.SampleText()
	for body, status := range map[string]int{"<html>": 200, `{"code":20003,"message":"Authenticate +14155552671"}`: 401, "": 500} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		_, found, err := driver(t, options(server.URL)).Find(t.Context(), m, smstest.Moment())
		server.Close()
		require.Error(t, err)
		assert.False(t, found)
		assert.NotContains(t, err.Error(), "4155552671")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := driver(t, options("http://127.0.0.1:1")).Find(ctx, m, smstest.Moment())
	require.ErrorIs(t, err, context.Canceled)
}
