package pipeline_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/callback"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
)

// callbackCounts counts callbacks apart from webhooks.
type callbackCounts struct{ accepted, refused int }

func (c *callbackCounts) Callback(_, _, outcome, _ string) {
	if outcome == "accepted" {
		c.accepted++
	} else {
		c.refused++
	}
}

// The gateway serves callbacks beside webhooks. They are timed like webhooks and counted apart: no alert takes one for the other.
func TestGatewayServesCallbacks(t *testing.T) {
	counts := &callbackCounts{}
	var d *gatewayBench
	d = newGatewayBench(t, nil, func(cfg *pipeline.GatewayConfig) {
		cfg.Callbacks = callback.New(callback.Config{
			Stores: map[string]callback.Store{store: {Provider: "webhook", Receiver: webhook.NewReceiver(store, secret)}},
			Bodies: cfg.Admission.Bodies, Topics: callback.Topics{Consent: "recharge.consent", Receipts: "recharge.sms-receipts"}, Partitions: 1,
			Produce:        func(ctx context.Context, records ...kafka.Record) error { return d.topics.Produce(ctx, records...) },
			PublishTimeout: time.Second, RetryAfter: time.Second, Metrics: counts, Log: zap.NewNop(), Now: atTen,
		})
	})
	stop := smstest.Callback{Kind: "reply", Store: store, At: atTen(), Number: "+14155552671", Text: "STOP"}
	for path, want := range map[string]int{
		"/callbacks/acme/webhook": http.StatusOK, "//callbacks/acme/webhook/": http.StatusOK, // slashes too many are ignored
		"/callbacks/acme/twilio": http.StatusNotFound, "/callbacks/acme": http.StatusNotFound,
	} {
		r := stop.Request(secret, atTen())
		r.URL.Path = path
		assert.Equal(t, want, d.send(r).Code, path)
	}
	forged := stop.Request("guess", atTen())
	answer := d.send(forged)
	assert.Equal(t, http.StatusUnauthorized, answer.Code)
	assert.Equal(t, "application/json; charset=utf-8", answer.Header().Get("Content-Type"))
	assert.Equal(t, &callbackCounts{accepted: 2, refused: 2}, counts)
	assert.Equal(t, []string{"gateway refused unknown_path (store unknown)"}, d.stores.lines, "the address that is none of callbacks")
	assert.Len(t, d.stores.responses, 5)
	records := d.topics.since("recharge.consent", 0)
	assert.Len(t, records, 1, "what is sent again is stored once")
	assert.NotEmpty(t, records[0].Header(envelope.HeaderTraceparent))
}
