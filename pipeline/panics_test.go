package pipeline_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

func header(key, value string) kafka.Header { return kafka.Header{Key: key, Value: []byte(value)} }

// panicky panics when a row with some text is set, a number of times.
type panicky struct {
	key, text string
	times     int
}

// panicking is a transformer with such a row.
func panicking(t *testing.T, p *panicky) *world {
	w := transforming(t)
	w.state.OnSet = func(key string, value []byte) {
		if key == p.key && p.times > 0 && value != nil && strings.Contains(string(value), p.text) {
			p.times--
			panic("no such row")
		}
	}
	return w
}

func (w *world) waitingRows() (rows []string) {
	for key := range w.state.Rows {
		if strings.HasPrefix(key, "lookup/") || strings.HasPrefix(key, "parked/") {
			rows = append(rows, key)
		}
	}
	return rows
}

// A record that panics in a replay is a dead letter without outputs. The others are processed in the same transaction.
func TestAReplayThatPanics(t *testing.T) {
	w := panicking(t, &panicky{key: "customer/acme/7", text: `"1":{`, times: 1})
	w.hasAPI = false
	for id := 1; id <= 3; id++ {
		w.deliver(delivery{topic: "subscription/created", body: subscriptionOf7(id)}, "7")
	}
	w.answers(customerAnswer)
	assert.Equal(t, []string{
		"transformer rejected panic", "transformer done", "transformer done", "transformer skipped owner_applied", "transformer skipped owner_applied",
	}, w.outcomes.all()[len(w.outcomes.all())-5:])
	created, _ := emittedFor7(w)
	assert.Equal(t, 2, created)
	letters := w.topics.since("recharge.deadletter.transformer", 0)
	require.Len(t, letters, 1)
	assert.Equal(t, "0", letters[0].Header("deadletter_offset"))
	assert.NotContains(t, string(w.state.Rows["customer/acme/7"]), `"1":{`)
	assert.Contains(t, string(w.state.Rows["customer/acme/7"]), `"2":{`)
	assert.Empty(t, w.waitingRows())
	assert.Equal(t, 1, strings.Count(w.log.String(), `"msg":"handler panicked, `))
}

// An answer that panics is a dead letter, and its lookup no longer blocks the next one.
func TestAnAnswerThatPanics(t *testing.T) {
	p := &panicky{key: "customer/acme/7"}
	w := panicking(t, p)
	w.hasAPI = false
	w.deliver(createdOf("7", "71"), "7")
	w.deliver(delivery{topic: "subscription/cancelled", body: bodyOf("subscription/cancelled", "71", "7", 1)}, "7")
	require.Equal(t, []string{"lookup/acme/7/subscriptions/"}, w.waitingRows())
	w.lookups.pending = nil // answered
	p.times = 1
	w.answers(`{"customer_id":"7","kind":"subscriptions","subscriptions":[],"complete":true}`)
	require.Equal(t, 1, w.outcomes.count("transformer rejected panic"))
	assert.Empty(t, w.waitingRows())

	w.deliver(delivery{topic: "subscription/cancelled", body: bodyOf("subscription/cancelled", "71", "7", 2)}, "7")
	assert.Equal(t, []string{"lookup/acme/7/subscriptions/"}, w.waitingRows())
	assert.Len(t, w.lookups.pending, 1)
}

// An import that is parked behind a rejected answer is applied.
func TestAParkedImportAfterARejectedAnswer(t *testing.T) {
	w := panicking(t, &panicky{key: "customer/acme/7", times: 1})
	w.hasAPI = false
	w.deliver(delivery{topic: "subscription/created", body: subscriptionOf7(1)}, "7")
	w.comes(envelope.SourceImport, `{"customer_id":"7","kind":"customer","customer":{"id":7,"email":"ada@shop.example",`+
		`"subscriptions_active_count":1,"updated_at":"2026-03-01T10:00:00+00:00"},"subscriptions":[],"complete":true}`)
	require.Len(t, w.waitingRows(), 3)
	w.answers(customerAnswer)
	assert.Equal(t, []string{
		"transformer parked lookup_pending", "transformer parked lookup_pending",
		"transformer rejected panic", "transformer rejected customer_unknown", "transformer done",
	}, w.outcomes.all())
	assert.Empty(t, w.waitingRows())
	_, row := emittedFor7(w)
	assert.Contains(t, row, `"email":"ada@shop.example"`)
	assert.Contains(t, row, `"subscription_active":true`)
}

// A record with an output or a row that is too large is a dead letter and changes nothing. The records before and after it in the
// same transaction are processed.
func TestTooLargeOutputs(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for name, body := range map[string]string{
		"event": strings.Replace(createdOf("7", "72").body, `"address_id":5`, `"address_id":5,"product_title":"`+long+`"`, 1),
		"row":   strings.Replace(createdOf("7", "72").body, `"email":`, `"hash":"`+long+`","email":`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			w := transforming(t)
			for _, body := range []string{createdOf("7", "71").body, body, createdOf("7", "73").body} {
				r := w.raw("subscription/created", body)
				r.Key = []byte("acme/7")
				w.produce(r)
			}
			done, err := w.handle(w.stages[0], w.topics.since("recharge.webhooks", 0))
			require.NoError(t, err)
			require.Equal(t, 3, done)
			assert.Equal(t, []string{"transformer done", "transformer rejected too_large", "transformer done"}, w.outcomes.all())
			assert.Contains(t, string(w.state.Rows["customer/acme/7"]), `"71":{`)
			assert.NotContains(t, string(w.state.Rows["customer/acme/7"]), `"72":{`)
			assert.Contains(t, string(w.state.Rows["customer/acme/7"]), `"73":{`)
			for key, row := range w.state.Rows {
				assert.Less(t, len(row), 2<<10, key)
			}
			letters := w.topics.since("recharge.deadletter.transformer", 0)
			require.Len(t, letters, 1)
			assert.Equal(t, "1", letters[0].Header("deadletter_offset"))
			for _, e := range w.topics.since("recharge.events", 0) {
				assert.NotEqual(t, "1", e.Header(envelope.HeaderRawOffset))
			}
		})
	}
}
