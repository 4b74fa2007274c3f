package pipeline_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/texts"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// platform has the texts itself, keeps quiet hours and knows numbers by e-mail.
func platform() texts.Destination {
	return texts.Destination{
		Renders: true, KeepsQuietHours: true, FindsNumbers: true,
		Consent: func(number string) string { return map[string]string{"+14157120000": "opted_in"}[number] },
	}
}

// skippedOrder is a trigger of a flow with quiet hours.
func (w *world) skippedOrder(n int, change func(*subscriber.Trigger)) kafka.Record {
	record := w.triggerRecord(n)
	var trigger subscriber.Trigger
	require.NoError(w.t, json.Unmarshal(record.Value, &trigger))
	trigger.Flow, trigger.Recipient.Email, trigger.Recipient.PortalHash = flow.OrderSkipped, "jo.bean@example.com", "f99bd4a6"
	change(&trigger)
	var err error
	record.Value, err = json.Marshal(trigger)
	require.NoError(w.t, err)
	return record
}

// A platform that has the texts itself gets the values: also at night, without a number, and where our own text does not render.
func TestSMSTriggerMode(t *testing.T) {
	w := newWorld(t, storeConfig{SMS: true, Flows: []string{"order_skipped"}, Text: "{{ nope }}", Destination: platform()})
	same := func(*subscriber.Trigger) {}
	w.send(w.skippedOrder(0, same), w.skippedOrder(1, func(t *subscriber.Trigger) { t.Recipient.Phone = "" }))
	sent := w.texts.Texts()
	require.Len(t, sent, 2, w.texts.Refused())
	assert.Equal(t, []string{"+14157120000", ""}, []string{sent[0].To, sent[1].To})
	assert.Equal(t, []string{"opted_in", ""}, []string{sent[0].Consent, sent[1].Consent})
	assert.Equal(t, "jo.bean@example.com", sent[1].Email)
	assert.Equal(t, []string{"subscription/2"}, sent[1].Items)
	assert.Equal(t, "acme/2/subscription_started/178918/", sent[1].Cause)
	assert.True(t, w.clock().Add(-2*time.Minute).Before(sent[1].OccurredAt))
	for name, want := range map[string]string{
		"first_name": "Jo", "product_title": "House Blend", "shop.name": "Acme Coffee", "portal_url": "https://acme.example/portal/f99bd4a6",
	} {
		assert.Equal(t, want, sent[1].Variables[name], name)
	}
	assert.NotContains(t, sent[1].Variables, "total", "an unknown value")
	assert.Equal(t, map[message.Status]int{message.Accepted: 2}, w.statuses())

	rows := w.topics.since("recharge.message-texts", 0)
	require.Len(t, rows, 2)
	assert.Contains(t, string(rows[0].Value), `"portal_url":"https://acme.example/portal/***"`)
	assert.NotContains(t, string(rows[0].Value), "f99bd4a6")
	assert.NotContains(t, string(rows[0].Value), `"text"`)
}

// Nobody who has opted out is posted. Where consent is ours, a customer without a number isn't, either: whether the number that the platform
// knows has opted out can't be checked.
func TestSMSTriggerModeAndConsent(t *testing.T) {
	ours := platform()
	ours.FindsNumbers = false
	w := newWorld(t, storeConfig{SMS: true, Flows: []string{"order_skipped"}, Destination: ours})
	w.optedOut = map[string]bool{"+14157120000": true}
	w.send(w.skippedOrder(0, func(*subscriber.Trigger) {}), w.skippedOrder(1, func(t *subscriber.Trigger) { t.Recipient.Phone = "" }))
	assert.Empty(t, w.texts.Texts())
	assert.Equal(t, 1, w.outcomes.count("text order_skipped suppressed opted_out"))
	assert.Equal(t, 1, w.outcomes.count("text order_skipped suppressed no_phone"))
}

// With quiet hours of ours a trigger waits until the morning, as a text does.
func TestSMSTriggerModeWithOurQuietHours(t *testing.T) {
	ours := platform()
	ours.KeepsQuietHours = false
	w := newWorld(t, storeConfig{SMS: true, Flows: []string{"order_skipped"}, Destination: ours})
	w.send(w.skippedOrder(0, func(*subscriber.Trigger) {}))
	assert.Empty(t, w.texts.Texts())
	w.set(time.Date(2026, 3, 1, 17, 0, 0, 0, time.UTC))
	w.handleAll()
	assert.Len(t, w.texts.Texts(), 1)
}

// When a customer is deleted, nothing is left of their texts in recharge.message-texts, and what is planned is not sent.
func TestSMSErased(t *testing.T) {
	w := textWorld(t)
	w.send(w.triggerRecord(0))
	require.Len(t, w.topics.since("recharge.message-texts", 0), 1)
	later := w.skippedOrder(0, func(t *subscriber.Trigger) {
		t.ID, t.Flow, t.Cause = "f"+t.ID[1:], flow.SubscriptionStarted, "acme/1/another"
	})
	w.produce(later)
	w.handleAll()
	erasure := w.sinkRecord("recharge.sms-triggers", schemas.SMSRevocation, 9, subscriber.Revocation{
		ID: "00000000000000000000000000000009", Store: store, Cause: "customer/deleted", RechargeCustomerID: "1", Flows: flow.Keys(), Items: []string{"customer/1"},
		OccurredAt: w.clock(), Erased: true,
	})
	erasure.Key = later.Key
	w.send(erasure)
	assert.Len(t, w.texts.Texts(), 1)
	assert.Equal(t, 1, w.outcomes.count("text subscription_started suppressed customer_erased"))
	rows := w.topics.since("recharge.message-texts", 0)
	require.Len(t, rows, 2)
	assert.Nil(t, rows[1].Value, "a tombstone")
	assert.Equal(t, rows[0].Key, rows[1].Key)
}
