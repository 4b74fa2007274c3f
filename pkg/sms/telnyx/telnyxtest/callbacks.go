package telnyxtest

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms/telnyx"
)

// outbound returns a message that was sent, as answers and reports have it.
func (a Account) outbound(id string, m Message, status, code string, at time.Time) map[string]any {
	failures := []any{}
	if code != "" {
		failures = append(failures, map[string]any{"code": code, "title": "Telnyx's words", "detail": "Telnyx's words."})
	}
	return map[string]any{
		"record_type": "message", "direction": "outbound", "id": id, "type": "SMS", "messaging_profile_id": a.Profiles[0],
		"organization_id": "b448f9cc-a842-4784-98e9-03c1a5872950", "from": map[string]any{"phone_number": a.From[0], "carrier": "TELNYX LLC", "line_type": "VoIP"},
		"to": []any{map[string]any{"phone_number": m.To, "status": status, "carrier": "", "line_type": ""}}, "cc": []any{}, "text": m.Text, "media": []any{},
		"webhook_url": m.WebhookURL, "webhook_failover_url": "", "encoding": "GSM-7", "parts": 1, "tags": []any{}, "cost": nil,
		"received_at": at.UTC().Format(time.RFC3339Nano), "sent_at": nil, "completed_at": nil, "valid_until": nil, "errors": failures,
	}
}

// Report returns the body of a delivery report (https://developers.telnyx.com/api-reference/callbacks/delivery-update). code is "" for a text
// without an error.
func (a Account) Report(event string, m Message, status, code string, at time.Time) string {
	kind := "message.finalized"
	if status == "queued" || status == "sending" || status == "sent" {
		kind = "message.sent"
	}
	return envelope(event, kind, a.outbound(id(1), m, status, code, at), at)
}

// Reply returns the body of an incoming message (https://developers.telnyx.com/api-reference/callbacks/inbound-message).
func (a Account) Reply(event, from, text string, at time.Time) string {
	return envelope(event, "message.received", map[string]any{
		"record_type": "message", "direction": "inbound", "id": id(2), "type": "SMS", "messaging_profile_id": a.Profiles[0],
		"from": map[string]any{"phone_number": from, "carrier": "T-MOBILE USA, INC.", "line_type": "Wireless"},
		"to":   []any{map[string]any{"phone_number": a.From[0], "status": "webhook_delivered", "carrier": "TELNYX LLC", "line_type": "VoIP"}}, "cc": []any{},
		"text": text, "media": []any{}, "webhook_url": "https://hooks.acme.test/callbacks/acme/telnyx", "encoding": "GSM-7", "parts": 1, "errors": []any{},
		"received_at": at.UTC().Format(time.RFC3339Nano),
	}, at)
}

func envelope(id, kind string, payload map[string]any, at time.Time) string {
	return encode(map[string]any{
		"data": map[string]any{"record_type": "event", "id": id, "event_type": kind, "occurred_at": at.UTC().Format("2006-01-02T15:04:05.000+00:00"), "payload": payload},
		"meta": map[string]any{"attempt": 1, "delivered_to": "https://hooks.acme.test"},
	})
}

// Request returns the request of a callback, signed at a time, for a server in this process.
func (a Account) Request(path, body string, now time.Time) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, strings.NewReader(body))
	timestamp := strconv.FormatInt(now.Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(telnyx.TimestampHeader, timestamp)
	r.Header.Set(telnyx.SignatureHeader, base64.StdEncoding.EncodeToString(ed25519.Sign(a.Key, telnyx.Signed(timestamp, []byte(body)))))
	return r
}
