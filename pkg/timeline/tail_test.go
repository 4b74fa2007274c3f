package timeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// Until the end, records are shown from the oldest on or from a time on, those of all topics by their times.
func TestTailUntilEnd(t *testing.T) {
	s := newShop(t)
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	s.write(s.topics.Events(), 0, "acme/1", at.Add(2*time.Minute), "c")
	s.write(s.topics.Facts(), 1, "acme/1", at.Add(time.Minute), "b")
	s.write(s.topics.Events(), 3, "acme/1", at, "a")
	tail := func(since time.Time) (values []string) {
		what := timeline.Tail{Topics: []string{s.topics.Events(), s.topics.Facts()}, Since: since, UntilEnd: true}
		require.NoError(t, s.source.Tail(t.Context(), what, func(r kafka.Record) { values = append(values, string(r.Value)) }))
		return values
	}
	assert.Equal(t, []string{"a", "b", "c"}, tail(time.Time{}))
	assert.Equal(t, []string{"b", "c"}, tail(at.Add(time.Minute)))
	assert.Empty(t, tail(at.Add(time.Hour)))
	require.ErrorContains(t, s.source.Tail(t.Context(), timeline.Tail{Topics: []string{"unheard-of"}, UntilEnd: true}, func(kafka.Record) {}), "unheard-of")
}

// Records are shown as they come, until the context ends, which is no error.
func TestTailFollows(t *testing.T) {
	s := newShop(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen, ended := make(chan string), make(chan error, 1)
	go func() {
		ended <- s.source.Tail(ctx, timeline.Tail{Topics: []string{s.topics.Events()}, Since: time.Now().Add(-time.Minute)}, func(r kafka.Record) {
			seen <- string(r.Value)
		})
	}()
	s.write(s.topics.Events(), 2, "acme/1", time.Now().Add(-time.Hour), "too old")
	for _, value := range []string{"a", "b", "c"} {
		s.write(s.topics.Events(), 2, "acme/1", time.Now(), value)
		assert.Equal(t, value, <-seen)
	}
	cancel()
	require.NoError(t, <-ended)
}

// A line says what a record of any topic is about. It has no personal data.
func TestLineOf(t *testing.T) {
	topics := topology.Topics{Prefix: "staging."}
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	record := func(topic, key, value string, headers ...kafka.Header) kafka.Record {
		return kafka.Record{Topic: topic, Partition: 3, Offset: 7, Key: []byte(key), Value: []byte(value), Headers: headers, Time: at}
	}
	header := envelope.Header
	for name, c := range map[string]struct {
		record kafka.Record
		want   timeline.Line
	}{
		"webhook": {
			record(topics.Webhooks(), "acme/42", `{"charge":{"email":"jo@example.com"}}`, header(envelope.HeaderRechargeTopic, "charge/paid"), header(envelope.HeaderStore, "acme")),
			timeline.Line{Topic: "recharge.webhooks", Store: "acme", Customer: "42", Type: "charge/paid"},
		},
		"webhook without customer": {
			record(topics.Webhooks(), "acme/charge/7", "{", header(envelope.HeaderRechargeTopic, "charge/deleted")),
			timeline.Line{Topic: "recharge.webhooks", Store: "acme", Type: "charge/deleted"},
		},
		"event": {
			record(topics.Events(), "acme/42", `{"type":"subscription","status":"created","email":"jo@example.com"}`, header(envelope.HeaderCEType, "rechargeflow.subscription")),
			timeline.Line{Topic: "recharge.events", Store: "acme", Customer: "42", Type: "subscription", Status: "created"},
		},
		"text": {
			record(topics.Messages(), "acme/42", `{"flow":"charge_paid","status":"rejected","code":"http_400","error":"bad number +14155552671"}`),
			timeline.Line{Topic: "recharge.messages", Store: "acme", Customer: "42", Type: "charge_paid", Status: "rejected", Reason: "http_400", Detail: "bad number +14*******71"},
		},
		"dead letter": {
			record(topics.DeadLetters(topology.RoleTracking), "acme/42", `{"type":"subscription","status":"created"}`, header(deadletter.HeaderReason, "refused"), header(deadletter.HeaderError, "no jo@example.com")),
			timeline.Line{Topic: "recharge.deadletter.tracking", Store: "acme", Customer: "42", Type: "subscription", Status: "rejected", Reason: "refused", Detail: "no j***@example.com"},
		},
		"revocation": {
			record(topics.Triggers(), "acme/42", `{"flows":["charge_paid","upcoming_order"]}`, header(envelope.HeaderCEType, envelope.TypeRevocation)),
			timeline.Line{Topic: "recharge.sms-triggers", Store: "acme", Customer: "42", Type: "charge_paid,upcoming_order"},
		},
		"no record of ours": {record(topics.Events(), "", "x"), timeline.Line{Topic: "recharge.events"}},
	} {
		c.want.At, c.want.Record = at, c.record.Topic+"/3/7"
		assert.Equal(t, c.want, timeline.NewMasker(false).LineOf(topics.Prefix, c.record), name)
	}
	removed := record(topics.Customers(), "acme/42", "")
	removed.Value = nil
	assert.Equal(t, "deleted", timeline.NewMasker(true).LineOf(topics.Prefix, removed).Status)
	assert.JSONEq(t, `"x"`, string(timeline.NewMasker(true).LineOf(topics.Prefix, record(topics.Events(), "acme/42", "x")).Value))
}
