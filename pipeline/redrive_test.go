package pipeline_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

// redrive sends every dead letter of a role to it once more.
func (w *world) redrive(role pipeline.Role) {
	for _, letter := range w.dead(role) {
		w.lay(deadletter.Redrive(letter, pipeline.Topics{}.Redrive(role)))
	}
}

// A webhook whose customer nobody knew is decided, when it is sent once more, as it would have been then.
func TestRedriveOfAWebhook(t *testing.T) {
	w := newWorld(t, storeConfig{})
	w.lay(w.raw("charge/created", `{}`), w.raw("subscription/created", subscriptionBody("784594001", "")))
	w.settle()
	require.Len(t, w.dead(pipeline.RoleTransformer), 2, "%v", w.fates.all())
	require.Empty(t, w.topics.since("recharge.events", 0))

	w.later(48 * time.Hour)
	w.api.PutCustomer("246936001", []byte(`{"customer":`+joBean+`}`))
	w.redrive(pipeline.RoleTransformer)
	w.settle()

	events := w.topics.since("recharge.events", 0)
	require.NotEmpty(t, events, "%v", w.fates.all())
	for _, e := range events {
		if e.Header(pipeline.HeaderType) == "rechargeflow.customer_property" && e.Header(pipeline.HeaderRawOffset) != "1" {
			continue // what the API's answer told
		}
		assert.Equal(t, "recharge.webhooks", e.Header(pipeline.HeaderRawTopic))
		assert.Equal(t, "0", e.Header(pipeline.HeaderRawPartition))
		assert.Equal(t, "1", e.Header(pipeline.HeaderRawOffset))
		assert.Equal(t, "2026-03-01T10:00:05Z", e.Header(pipeline.HeaderReceivedAt))
		assert.Equal(t, traceparent, e.Header(pipeline.HeaderTraceparent))
	}
	assert.Len(t, w.bloomreach.Events(), 1)

	dead := w.dead(pipeline.RoleTransformer)
	require.Len(t, dead, 3, "the charge without an object died once more")
	again := deadletter.Read(dead[2])
	assert.Equal(t, 2, again.Attempts)
	assert.Equal(t, "recharge.webhooks", again.Record.Topic)
	assert.EqualValues(t, 0, again.Record.Offset)
	assert.Equal(t, `{}`, string(again.Record.Value))
	assert.Equal(t, 48*time.Hour, again.Last.Sub(again.First))
	assert.Contains(t, w.log.String(), `"redriven":true`)
}

// Of what is sent once more each store's sink looks at its own.
func TestRedriveReachesItsStoreAlone(t *testing.T) {
	w := newWorld(t, storeConfig{Reject: "no such event"})
	other := bloomreachtest.New()
	t.Cleanup(other.Close)
	options := w.options(storeConfig{})
	beta := options.Stores[0]
	beta.Settings.Store = "beta"
	options.Stores = append(options.Stores, beta)
	var err error
	w.stages, err = pipeline.Stages([]pipeline.Role{pipeline.RoleTracking}, options, w.run)
	require.NoError(t, err)

	w.lay(w.eventRecords(3)...)
	w.settle()
	require.Len(t, w.dead(pipeline.RoleTracking), 3)
	w.bloomreach.RejectWhen(nil)
	w.redrive(pipeline.RoleTracking)
	w.settle()
	assert.Equal(t, upTo(3), w.kept())
	assert.Equal(t, 3, w.fates.count("tracking done"), "once each: beta's sink counts none of them")
	assert.Zero(t, w.bloomreach.Deduplicated())
}

// An event sent once more twice in a row stands in two requests, since ids in one must differ.
func TestRedriveOfTheSameEventTwice(t *testing.T) {
	w := newWorld(t, storeConfig{Reject: "no such event"})
	w.lay(w.eventRecords(2)...)
	w.settle()
	w.bloomreach.RejectWhen(nil)
	w.redrive(pipeline.RoleTracking)
	w.redrive(pipeline.RoleTracking)
	w.settle()
	assert.Equal(t, upTo(2), w.kept())
	assert.Equal(t, 2, w.bloomreach.Deduplicated())
	assert.Equal(t, 4, w.fates.count("tracking done"))
}

// A text that the gateway refused goes out, once, when an operator sends its letter again; sent again it goes out no more.
func TestRedriveOfARefusedText(t *testing.T) {
	w := textWorld(t)
	w.texts.Next(1, smstest.Behaviour{Status: http.StatusUnprocessableEntity})
	w.lay(w.triggerRecord(0))
	w.settle()
	require.Empty(t, w.texts.Texts())
	w.redrive(pipeline.RoleSMS)
	w.settle()
	require.Len(t, w.texts.Texts(), 1)
	w.redrive(pipeline.RoleSMS)
	w.settle()
	assert.Equal(t, []string{"sms rejected refused", "sms done", "sms skipped already_sent"}, w.fates.lines)
	assert.Len(t, w.texts.Texts(), 1)
	assert.Equal(t, map[ledger.State]int{ledger.StateAccepted: 1}, w.states())
	require.Len(t, w.dead(pipeline.RoleSMS), 1)
}

// impatient gives Kafka less time than it takes to give up on a topic that is not there.
type impatient struct{ *kafka.Producer }

func (p impatient) Produce(ctx context.Context, records ...kafka.Record) error {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	return p.Producer.Produce(ctx, records...)
}

// While the dead-letter topic is not there, the partition waits: nothing is committed, and nothing behind it is worked on.
// Once it is there, everything goes on, and the letter is where the record was.
func TestDeadLetterTopicMissing(t *testing.T) {
	topics := pipeline.Topics{}
	spec := func(names ...string) kafka.Spec {
		var s kafka.Spec
		for _, name := range names {
			s.Topics = append(s.Topics, kafka.TopicSpec{Name: name, Partitions: 4, Replication: 1})
		}
		return s
	}
	broker, err := kafka.StartEmbedded(kafka.EmbeddedConfig{
		Topics: spec(topics.Webhooks(), topics.Events(), topics.Triggers(), topics.Customers(), topics.Subscriptions(), topics.State(), topics.Redrive(pipeline.RoleTransformer)),
	}, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	cluster := kafka.Cluster{Brokers: broker.Brokers()}
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	t.Cleanup(func() { require.NoError(t, producer.Close()) })

	w := newWorld(t, storeConfig{})
	w.run.Producer = impatient{producer}
	stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, w.options(storeConfig{}), w.run)
	require.NoError(t, err)
	stage := stages[0]
	faulty, sound := w.raw("subscription/created", `{}`), w.raw("subscription/created", subscriptionBody("784594001", joBean))
	faulty.Partition, sound.Partition = 3, 3
	require.NoError(t, producer.Produce(t.Context(), faulty, sound))

	consumer := kafka.NewConsumer(cluster, kafka.ConsumerConfig{
		Group: stage.Group, Topics: stage.Topics, OnAssigned: stage.Assigned,
		FetchWait: 50 * time.Millisecond, SessionTimeout: 6 * time.Second, HeartbeatInterval: 100 * time.Millisecond, MaxBatch: 1,
	}, zap.NewNop())
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- consumer.RunTransactions(ctx, kafka.Transactions{Transform: stage.Transform}) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-ended) })

	require.Eventually(t, func() bool { return stage.Trouble() != nil }, 30*time.Second, 10*time.Millisecond)
	require.ErrorContains(t, stage.Trouble(), topics.DeadLetters(pipeline.RoleTransformer))
	assert.Empty(t, w.fates.all(), "nothing is settled, and the sound one stays behind it")

	_, err = kafka.Apply(t.Context(), cluster, spec(topics.DeadLetters(pipeline.RoleTransformer)))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(w.fates.all()) == 2 }, 60*time.Second, 10*time.Millisecond)
	assert.Equal(t, []string{"transformer rejected malformed", "transformer done"}, w.fates.all())
	letters, err := kafka.ReadAll(t.Context(), cluster, topics.DeadLetters(pipeline.RoleTransformer))
	require.NoError(t, err)
	require.Len(t, letters, 1)
	assert.Equal(t, 3, letters[0].Partition)
	assert.Equal(t, "3/0", letters[0].Header(deadletter.HeaderPartition)+"/"+letters[0].Header(deadletter.HeaderOffset))
	assert.Equal(t, "1", letters[0].Header(deadletter.HeaderAttempts))
}
