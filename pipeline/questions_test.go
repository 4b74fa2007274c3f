package pipeline_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
)

// answers lays what is said to be an answer about customer 7, received now.
func (w *world) answers(value string) { w.comes(pipeline.OriginLookup, value) }

// comes lays what is no webhook.
func (w *world) comes(origin, value string) {
	r := w.raw("", value)
	r.Key = []byte("acme/7")
	r.Headers = append(r.Headers, header(pipeline.HeaderOrigin, origin))
	w.lay(r)
	w.settle()
}

// asking is a world in which it was asked whether customer 7, whose subscription was cancelled, has an active one.
func asking(t *testing.T) *world {
	w := transforming(t)
	w.hasAPI = false
	w.hears(createdOf("7", "71"), "7")
	w.hears(delivery{topic: "subscription/cancelled", body: bodyOf("subscription/cancelled", "71", "7", 1)}, "7")
	require.Contains(t, w.state.rows, "ask/acme/7/flag/")
	return w
}

// An answer that can't be read is a dead letter, and its question is asked again.
func TestAnAnswerThatIsSpoilt(t *testing.T) {
	for _, value := range []string{`{"customer_id":7,"asked_for":"flag","subscriptions":{}}`, `{`, ``} {
		w := asking(t)
		w.asks.pending = nil // answered
		w.answers(value)
		require.Equal(t, 1, w.fates.count("transformer rejected malformed"))
		require.Len(t, w.asks.pending, 1)
		assert.Equal(t, w.clock().Add(time.Minute), w.asks.pending[0].Due.UTC())
		w.hasAPI = true
		w.later(2 * time.Minute)
		w.settle()
		assert.NotContains(t, w.state.rows, "ask/acme/7/flag/")
		assert.Empty(t, w.asks.pending)
	}
}

// Where it said what it was for, nothing else is asked again.
func TestASpoiltAnswerToAnotherQuestion(t *testing.T) {
	w := asking(t)
	w.asks.pending = nil
	w.answers(`{"customer_id":7,"asked_for":"identity","customer":{"id":8}}`)
	assert.Empty(t, w.asks.pending)
	assert.Contains(t, w.state.rows, "ask/acme/7/flag/")
}

// What waits for answers that can't be read doesn't wait for ever.
func TestAnswersThatStaySpoilt(t *testing.T) {
	w := transforming(t)
	w.hasAPI = false
	w.hears(delivery{topic: "subscription/created", body: subscriptionOf7(1)}, "7")
	for i := range 4 {
		require.Len(t, w.asks.pending, 1)
		assert.Zero(t, w.fates.count("transformer rejected customer_unreadable"))
		w.asks.pending = nil
		w.answers(`{"customer_id":7,"asked_for":"identity","customer":{"id":8}}`)
		assert.Equal(t, i+1, w.fates.count("transformer rejected malformed"))
		w.later(2 * time.Hour)
	}
	assert.Equal(t, 1, w.fates.count("transformer rejected customer_unreadable"))
	assert.Empty(t, w.asks.pending)
	assert.Empty(t, w.state.rows)
}

// A row that can't be read holds up no takeover: its question is asked as its key says, and answered.
func TestAQuestionWhoseRowIsSpoilt(t *testing.T) {
	w := asking(t)
	w.asks.pending = nil
	w.state.rows["ask/acme/7/flag/"] = []byte("{")
	w.state.rows["ask/acme/7/cancellation/99"] = []byte("[]")
	w.state.rows["ask/acme"] = []byte("{}")
	require.NoError(t, w.stages[0].Transactor.TakeOver(t.Context(), 0))
	require.Len(t, w.asks.pending, 2)
	assert.Equal(t, "99", w.asks.pending[0].ChargeID)
	assert.Equal(t, "7", w.asks.pending[1].Customer)
	assert.Equal(t, 1, w.fates.count("lookup of acme for flag: row_unreadable"))
	assert.Equal(t, 1, w.fates.count("lookup of acme for cancellation: row_unreadable"))
	assert.Equal(t, 1, w.fates.count("lookup of  for : row_unreadable"))
	assert.Equal(t, 3, strings.Count(w.log.String(), "can't be read from its row"))
	w.hasAPI = true
	w.settle()
	w.sweep()
	for key := range w.state.rows {
		assert.NotContains(t, key, "ask/")
	}
	assert.Zero(t, w.fates.count("transformer rejected malformed"))
}

// Of what is put aside the key is enough, too. What nobody finds any more is a dead letter.
func TestAParkedRowThatIsSpoilt(t *testing.T) {
	w := transforming(t)
	w.hasAPI = false
	w.hears(delivery{topic: "subscription/created", body: subscriptionOf7(1)}, "7")
	w.state.rows[fmt.Sprintf("parked/acme/7/0/%020d", 0)] = []byte("spoilt")
	for _, key := range []string{"x", "0/0", "1/00000000000000000000"} {
		w.state.rows["parked/acme/7/"+key] = []byte("{}")
	}
	w.answers(customerAnswer)
	assert.Len(t, w.topics.since("recharge.events", 0), 2, "%v", w.fates.all())
	assert.Equal(t, 3, w.fates.count("transformer rejected parked_record_gone"))
	assert.Len(t, w.topics.since("recharge.deadletter.transformer", 0), 3)
	for key := range w.state.rows {
		assert.NotContains(t, key, "parked/")
	}
}

// What was sent once more and is put aside counts its attempts on, and says where it came from.
func TestRedriveOfAWebhookThatIsPutAside(t *testing.T) {
	w := transforming(t)
	w.hears(delivery{topic: "subscription/created", body: subscriptionOf7(1)}, "7")
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
		w.lay(deadletter.Redrive(letters[attempt-1], "recharge.redrive.transformer"))
		w.settle()
	}
	assert.Equal(t, 6, strings.Count(w.log.String(), `"redriven":true`), "put aside, and released")
}

// The confirmation that an answer is kept may come after the answer itself, and after what comes of it.
func TestAskedAgainBeforeTheAnswerIsConfirmed(t *testing.T) {
	w := transforming(t)
	w.lay(rawAt(0, "subscription/created", subscriptionOf7(1), pipeline.OriginWebhook))
	require.NoError(t, w.work(w.stages[0]))
	require.True(t, w.answer())
	w.lay(rawAt(1, "subscription/created", subscriptionOf7(2), pipeline.OriginWebhook))
	require.NoError(t, w.work(w.stages[0]))
	assert.Contains(t, w.state.rows, "ask/acme/7/identity/")
	assert.Len(t, w.asks.again, 1)
	w.settle()
	assert.Equal(t, 2, w.fates.count("transformer rejected customer_unknown"))
	assert.Empty(t, w.state.rows)
}
