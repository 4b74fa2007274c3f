package app

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

// A process receives the callbacks of its stores and has them in Kafka when it answers: a STOP and a delivery report.
func TestCallbacks(t *testing.T) {
	cfg := trial(t, "http://127.0.0.1:1")
	cfg.Stores[0].SMS.Driver, cfg.Stores[0].SMS.Webhook.URL, cfg.Stores[0].SMS.Webhook.Secret = config.SMSWebhook, "http://127.0.0.1:1", "gateway-secret"
	p := start(t, cfg)
	p.awaitReady()
	post := func(c smstest.Callback) {
		signed := c.Request("gateway-secret", time.Now())
		request(t, http.MethodPost, "http://"+p.app.GatewayAddress()+signed.URL.Path, signed.Body, signed.Header)
	}
	at := time.Now().Add(-time.Second).UTC()
	post(smstest.Callback{Kind: "reply", Store: "acme", ID: "in-1", At: at, Number: "+14155552671", Text: "Stop"})
	post(smstest.Callback{Kind: "delivery", Store: "acme", At: at, MessageID: strings.Repeat("9f2c", 16) + "-11-246936001", Status: "delivered"})

	broker := regexp.MustCompile(`"brokers":\["([^"]+)"\]`).FindStringSubmatch(p.log.String())
	require.NotNil(t, broker)
	cluster := kafka.Cluster{Brokers: broker[1:]}
	rows, err := consent.Topic("recharge.consent").Read(t.Context(), cluster)
	require.NoError(t, err)
	history := consent.History(rows, "acme", "+14155552671")
	require.Len(t, history, 1)
	assert.Equal(t, consent.OptedOut, history[0].Status)
	assert.Equal(t, at.Truncate(time.Millisecond), history[0].At)

	found := 0
	for record, err := range kafka.Scan(t.Context(), cluster, "recharge.sms-receipts", time.Time{}) {
		require.NoError(t, err)
		var receipt message.Receipt
		require.NoError(t, json.Unmarshal(record.Value, &receipt))
		assert.Equal(t, message.Delivered, receipt.Outcome)
		assert.Equal(t, 11, record.Partition)
		found++
	}
	assert.Equal(t, 1, found)
	page := p.get("/metrics")
	assert.Contains(t, page, `rechargeflow_callbacks_total{kind="reply",outcome="accepted",reason="",store="acme"} 1`)
	assert.Contains(t, page, `rechargeflow_callbacks_total{kind="delivery",outcome="accepted",reason="",store="acme"} 1`)
	assert.NotContains(t, page, `rechargeflow_records_total{outcome="accepted",reason="",role="gateway"`, "a callback is no webhook")
	assert.NotContains(t, p.log.String(), "4155552671")
}

// A trial with a moved clock says so, and receives webhooks by that clock.
func TestClockOffset(t *testing.T) {
	cfg := trial(t, "http://127.0.0.1:1")
	cfg.Embedded.ClockOffset = 10 * time.Hour
	cfg.Stores[0].SMS.Driver, cfg.Stores[0].SMS.Webhook.URL, cfg.Stores[0].SMS.Webhook.Secret = config.SMSWebhook, "http://127.0.0.1:1", "gateway-secret"
	p := start(t, cfg)
	p.awaitReady()
	stop := smstest.Callback{Kind: "reply", Store: "acme", ID: "in-1", At: time.Now().UTC(), Number: "+14155552671", Text: "Stop"}
	signed := stop.Request("gateway-secret", time.Now())
	request(t, http.MethodPost, "http://"+p.app.GatewayAddress()+signed.URL.Path, signed.Body, signed.Header)
	assert.Contains(t, p.log.String(), "the clock is moved, for a trial")
	require.Equal(t, http.StatusOK, p.postSigned("subscription/created", created, secret))
	broker := regexp.MustCompile(`"brokers":\["([^"]+)"\]`).FindStringSubmatch(p.log.String())
	require.NotNil(t, broker)
	for record, err := range kafka.Scan(t.Context(), kafka.Cluster{Brokers: broker[1:]}, "recharge.webhooks", time.Time{}) {
		require.NoError(t, err)
		received, err := envelope.ReceivedAt(record)
		require.NoError(t, err)
		assert.InDelta(t, 10, time.Until(received).Hours(), 0.1)
	}
}
