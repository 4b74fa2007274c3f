package pipeline_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
)

// answers writes a record with an answer about customer 7, received now.
func (w *world) answers(value string) { w.comes(envelope.SourceLookup, value) }

// comes writes a record that is no webhook.
func (w *world) comes(origin, value string) {
	r := w.raw("", value)
	r.Key = []byte("acme/7")
	r.Headers = append(r.Headers, header(envelope.HeaderSource, origin))
	w.produce(r)
	w.handleAll()
}

// withPendingLookup is a world with a pending lookup of the subscriptions of customer 7, of whom one was cancelled.
func withPendingLookup(t *testing.T) *world {
	w := transforming(t)
	w.hasAPI = false
	w.deliver(createdOf("7", "71"), "7")
	w.deliver(delivery{topic: "subscription/cancelled", body: bodyOf("subscription/cancelled", "71", "7", 1)}, "7")
	require.Contains(t, w.state.Rows, "lookup/acme/7/subscriptions/")
	return w
}

// An unreadable answer is a dead letter, and its lookup is requested again.
func TestUnreadableAnswer(t *testing.T) {
	for _, value := range []string{`{"customer_id":7,"kind":"subscriptions","subscriptions":{}}`, `{`, ``} {
		w := withPendingLookup(t)
		w.lookups.pending = nil // answered
		w.answers(value)
		require.Equal(t, 1, w.outcomes.count("transformer rejected malformed"))
		require.Len(t, w.lookups.pending, 1)
		assert.Equal(t, w.clock().Add(time.Minute), w.lookups.pending[0].Due.UTC())
		w.hasAPI = true
		w.later(2 * time.Minute)
		w.handleAll()
		assert.NotContains(t, w.state.Rows, "lookup/acme/7/subscriptions/")
		assert.Empty(t, w.lookups.pending)
	}
}

// If an unreadable answer names its request, no other is requested again.
func TestUnreadableAnswerToAnotherRequest(t *testing.T) {
	w := withPendingLookup(t)
	w.lookups.pending = nil
	w.answers(`{"customer_id":7,"kind":"customer","customer":{"id":8}}`)
	assert.Empty(t, w.lookups.pending)
	assert.Contains(t, w.state.Rows, "lookup/acme/7/subscriptions/")
}

// Records parked for answers that stay unreadable are rejected in the end.
func TestAnswersThatStayUnreadable(t *testing.T) {
	w := transforming(t)
	w.hasAPI = false
	w.deliver(delivery{topic: "subscription/created", body: subscriptionOf7(1)}, "7")
	for i := range 4 {
		require.Len(t, w.lookups.pending, 1)
		assert.Zero(t, w.outcomes.count("transformer rejected customer_unreadable"))
		w.lookups.pending = nil
		w.answers(`{"customer_id":7,"kind":"customer","customer":{"id":8}}`)
		assert.Equal(t, i+1, w.outcomes.count("transformer rejected malformed"))
		w.later(2 * time.Hour)
	}
	assert.Equal(t, 1, w.outcomes.count("transformer rejected customer_unreadable"))
	assert.Empty(t, w.lookups.pending)
	assert.Empty(t, w.state.Customers())
}

// An unreadable row does not block a takeover: its lookup is requested by its key, and answered.
func TestUnreadableLookupRow(t *testing.T) {
	w := withPendingLookup(t)
	w.lookups.pending = nil
	w.state.Rows["lookup/acme/7/subscriptions/"] = []byte("{")
	w.state.Rows["lookup/acme/7/cancellation/99"] = []byte("[]")
	w.state.Rows["lookup/acme"] = []byte("{}")
	require.NoError(t, w.stages[0].Transactor.TakeOver(t.Context(), 0))
	require.Len(t, w.lookups.pending, 2)
	assert.Equal(t, "99", w.lookups.pending[0].ChargeID)
	assert.Equal(t, "7", w.lookups.pending[1].CustomerID)
	assert.Equal(t, 1, w.outcomes.count("lookup of acme for subscriptions: row_unreadable"))
	assert.Equal(t, 1, w.outcomes.count("lookup of acme for cancellation: row_unreadable"))
	assert.Equal(t, 1, w.outcomes.count("lookup of  for : row_unreadable"))
	assert.Equal(t, 3, strings.Count(w.log.String(), "decode lookup request failed"))
	w.hasAPI = true
	w.handleAll()
	w.expire()
	for key := range w.state.Rows {
		assert.NotContains(t, key, "lookup/")
	}
	assert.Zero(t, w.outcomes.count("transformer rejected malformed"))
}

// An unreadable parked row is replayed by its key. A parked record that is not found is a dead letter.
func TestUnreadableParkedRow(t *testing.T) {
	w := transforming(t)
	w.hasAPI = false
	w.deliver(delivery{topic: "subscription/created", body: subscriptionOf7(1)}, "7")
	w.state.Rows[fmt.Sprintf("parked/acme/7/0/%020d", 0)] = []byte("spoilt")
	for _, key := range []string{"x", "0/0", "1/00000000000000000000"} {
		w.state.Rows["parked/acme/7/"+key] = []byte("{}")
	}
	w.answers(customerAnswer)
	assert.Len(t, w.topics.since("recharge.events", 0), 2, "%v", w.outcomes.all())
	assert.Equal(t, 3, w.outcomes.count("transformer rejected parked_record_gone"))
	assert.Len(t, w.topics.since("recharge.deadletter.transformer", 0), 3)
	for key := range w.state.Rows {
		assert.NotContains(t, key, "parked/")
	}
}

// A redriven webhook that is parked keeps its number of attempts and its original position.
func TestRedriveOfAWebhookThatIsParked(t *testing.T) {
	w := transforming(t)
	w.deliver(delivery{topic: "subscription/created", body: subscriptionOf7(1)}, "7")
	first := w.clock()
	for attempt := 1; attempt < 4; attempt++ {
		letters := w.topics.since("recharge.deadletter.transformer", 0)
		require.Len(t, letters, attempt)
		letter := deadletter.Read(letters[attempt-1])
		assert.Equal(t, "customer_unknown", letter.Reason)
		assert.Equal(t, attempt, letter.Attempts)
		assert.Equal(t, first, letter.First)
		assert.Equal(t, w.clock(), letter.Last)
		assert.Equal(t, "recharge.webhooks/0/0", fmt.Sprintf("%s/%d/%d", letter.Record.Topic, letter.Record.Partition, letter.Record.Offset))
		assert.Equal(t, w.topics.since("recharge.webhooks", 0)[0].Headers, letter.Record.Headers)
		w.later(time.Hour)
		w.produce(deadletter.Redrive(letters[attempt-1], "recharge.redrive.transformer"))
		w.handleAll()
	}
	assert.Equal(t, 6, strings.Count(w.log.String(), `"redriven":true`), "parked, and replayed")
}

// The acknowledgment of an answer may arrive after the answer itself was processed, with its outputs.
func TestRequestedAgainBeforeTheAnswerIsAcknowledged(t *testing.T) {
	w := transforming(t)
	w.produce(rawAt(0, "subscription/created", subscriptionOf7(1), envelope.SourceWebhook))
	require.NoError(t, w.runStage(w.stages[0]))
	require.True(t, w.answer())
	w.produce(rawAt(1, "subscription/created", subscriptionOf7(2), envelope.SourceWebhook))
	require.NoError(t, w.runStage(w.stages[0]))
	assert.Contains(t, w.state.Rows, "lookup/acme/7/customer/")
	assert.Len(t, w.lookups.again, 1)
	w.handleAll()
	assert.Equal(t, 2, w.outcomes.count("transformer rejected customer_unknown"))
	assert.Empty(t, w.state.Customers())
}
