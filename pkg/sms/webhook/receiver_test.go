package webhook_test

import (
	"encoding/json"
	"io"
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

const key = "9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c"

func request(h http.Header, body string) sms.CallbackRequest {
	return sms.CallbackRequest{Header: h, Body: []byte(body)}
}

// receive passes a body that is signed now to the receiver of the store acme.
func receive(t *testing.T, body string) (sms.Callback, error) {
	t.Helper()
	return webhook.NewReceiver("acme", secret).Receive(request(smstest.SignedRequest("/", body, secret, noon).Header, body), noon)
}

func TestReceive(t *testing.T) {
	for body, want := range map[string]sms.Callback{
		`{"kind":"reply","store":"acme","id":"in-1","at":"2026-05-04T11:59:58.5Z","number":"+1 415 555 2671","text":"Stop","later":{}}`: {
			Kind: sms.CallbackReply, ID: "in-1", At: noon.Add(-1500 * time.Millisecond), Number: "+1 415 555 2671", Text: "Stop",
		},
		`{"kind":"opt_out","store":"acme","at":"2026-05-04T12:05:00Z","number":"+14155552671"}`: {
			Kind: sms.CallbackOptOut, At: noon.Add(5 * time.Minute), Number: "+14155552671",
		},
		`{"kind":"opt_in","store":"acme","at":"2020-01-01T00:00:00Z","number":"+14155552671"}`: {
			Kind: sms.CallbackOptIn, At: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), Number: "+14155552671",
		},
		`{"kind":"delivery","store":"acme","at":"2026-05-04T12:00:00Z","message_id":"` + key + `-11-246936001","status":"undelivered","provider_id":"SM1","code":"30003","detail":"off"}`: {
			Kind: sms.CallbackDelivery, At: noon, Address: sms.TextAddress{SendKey: key, CustomerID: "246936001", Partition: 11},
			Status: "undelivered", ProviderID: "SM1", Code: "30003", Detail: "off",
		},
	} {
		got, err := receive(t, body)
		require.NoError(t, err, body)
		assert.Equal(t, want, got)
	}
}

// A body that can't be read is refused with advice, which quotes nothing of it.
func TestReceiveRefuses(t *testing.T) {
	const head, number = `{"store":"acme","at":"2026-05-04T12:00:00Z"`, `,"number":"+14155552699"}`
	delivery := func(id, status string) string {
		return head + `,"kind":"delivery","message_id":"` + id + `","status":"` + status + `"}`
	}
	for body, want := range map[string]string{
		``:                               "the body is not one JSON object",
		`[]`:                             "the body is not one JSON object",
		head + `,"kind":"reply"} {}`:     "the body is not one JSON object",
		`{"kind":"reply","at":"noon"}`:   "the body is not one JSON object",
		`{}`:                             "store must be that of the address",
		`{"store":"beta"}`:               "store must be that of the address",
		`{"store":"acme"}`:               "at is missing",
		head + number:                    "kind must be reply, opt_out, opt_in or delivery",
		head + `,"kind":"help"` + number: "kind must be reply, opt_out, opt_in or delivery",
		head + `,"kind":"reply"}`:        "number must have its country code",
		head + `,"kind":"opt_out","number":"4155552699"}`:                          "number must have its country code",
		`{"store":"acme","at":"2026-05-04T12:05:00.001Z","kind":"opt_in"` + number: "at is in the future",
		head + `,"kind":"opt_in","id":"` + strings.Repeat("x", 201) + `"` + number: "at most 200 bytes",
		delivery(key, "delivered"):                                                 "message_id must be the id of a text as it was posted", // without customer
		delivery(key+"-11-", "delivered"):                                          "message_id must be",
		delivery(key+"--246936001", "delivered"):                                   "message_id must be",
		delivery(key+"-011-246936001", "delivered"):                                "message_id must be",
		delivery(key+"--1-246936001", "delivered"):                                 "message_id must be",
		delivery(key+"-+1-246936001", "delivered"):                                 "message_id must be",
		delivery(key+"-11-0246936001", "sent"):                                     "message_id must be",
		delivery(key+"-11-24693600x", "delivered"):                                 "message_id must be",
		delivery(key+"-11-12345678901234567890", "sent"):                           "message_id must be",
		delivery(key+"-4294967296-246936001", "sent"):                              "message_id must be",
		delivery(key[1:]+"-11-246936001", "sent"):                                  "message_id must be",
		delivery(strings.ToUpper(key)+"-11-246936001", ""):                         "message_id must be",
		delivery(key+"-11-246936001", "planned"):                                   "status must be one of accepted, sent, delivered, undelivered",
	} {
		_, err := receive(t, body)
		require.ErrorIs(t, err, sms.ErrCallback, body)
		require.ErrorContains(t, err, want, body)
		assert.NotContains(t, err.Error(), "2699")
	}
}

func TestReceiveVerifies(t *testing.T) {
	const body = `{"kind":"opt_out","store":"acme","at":"2026-05-04T12:00:00Z","number":"+14155552671"}`
	for name, tt := range map[string]struct {
		secret string
		signed time.Time
		change func(http.Header)
		body   string
		want   error
	}{
		"valid":              {secret, noon, func(http.Header) {}, body, nil},
		"late":               {secret, noon.Add(-5 * time.Minute), func(http.Header) {}, body, nil},
		"too late":           {secret, noon.Add(-5*time.Minute - time.Second), func(http.Header) {}, body, sms.ErrSignatureExpired},
		"too early":          {secret, noon.Add(5*time.Minute + time.Second), func(http.Header) {}, body, sms.ErrSignatureExpired},
		"another secret":     {"other", noon, func(http.Header) {}, body, sms.ErrBadSignature},
		"another body":       {secret, noon, func(http.Header) {}, strings.Replace(body, "opt_out", "opt_in", 1), sms.ErrBadSignature},
		"another time":       {secret, noon, func(h http.Header) { h.Set(webhook.TimestampHeader, "1777896001") }, body, sms.ErrBadSignature},
		"without a time":     {secret, noon, func(h http.Header) { h.Del(webhook.TimestampHeader) }, body, sms.ErrBadSignature},
		"without signature":  {secret, noon, func(h http.Header) { h.Del(webhook.SignatureHeader) }, body, sms.ErrBadSignature},
		"of another version": {secret, noon, func(h http.Header) { h.Set(webhook.SignatureHeader, "v2=00") }, body, sms.ErrBadSignature},
	} {
		t.Run(name, func(t *testing.T) {
			h := smstest.SignedRequest("/", body, tt.secret, tt.signed).Header
			tt.change(h)
			receiver := webhook.NewReceiver("acme", secret)
			assert.Equal(t, h.Get(webhook.SignatureHeader) != "", receiver.IsSigned(h))
			_, err := receiver.Receive(request(h, tt.body), noon)
			require.ErrorIs(t, err, tt.want)
		})
	}
}

// The id that a text is posted with is what its delivery report brings back.
func TestTextIDComesBack(t *testing.T) {
	g := gateway(t)
	reported := text
	reported.CustomerID, reported.Partition = "246936001", 11
	_, err := driver(t, webhook.Options{URL: g.URL}).Send(t.Context(), reported)
	require.NoError(t, err)
	posted := g.Texts()[0].ID
	assert.Equal(t, text.SendKey+"-11-246936001", posted)
	got, err := receive(t, `{"kind":"delivery","store":"acme","at":"2026-05-04T12:00:00Z","status":"sent","message_id":"`+posted+`"}`)
	require.NoError(t, err)
	assert.Equal(t, sms.TextAddress{SendKey: text.SendKey, CustomerID: "246936001", Partition: 11}, got.Address)
}

// A request of ours that somebody captured is no callback, though it is signed with the same secret.
func TestOwnRequestIsNoCallback(t *testing.T) {
	var header http.Header
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		header = r.Header.Clone()
		body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	captured := text
	captured.Body = `","kind":"opt_in","number":"+14155552671"`
	_, err := driver(t, webhook.Options{URL: server.URL}).Send(t.Context(), captured)
	require.NoError(t, err)
	require.True(t, json.Valid(body))
	_, err = webhook.NewReceiver("acme", secret).Receive(request(header, string(body)), noon)
	require.ErrorIs(t, err, sms.ErrCallback)
}

// What is read has a kind, a time and what the kind needs, whatever is sent.
func FuzzReceive(f *testing.F) {
	f.Add(`{"kind":"reply","store":"acme","id":"in-1","at":"2026-05-04T11:59:58.5Z","number":"+14155552671","text":"Stop"}`)
	f.Add(`{"kind":"delivery","store":"acme","at":"2026-05-04T12:00:00Z","message_id":"` + key + `-11-246936001","status":"sent"}`)
	f.Fuzz(func(t *testing.T, body string) {
		got, err := receive(t, body)
		if err != nil {
			require.ErrorIs(t, err, sms.ErrCallback)
			return
		}
		require.False(t, got.At.IsZero())
		if got.Kind == sms.CallbackDelivery {
			require.NotEmpty(t, got.Address.CustomerID)
			require.Len(t, got.Address.SendKey, 64)
			require.GreaterOrEqual(t, got.Address.Partition, 0)
			return
		}
		number, err := sms.Canonical(got.Number)
		require.NoError(t, err)
		require.True(t, sms.IsE164(number))
	})
}
