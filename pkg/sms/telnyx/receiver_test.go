package telnyx_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/telnyx"
	"github.com/rechargeflow/rechargeflow/pkg/sms/telnyx/telnyxtest"
)

const (
	key     = "9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c"
	eventID = "86f58db9-0fe3-4adc-9d1f-46e66e6e9323"
)

func sender() telnyx.Sender {
	return telnyx.Sender{CallbackURL: address, From: telnyxtest.SampleAccount().From[0], ProfileID: telnyxtest.SampleAccount().Profiles[0]}
}

func receiver(t *testing.T, s telnyx.Sender) telnyx.Receiver {
	t.Helper()
	r, err := telnyx.NewReceiver(s, telnyxtest.SampleAccount().PublicKey())
	require.NoError(t, err)
	return r
}

// receive passes a body that is signed now to the receiver of the store acme.
func receive(t *testing.T, body string) (sms.Callback, error) {
	t.Helper()
	h := telnyxtest.SampleAccount().Request("/", body, smstest.Moment()).Header
	return receiver(t, sender()).Receive(sms.CallbackRequest{Header: h, Query: "text=not-signed", Body: []byte(body)}, smstest.Moment())
}

func TestReports(t *testing.T) {
	account := telnyxtest.SampleAccount()
	m := telnyxtest.Message{To: "+14155552671", Text: "hi", WebhookURL: address + "?text=" + key + "-11-246936001"}
	at := smstest.Moment().Add(-time.Minute)
	for status, want := range map[string]string{
		"queued": "accepted", "sending": "accepted", "sent": "sent", "delivery_unconfirmed": "sent", "delivered": "delivered",
		"sending_failed": "undelivered", "delivery_failed": "undelivered",
	} {
		got, err := receive(t, account.Report(eventID, m, status, "", at))
		require.NoError(t, err)
		assert.Equal(t, sms.Callback{
			Kind: sms.CallbackDelivery, ID: eventID, At: at, Status: want, ProviderID: "40385f64-5717-4562-b3fc-000000000001",
			Address: sms.TextAddress{SendKey: key, CustomerID: "246936001", Partition: 11},
		}, got)
	}
	got, err := receive(t, account.Report(eventID, m, "delivery_failed", "40300", at))
	require.NoError(t, err)
	assert.Equal(t, []any{"undelivered", "40300", "Telnyx's words", true, "+14155552671"}, []any{got.Status, got.Code, got.Detail, got.OptedOut, got.Number})

	for name, other := range map[string]telnyxtest.Message{"not ours": {To: m.To, WebhookURL: "https://elsewhere.test/"}, "without an address": {To: m.To}} {
		got, err = receive(t, account.Report(eventID, other, "sent", "", at))
		require.NoError(t, err)
		assert.Equal(t, sms.CallbackOther, got.Kind, name)
	}
	got, err = receive(t, account.Report(eventID, m, "pondering", "", at))
	require.NoError(t, err)
	assert.Equal(t, sms.CallbackOther, got.Kind)
	m.WebhookURL = strings.Replace(m.WebhookURL, "acme", "beta", 1)
	_, err = receive(t, account.Report(eventID, m, "sent", "", at))
	require.ErrorIs(t, err, sms.ErrCallback, "the text of another store")
}

func TestReplies(t *testing.T) {
	account, at := telnyxtest.SampleAccount(), smstest.Moment().Add(-time.Minute)
	reply := account.Reply(eventID, "+14155552671", "Stop please", at)
	want := sms.Callback{Kind: sms.CallbackReply, ID: eventID, At: at, Number: "+14155552671", Text: "Stop please"}
	h := account.Request("/", reply, smstest.Moment()).Header
	for name, tt := range map[string]struct {
		sender telnyx.Sender
		ours   bool
	}{
		"by number and profile": {sender(), true},
		"by number":             {telnyx.Sender{CallbackURL: address, From: account.From[0]}, true},
		"by profile":            {telnyx.Sender{CallbackURL: address, ProfileID: account.Profiles[0]}, true},
		"of another store":      {telnyx.Sender{CallbackURL: address, From: "+15005550007", ProfileID: "other"}, false},
		"of nobody":             {telnyx.Sender{CallbackURL: address}, false},
	} {
		got, err := receiver(t, tt.sender).Receive(sms.CallbackRequest{Header: h, Body: []byte(reply)}, smstest.Moment())
		if tt.ours {
			require.NoError(t, err, name)
			assert.Equal(t, want, got)
		} else {
			require.ErrorIs(t, err, sms.ErrCallback, name)
			assert.NotContains(t, err.Error(), "2671")
		}
	}
	got, err := receive(t, account.Reply(eventID, "12345", "Stop", at))
	require.NoError(t, err)
	assert.Equal(t, sms.CallbackOther, got.Kind, "a short code")
}

// A body that can't be read is refused with advice, which quotes nothing of it.
func TestReceiveRefuses(t *testing.T) {
	for body, want := range map[string]string{
		``:            "not the JSON of an event",
		`[]`:          "not the JSON of an event",
		`{"data":{}}`: "data.id is missing",
		`{"data":{"id":"` + strings.Repeat("x", 201) + `"}}`:                          "more than 200 bytes",
		`{"data":{"id":"e"}}`:                                                         "data.occurred_at is missing",
		`{"data":{"id":"e","occurred_at":"noon"}}`:                                    "not the JSON of an event",
		`{"data":{"id":"e","occurred_at":"2026-05-04T12:05:01Z"}}`:                    "in the future",
		`{"data":{"id":"e","occurred_at":"2026-05-04T12:00:00Z","payload":{"to":1}}}`: "not the JSON of an event",
	} {
		_, err := receive(t, body)
		require.ErrorIs(t, err, sms.ErrCallback, body)
		require.ErrorContains(t, err, want, body)
	}
	got, err := receive(t, `{"data":{"id":"e","event_type":"message.link_clicked","occurred_at":"2026-05-04T12:00:00Z"}}`)
	require.NoError(t, err)
	assert.Equal(t, sms.CallbackOther, got.Kind)
}

func TestReceiveVerifies(t *testing.T) {
	account, now := telnyxtest.SampleAccount(), smstest.Moment()
	body := account.Reply(eventID, "+14155552671", "START", now)
	other := account
	other.Key = ed25519.NewKeyFromSeed([]byte(strings.Repeat("x", ed25519.SeedSize)))
	for name, tt := range map[string]struct {
		request *http.Request
		body    string
		want    error
	}{
		"valid":             {account.Request("/", body, now), body, nil},
		"late":              {account.Request("/", body, now.Add(-5*time.Minute)), body, nil},
		"too late":          {account.Request("/", body, now.Add(-5*time.Minute-time.Second)), body, sms.ErrSignatureExpired},
		"too early":         {account.Request("/", body, now.Add(5*time.Minute+time.Second)), body, sms.ErrSignatureExpired},
		"another key":       {other.Request("/", body, now), body, sms.ErrBadSignature},
		"another body":      {account.Request("/", body, now), strings.Replace(body, "START", "STOP", 1), sms.ErrBadSignature},
		"another time":      {with(account.Request("/", body, now), telnyx.TimestampHeader, "1777896001"), body, sms.ErrBadSignature},
		"without a time":    {with(account.Request("/", body, now), telnyx.TimestampHeader, ""), body, sms.ErrBadSignature},
		"not base64":        {with(account.Request("/", body, now), telnyx.SignatureHeader, "!"), body, sms.ErrBadSignature},
		"too short":         {with(account.Request("/", body, now), telnyx.SignatureHeader, "AAAA"), body, sms.ErrBadSignature},
		"without signature": {with(account.Request("/", body, now), telnyx.SignatureHeader, ""), body, sms.ErrBadSignature},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := receiver(t, sender()).Receive(sms.CallbackRequest{Header: tt.request.Header, Body: []byte(tt.body)}, now)
			require.ErrorIs(t, err, tt.want)
			assert.Equal(t, tt.request.Header.Get(telnyx.SignatureHeader) != "", telnyx.Receiver{}.IsSigned(tt.request.Header))
		})
	}
}

func with(r *http.Request, header, value string) *http.Request {
	r.Header.Set(header, value)
	return r
}

func TestNewReceiverChecks(t *testing.T) {
	for want, public := range map[string]string{"decode public key": "!", "not the base64 of 32 bytes": base64.StdEncoding.EncodeToString([]byte("short"))} {
		_, err := telnyx.NewReceiver(sender(), public)
		require.ErrorContains(t, err, want)
	}
	_, err := telnyx.NewReceiver(telnyx.Sender{}, telnyxtest.SampleAccount().PublicKey())
	require.ErrorContains(t, err, "callback url")
}

// What is read has an id, a time and what its kind needs, whatever is sent.
func FuzzReceive(f *testing.F) {
	account := telnyxtest.SampleAccount()
	f.Add(account.Reply(eventID, "+14155552671", "Stop", smstest.Moment()))
	f.Add(account.Report(eventID, telnyxtest.Message{To: "+14155552671", WebhookURL: address + "?text=" + key + "-11-246936001"}, "sent", "40300", smstest.Moment()))
	f.Fuzz(func(t *testing.T, body string) {
		got, err := receive(t, body)
		if err != nil {
			require.ErrorIs(t, err, sms.ErrCallback)
			return
		}
		require.NotEmpty(t, got.ID)
		require.False(t, got.At.IsZero())
		switch got.Kind {
		case sms.CallbackDelivery:
			require.Len(t, got.Address.SendKey, 64)
		case sms.CallbackReply:
			_, err := sms.Canonical(got.Number)
			require.NoError(t, err)
		}
	})
}
