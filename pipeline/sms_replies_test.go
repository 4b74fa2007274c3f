package pipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/callback"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// reply has the gateway receive a reply to a text.
func (w *world) reply(id, number, text string) {
	gateway := callback.New(callback.Config{
		Stores: map[string]callback.Store{store: {Provider: "webhook", Receiver: webhook.NewReceiver(store, secret), Help: true}},
		Bodies: httplimit.NewBudget(1 << 20), Topics: callback.Topics{Consent: "recharge.consent", Receipts: "recharge.sms-receipts"}, Partitions: 1,
		Produce: func(ctx context.Context, records ...kafka.Record) error {
			for i := range records {
				records[i].Partition = 0
			}
			return w.topics.Produce(ctx, records...)
		},
		PublishTimeout: time.Second, RetryAfter: time.Second, Metrics: &callbackCounts{}, Log: zap.NewNop(), Now: w.clock,
	})
	answer := httptest.NewRecorder()
	request := smstest.Callback{Kind: "reply", Store: store, ID: id, At: w.clock(), Number: number, Text: text}.Request(secret, w.clock())
	request.Header.Set(envelope.HeaderTraceparent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") // as the gateway's address of callbacks has it
	gateway.ServeHTTP(answer, request)
	require.Equal(w.t, http.StatusOK, answer.Code, answer.Body)
}

// HELP is answered once and at once, also in quiet hours and with the texts of the day sent. It does not count among them.
func TestSMSHelp(t *testing.T) {
	const number = "+12125550100" // of New York
	w := newWorld(t, storeConfig{SMS: true, PerDay: 1, Flows: []string{"subscription_started"}})
	w.set(time.Date(2026, 5, 4, 7, 0, 0, 0, time.UTC)) // three at night
	w.reply("in-1", number, "Help")
	w.reply("in-1", number, "Help")
	w.handleAll()
	require.Len(t, w.texts.Texts(), 1)
	assert.Equal(t, "Acme Coffee: help at https://acme.example. Reply STOP to opt out.", w.texts.Texts()[0].Body)
	assert.Equal(t, number, w.texts.Texts()[0].To)
	assert.Equal(t, flow.Help, w.message().Flow)
	assert.Equal(t, message.Accepted, w.message().Status)

	w.later(time.Second)
	w.reply("in-2", number, "INFO")
	w.handleAll()
	require.Len(t, w.texts.Texts(), 2)
	assert.Equal(t, map[message.Status]int{message.Accepted: 2}, w.statuses())

	for _, id := range []string{"in-3", "in-4", "in-5"} { // a program that answers our answers
		w.later(time.Second)
		w.reply(id, number, "INFO")
		w.handleAll()
	}
	assert.Len(t, w.texts.Texts(), 3, "in a day")
	assert.Equal(t, 2, w.outcomes.count("text help suppressed capped"))
	w.later(24 * time.Hour)
	w.reply("in-6", number, "INFO")
	w.handleAll()
	assert.Len(t, w.texts.Texts(), 4)
}

// A number that has opted out gets no answer.
func TestSMSHelpAfterStop(t *testing.T) {
	w := newWorld(t, storeConfig{SMS: true})
	w.optedOut = map[string]bool{"+12125550100": true}
	w.reply("in-1", "+12125550100", "HELP")
	w.handleAll()
	assert.Empty(t, w.texts.Texts())
	assert.Equal(t, reason.OptedOut, w.message().Reason)
}

// The first text to a customer says how to opt out, and so does every fifth after it. A restart changes nothing.
func TestSMSOptOutText(t *testing.T) {
	w := newWorld(t, storeConfig{SMS: true, Flows: []string{"subscription_started"}, OptOutText: "Reply STOP to opt out."})
	var says []int
	for i := range 8 {
		text := w.triggerRecord(0)
		var trigger subscriber.Trigger
		require.NoError(t, json.Unmarshal(text.Value, &trigger))
		trigger.ID, trigger.Cause = fmt.Sprintf("%032x", i), fmt.Sprintf("acme/1/subscription_started/%d/", i)
		text.Value, _ = json.Marshal(trigger)
		w.send(text)
		require.Len(t, w.texts.Texts(), i+1)
		if strings.HasSuffix(w.texts.Texts()[i].Body, " Reply STOP to opt out.") {
			says = append(says, i)
		}
		if i == 3 {
			w.restartSender(func(call func()) { call() })
		}
	}
	assert.Equal(t, []int{0, 5}, says)
	w.send(w.triggerRecord(9))
	assert.Contains(t, w.texts.Texts()[8].Body, "Reply STOP", "the first one to another customer")
}
