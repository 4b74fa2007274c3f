package twilio_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/twilio"
	"github.com/rechargeflow/rechargeflow/pkg/sms/twilio/twiliotest"
)

const sid = "SM0123456789abcdef0123456789abcdef"

// The example of https://www.twilio.com/docs/usage/security#validating-requests, as the tests of Twilio's libraries have it.
func TestSignGolden(t *testing.T) {
	form := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+12349013030"}, "Digits": {"1234"}, "From": {"+12349013030"}, "To": {"+18005551212"}}
	assert.Equal(t, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=", twilio.Sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form))
}

func receiver(t *testing.T, address string) twilio.Receiver {
	t.Helper()
	r, err := twilio.NewReceiver(address, twiliotest.SampleAccount().AuthToken)
	require.NoError(t, err)
	return r
}

// callbackOf returns a request as the gateway passes it on.
func callbackOf(t *testing.T, r *http.Request) sms.CallbackRequest {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return sms.CallbackRequest{Header: r.Header, Query: r.URL.RawQuery, Body: body}
}

// The cases of testdata/callbacks.txtar.
func TestReceive(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/callbacks.txtar")
	require.NoError(t, err)
	files := map[string]string{}
	for _, file := range archive.Files {
		files[file.Name] = string(file.Data)
	}
	for name, content := range files {
		title, isForm := strings.CutSuffix(name, ".form")
		if !isForm {
			continue
		}
		t.Run(title, func(t *testing.T) {
			query, lines, _ := strings.Cut(content, "\n")
			form := url.Values{}
			for line := range strings.Lines(lines) {
				key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
				form.Add(key, value)
			}
			at := address
			if query != "" {
				at += "?" + query
			}
			got, err := receiver(t, address).Receive(callbackOf(t, twiliotest.SampleAccount().Request(at, form)), smstest.Moment())
			assert.Equal(t, files[title+".want"], shown(t, got, err)+"\n")
		})
	}
}

// shown returns a callback as testdata/callbacks.txtar has it.
func shown(t *testing.T, c sms.Callback, err error) string {
	t.Helper()
	if err != nil {
		return "error: " + err.Error()
	}
	assert.True(t, c.Untimed)
	assert.Equal(t, smstest.Moment(), c.At)
	line := fmt.Sprint(c.Kind, " ", c.ID)
	if c.OptedOut {
		line += " number=" + c.Number + " opted out"
	} else if c.Number != "" {
		line += fmt.Sprintf(" number=%s text=%q", c.Number, c.Text)
	}
	if c.Kind == sms.CallbackDelivery {
		line += fmt.Sprintf(" %s of %s in %d to %s", c.Status, c.Address.SendKey, c.Address.Partition, c.Address.CustomerID)
		assert.Equal(t, c.ID, c.ProviderID)
	}
	if c.Code != "" {
		line += " code=" + c.Code
	}
	if c.Detail != "" {
		line += fmt.Sprintf(" detail=%q", c.Detail)
	}
	return line
}

// A callback counts only as Twilio has signed it: its address, each of its parameters, the account.
func TestReceiveVerifies(t *testing.T) {
	account := twiliotest.SampleAccount()
	signed := func() *http.Request {
		return account.Request(address+"?text=1", account.Reply(sid, "+14155552671", "START"))
	}
	for name, tt := range map[string]struct {
		request func() sms.CallbackRequest
		want    error
	}{
		"valid": {func() sms.CallbackRequest { return callbackOf(t, signed()) }, nil},
		"of another account": {func() sms.CallbackRequest {
			a := account
			a.AuthToken = "other"
			return callbackOf(t, a.Request(address, account.Reply(sid, "+14155552671", "START")))
		}, sms.ErrBadSignature},
		"for another address": {func() sms.CallbackRequest {
			return callbackOf(t, account.Request("https://hooks.acme.test/callbacks/beta/twilio", account.Reply(sid, "+14155552671", "START")))
		}, sms.ErrBadSignature},
		"another query":     {func() sms.CallbackRequest { r := callbackOf(t, signed()); r.Query = "text=2"; return r }, sms.ErrBadSignature},
		"without its query": {func() sms.CallbackRequest { r := callbackOf(t, signed()); r.Query = ""; return r }, sms.ErrBadSignature},
		"another text": {func() sms.CallbackRequest {
			r := callbackOf(t, signed())
			r.Body = []byte(strings.Replace(string(r.Body), "START", "STOP", 1))
			return r
		}, sms.ErrBadSignature},
		"one parameter more": {func() sms.CallbackRequest {
			r := callbackOf(t, signed())
			r.Body = append(r.Body, "&OptOutType=STOP"...)
			return r
		}, sms.ErrBadSignature},
		"a second value": {func() sms.CallbackRequest {
			r := callbackOf(t, signed())
			r.Body = append([]byte("Body=STOP&"), r.Body...)
			return r
		}, sms.ErrBadSignature},
		"a parameter moved": {func() sms.CallbackRequest { return moved(t) }, sms.ErrBadSignature},
		"without a signature": {func() sms.CallbackRequest {
			r := callbackOf(t, signed())
			r.Header.Del(twilio.SignatureHeader)
			return r
		}, sms.ErrBadSignature},
		"an empty signature": {func() sms.CallbackRequest {
			r := callbackOf(t, signed())
			r.Header.Set(twilio.SignatureHeader, "")
			return r
		}, sms.ErrBadSignature},
		"a body that is no form": {func() sms.CallbackRequest { r := callbackOf(t, signed()); r.Body = []byte("%zz"); return r }, sms.ErrCallback},
	} {
		t.Run(name, func(t *testing.T) {
			r := tt.request()
			_, err := receiver(t, address).Receive(r, smstest.Moment())
			require.ErrorIs(t, err, tt.want)
			assert.Equal(t, r.Header.Get(twilio.SignatureHeader) != "", twilio.Receiver{}.IsSigned(r.Header))
		})
	}
}

// moved returns a callback whose body has a part of the signed address, which gives the same signed text.
func moved(t *testing.T) sms.CallbackRequest {
	t.Helper()
	account := twiliotest.SampleAccount()
	r := callbackOf(t, account.Request(address+"?text=1", account.Reply(sid, "+14155552671", "START")))
	r.Query, r.Body = "", append([]byte("%3Ftext%3D1="+"&"), r.Body...)
	return r
}

// Twilio may sign an address with the port of its scheme, whether or not it was configured with it.
func TestPorts(t *testing.T) {
	account := twiliotest.SampleAccount()
	for configured, signed := range map[string]string{
		"https://hooks.acme.test/callbacks/acme/twilio":      "https://hooks.acme.test:443/callbacks/acme/twilio",
		"https://hooks.acme.test:443/callbacks/acme/twilio":  "https://hooks.acme.test/callbacks/acme/twilio",
		"http://hooks.acme.test/callbacks/acme/twilio":       "http://hooks.acme.test:80/callbacks/acme/twilio",
		"https://hooks.acme.test:8443/callbacks/acme/twilio": "https://hooks.acme.test/callbacks/acme/twilio",
	} {
		for _, at := range []string{configured, signed} {
			_, err := receiver(t, configured).Receive(callbackOf(t, account.Request(at, account.Reply(sid, "+14155552671", "hi"))), smstest.Moment())
			require.NoError(t, err, at)
		}
	}
	_, err := receiver(t, "https://hooks.acme.test/callbacks/acme/twilio").Receive(
		callbackOf(t, account.Request("https://hooks.acme.test:8443/callbacks/acme/twilio", account.Reply(sid, "+14155552671", "hi"))), smstest.Moment())
	require.ErrorIs(t, err, sms.ErrBadSignature)
}

func TestNewReceiverChecks(t *testing.T) {
	for _, at := range []string{"", "hooks.acme.test", "https://my_hooks.acme.test/"} {
		_, err := twilio.NewReceiver(at, "token")
		require.Error(t, err, at)
	}
	_, err := twilio.NewReceiver(address, "")
	require.ErrorContains(t, err, "auth token is missing")
}

// What is read has an id and a kind, and what the kind needs, whatever is sent.
func FuzzReceive(f *testing.F) {
	f.Add("MessageSid="+sid+"&From=%2B14155552671&Body=Stop", "")
	f.Add("MessageSid="+sid+"&MessageStatus=sent", "text="+strings.Repeat("9f2c", 16)+"-11-246936001")
	account := twiliotest.SampleAccount()
	f.Fuzz(func(t *testing.T, body, query string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			form = nil
		}
		at := address
		if query != "" {
			at += "?" + query
		}
		h := http.Header{twilio.SignatureHeader: {twilio.Sign(account.AuthToken, at, form)}}
		got, err := receiver(t, address).Receive(sms.CallbackRequest{Header: h, Query: query, Body: []byte(body)}, time.Now())
		if err != nil {
			require.ErrorIs(t, err, sms.ErrCallback)
			return
		}
		require.NotEmpty(t, got.ID)
		switch got.Kind {
		case sms.CallbackDelivery:
			require.Len(t, got.Address.SendKey, 64)
		case sms.CallbackOther:
		default:
			_, err := sms.Canonical(got.Number)
			require.NoError(t, err)
		}
	})
}
