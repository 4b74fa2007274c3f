package pipeline_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

func header(key, value string) kafka.Header { return kafka.Header{Key: key, Value: []byte(value)} }

// panicky is a state in which setting some row panics, so many times.
type panicky struct {
	*memoryState
	key   string
	times int
}

// Begin opens an overlay.
func (p *panicky) Begin(partition int) pipeline.Overlay {
	return &panickyOverlay{Overlay: p.memoryState.Begin(partition), of: p}
}

type panickyOverlay struct {
	pipeline.Overlay
	of *panicky
}

func (o *panickyOverlay) Set(key, value []byte) {
	if value != nil && string(key) == o.of.key && o.of.times > 0 {
		o.of.times--
		panic("no such row")
	}
	o.Overlay.Set(key, value)
}

// panicking is a world in which so it is.
func panicking(t *testing.T, p *panicky) *world {
	w := newWorld(t, storeConfig{})
	p.memoryState = w.state
	o := w.options(storeConfig{})
	o.State = p
	stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, o, w.run)
	require.NoError(t, err)
	w.stages = stages
	return w
}

func (w *world) waitingRows() (rows []string) {
	for key := range w.state.rows {
		if strings.HasPrefix(key, "ask/") || strings.HasPrefix(key, "parked/") {
			rows = append(rows, key)
		}
	}
	return rows
}

// What makes a release panic is a dead letter of which nothing is kept; the others are decided on, in the same transaction.
func TestAReleaseThatPanics(t *testing.T) {
	w := panicking(t, &panicky{key: "subscription/acme/7/1", times: 1})
	w.hasAPI = false
	for id := 1; id <= 3; id++ {
		w.hears(delivery{topic: "subscription/created", body: subscriptionOf7(id)}, "7")
	}
	w.answers(customerAnswer)
	assert.Equal(t, []string{"transformer rejected panic", "transformer done", "transformer done"}, w.fates.all()[len(w.fates.all())-3:])
	created, _ := toldOf7(w)
	assert.Equal(t, 2, created)
	letters := w.topics.since("recharge.deadletter.transformer", 0)
	require.Len(t, letters, 1)
	assert.Equal(t, "0", letters[0].Header("deadletter_offset"))
	assert.NotContains(t, w.state.rows, "subscription/acme/7/1")
	assert.Contains(t, w.state.rows, "subscription/acme/7/2")
	assert.Empty(t, w.waitingRows())
	assert.Equal(t, 1, strings.Count(w.log.String(), `"msg":"handler panicked"`))
}

// An answer that makes the decision panic is a dead letter, and its question no longer in the way of the next one.
func TestAnAnswerThatPanics(t *testing.T) {
	p := &panicky{key: "customer/acme/7"}
	w := panicking(t, p)
	w.hasAPI = false
	w.hears(createdOf("7", "71"), "7")
	w.hears(delivery{topic: "subscription/cancelled", body: bodyOf("subscription/cancelled", "71", "7", 1)}, "7")
	require.Equal(t, []string{"ask/acme/7/flag/"}, w.waitingRows())
	w.asks.pending = nil // answered
	p.times = 1
	w.answers(`{"customer_id":"7","asked_for":"flag","subscriptions":[],"complete":true}`)
	require.Equal(t, 1, w.fates.count("transformer rejected panic"))
	assert.Empty(t, w.waitingRows())

	w.hears(delivery{topic: "subscription/cancelled", body: bodyOf("subscription/cancelled", "71", "7", 2)}, "7")
	assert.Equal(t, []string{"ask/acme/7/flag/"}, w.waitingRows())
	assert.Len(t, w.asks.pending, 1)
}

// An import that waits behind an answer which is rejected is taken in.
func TestAParkedImportAfterARejectedAnswer(t *testing.T) {
	w := panicking(t, &panicky{key: "customer/acme/7", times: 1})
	w.hasAPI = false
	w.hears(delivery{topic: "subscription/created", body: subscriptionOf7(1)}, "7")
	w.comes(pipeline.OriginImport, `{"customer_id":"7","asked_for":"identity","customer":{"id":7,"email":"ada@shop.example",`+
		`"subscriptions_active_count":1,"updated_at":"2026-03-01T10:00:00+00:00"},"subscriptions":[],"complete":true}`)
	require.Len(t, w.waitingRows(), 3)
	w.answers(customerAnswer)
	assert.Equal(t, []string{
		"transformer waiting customer_asked", "transformer waiting customer_asked",
		"transformer rejected panic", "transformer rejected customer_unknown", "transformer done",
	}, w.fates.all())
	assert.Empty(t, w.waitingRows())
	_, row := toldOf7(w)
	assert.Contains(t, row, `"email":"ada@shop.example"`)
	assert.Contains(t, row, `"subscription_active":true`)
}

// What doesn't fit into a record is a dead letter, be it an event or a row of the state, and leaves all as it was; what comes
// before and after it in the same transaction is kept.
func TestWhatIsTooLarge(t *testing.T) {
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
				w.lay(r)
			}
			done, err := w.handle(w.stages[0], w.topics.since("recharge.webhooks", 0))
			require.NoError(t, err)
			require.Equal(t, 3, done)
			assert.Equal(t, []string{"transformer done", "transformer rejected too_large", "transformer done"}, w.fates.all())
			assert.Contains(t, w.state.rows, "subscription/acme/7/71")
			assert.NotContains(t, w.state.rows, "subscription/acme/7/72")
			assert.Contains(t, w.state.rows, "subscription/acme/7/73")
			for key, row := range w.state.rows {
				assert.Less(t, len(row), 1<<10, key)
			}
			letters := w.topics.since("recharge.deadletter.transformer", 0)
			require.Len(t, letters, 1)
			assert.Equal(t, "1", letters[0].Header("deadletter_offset"))
			for _, e := range w.topics.since("recharge.events", 0) {
				assert.NotEqual(t, "1", e.Header(pipeline.HeaderRawOffset))
			}
		})
	}
}
