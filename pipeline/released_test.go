package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// customerAnswer is what the API says of the customer whose two subscriptions wait.
const customerAnswer = `{"customer_id":"7","asked_for":"identity","customer":{"id":7,"email":"ada@shop.example",` +
	`"subscriptions_active_count":0,"created_at":"2026-03-01T09:00:00+00:00","updated_at":"2026-03-01T09:00:00+00:00"}}`

func subscriptionOf7(id int) string {
	return fmt.Sprintf(`{"subscription":{"id":%d,"customer_id":7,"address_id":1,"status":"active",`+
		`"created_at":"2026-03-01T10:00:00+00:00","updated_at":"2026-03-01T10:00:00+00:00"}}`, id)
}

func rawAt(second int, topic, body, origin string) kafka.Record {
	at := time.Date(2026, 3, 1, 10, 0, second, 0, time.UTC)
	return kafka.Record{
		Topic: "recharge.webhooks", Key: []byte("acme/7"), Value: []byte(body), Time: at, Headers: []kafka.Header{
			{Key: pipeline.HeaderStore, Value: []byte("acme")},
			{Key: pipeline.HeaderTopic, Value: []byte(topic)},
			{Key: pipeline.HeaderOrigin, Value: []byte(origin)},
			{Key: pipeline.HeaderReceivedAt, Value: []byte(at.Format(time.RFC3339Nano))},
		},
	}
}

// readers fail as they are told, by the number of the read.
type readers struct {
	pipeline.RawReader
	errs map[int]error
	n    int
}

func (f *readers) Read(ctx context.Context, partition int, offset int64) (kafka.Record, error) {
	f.n++
	if err := f.errs[f.n]; err != nil {
		return kafka.Record{}, err
	}
	return f.RawReader.Read(ctx, partition, offset)
}

// releasing is a transformer for which two webhooks wait; the rest is yet to be handled, in one batch.
func releasing(t *testing.T, errs map[int]error, then ...kafka.Record) *world {
	w := newWorld(t, storeConfig{})
	o := w.options(storeConfig{})
	o.Raw = &readers{RawReader: w.topics, errs: errs}
	stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, o, w.run)
	require.NoError(t, err)
	waiting := []kafka.Record{
		rawAt(0, "subscription/created", subscriptionOf7(1), pipeline.OriginWebhook),
		rawAt(1, "subscription/created", subscriptionOf7(2), pipeline.OriginWebhook),
	}
	w.lay(append(waiting, then...)...)
	all := w.topics.since("recharge.webhooks", 0)
	left, err := handle(t.Context(), stages[0], w.run.Producer, all[:2])
	require.NoError(t, err)
	require.Empty(t, left)
	for left = all[2:]; len(left) > 0; {
		left, err = handle(t.Context(), stages[0], w.run.Producer, left)
		if err != nil {
			require.ErrorContains(t, err, "broker away")
		}
	}
	return w
}

// toldOf7 are the facts and what the table says last.
func toldOf7(w *world) (created int, row string) {
	for _, r := range w.topics.since("recharge.events", 0) {
		if strings.Contains(string(r.Value), `"created"`) {
			created++
		}
	}
	rows := w.topics.since("recharge.customers", 0)
	if len(rows) == 0 {
		return created, ""
	}
	return created, string(rows[len(rows)-1].Value)
}

// Of a record that has to come again nothing is kept with what was committed before it.
func TestReleaseThatFailsHalfway(t *testing.T) {
	for _, errs := range []map[int]error{nil, {2: errors.New("broker away")}} {
		w := releasing(t, errs, rawAt(2, "store/updated", `{}`, pipeline.OriginWebhook), rawAt(3, "", customerAnswer, pipeline.OriginLookup))
		created, row := toldOf7(w)
		assert.Equal(t, 2, created)
		assert.Contains(t, row, `"subscription_active":true`, "the last row is the newest")
	}
}

// What retention deleted while it waited is a dead letter, and the customer goes on.
func TestReleaseOfARecordThatIsGone(t *testing.T) {
	w := releasing(t, map[int]error{1: kafka.ErrNoRecord}, rawAt(2, "", customerAnswer, pipeline.OriginLookup))
	created, _ := toldOf7(w)
	assert.Equal(t, 1, created)
	letters := w.topics.since("recharge.deadletter.transformer", 0)
	require.Len(t, letters, 1)
	assert.Equal(t, "parked_record_gone", letters[0].Header("deadletter_reason"))
	assert.Contains(t, w.fates.lines, "transformer rejected parked_record_gone")
}

// An import goes behind what waits for the answer, complete or not.
func TestImportOfACustomerWhoWaits(t *testing.T) {
	for _, imported := range []string{customerAnswer, `{"customer_id":"7","asked_for":"identity","customer":{"id":7}}`} {
		w := releasing(t, nil, rawAt(2, "", imported, pipeline.OriginImport), rawAt(3, "", customerAnswer, pipeline.OriginLookup))
		created, row := toldOf7(w)
		assert.Equal(t, 2, created)
		assert.Contains(t, row, `"subscription_active":true`)
		assert.Equal(t, "transformer waiting customer_asked", w.fates.lines[2])
		assert.Empty(t, w.topics.since("recharge.deadletter.transformer", 0))
	}
}

// What could never be released is a dead letter at once: no answer would find a record under another key, and none is found
// again that is not in the raw topic.
func TestNeverParkedForGood(t *testing.T) {
	for name, change := range map[string]func(*kafka.Record){
		"another key":   func(r *kafka.Record) { r.Key = []byte("acme/8") },
		"another topic": func(r *kafka.Record) { r.Topic = "recharge.redrive.transformer" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, storeConfig{})
			stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, w.options(storeConfig{}), w.run)
			require.NoError(t, err)
			record := rawAt(0, "subscription/created", subscriptionOf7(1), pipeline.OriginWebhook)
			change(&record)
			left, err := handle(t.Context(), stages[0], w.run.Producer, []kafka.Record{record})
			require.NoError(t, err)
			require.Empty(t, left)
			assert.Equal(t, []string{"transformer rejected malformed"}, w.fates.lines)
			require.Len(t, w.topics.since("recharge.deadletter.transformer", 0), 1)
		})
	}
}
