package pipeline_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/embedded"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// redrive redrives every dead letter of a role.
func (w *world) redrive(role topology.Role) {
	for _, letter := range w.dead(role) {
		w.produce(deadletter.Redrive(letter, topology.Topics{}.Redrive(role)))
	}
}

// A redriven webhook whose customer was unknown has the outputs that it would have had at first.
func TestRedriveOfAWebhook(t *testing.T) {
	w := newWorld(t, storeConfig{})
	w.produce(w.raw("charge/created", `{}`), w.raw("subscription/created", subscriptionBody("784594001", "")))
	w.handleAll()
	require.Len(t, w.dead(topology.RoleTransformer), 2, "%v", w.outcomes.all())
	require.Empty(t, w.topics.since("recharge.events", 0))

	w.later(48 * time.Hour)
	w.api.PutCustomer("246936001", []byte(`{"customer":`+joBean+`}`))
	w.redrive(topology.RoleTransformer)
	w.handleAll()

	events := w.topics.since("recharge.events", 0)
	require.NotEmpty(t, events, "%v", w.outcomes.all())
	for _, e := range events {
		if e.Header(envelope.HeaderCEType) == "rechargeflow.customer_property" && e.Header(envelope.HeaderRawOffset) != "1" {
			continue // an event of the API's answer
		}
		assert.Equal(t, "recharge.webhooks", e.Header(envelope.HeaderRawTopic))
		assert.Equal(t, "0", e.Header(envelope.HeaderRawPartition))
		assert.Equal(t, "1", e.Header(envelope.HeaderRawOffset))
		assert.Equal(t, "2026-03-01T10:00:05Z", e.Header(envelope.HeaderReceivedAt))
		assert.Equal(t, traceparent, e.Header(envelope.HeaderTraceparent))
	}
	assert.Len(t, w.bloomreach.Events(), 1)

	dead := w.dead(topology.RoleTransformer)
	require.Len(t, dead, 3, "the charge without an object is a dead letter again")
	again := deadletter.Read(dead[2])
	assert.Equal(t, 2, again.Attempts)
	assert.Equal(t, "recharge.webhooks", again.Record.Topic)
	assert.EqualValues(t, 0, again.Record.Offset)
	assert.Equal(t, `{}`, string(again.Record.Value))
	assert.Equal(t, 48*time.Hour, again.Last.Sub(again.First))
	assert.Contains(t, w.log.String(), `"redriven":true`)
}

// A webhook of a mistyped topic has its effect once it is sent again under the right one, and only once.
func TestRepairOfAMistypedTopic(t *testing.T) {
	w := newWorld(t, storeConfig{})
	w.api.PutCustomer("246936001", []byte(`{"customer":`+joBean+`}`))
	w.produce(w.raw("subscription/creatd", subscriptionBody("784594001", "")))
	w.handleAll()
	require.Empty(t, w.topics.since("recharge.events", 0))

	w.later(48 * time.Hour)
	for range 2 {
		repaired, err := admission.Retopic(w.topics.since("recharge.webhooks", 0)[0], "subscription/created", w.now)
		require.NoError(t, err)
		w.produce(repaired)
		w.handleAll()
	}
	require.Len(t, w.bloomreach.Events(), 1, "%v", w.outcomes.all())
	event := w.topics.since("recharge.events", 0)[0]
	assert.Equal(t, "2026-03-01T10:00:05Z", event.Header(envelope.HeaderReceivedAt))
	assert.Equal(t, "operator", event.Header(envelope.HeaderSource))
}

// Each store's sink handles only its own redriven records.
func TestRedriveReachesItsStoreAlone(t *testing.T) {
	w := newWorld(t, storeConfig{Reject: "no such event"})
	other := bloomreachtest.New()
	t.Cleanup(other.Close)
	options := w.options(storeConfig{})
	beta := options.Stores[0]
	beta.Settings.Store = "beta"
	options.Stores = append(options.Stores, beta)
	var err error
	w.stages, err = pipeline.Stages([]topology.Role{topology.RoleTracking}, options, w.run)
	require.NoError(t, err)

	w.produce(w.eventRecords(3)...)
	w.handleAll()
	require.Len(t, w.dead(topology.RoleTracking), 3)
	w.bloomreach.RejectWhen(nil)
	w.redrive(topology.RoleTracking)
	w.handleAll()
	assert.Equal(t, upTo(3), w.trackedIDs())
	assert.Equal(t, 3, w.outcomes.count("tracking done"), "once each: beta's sink counts none of them")
	assert.Zero(t, w.bloomreach.Deduplicated())
}

// An event that was redriven twice is sent in two requests, since the ids in one must differ.
func TestRedriveOfTheSameEventTwice(t *testing.T) {
	w := newWorld(t, storeConfig{Reject: "no such event"})
	w.produce(w.eventRecords(2)...)
	w.handleAll()
	w.bloomreach.RejectWhen(nil)
	w.redrive(topology.RoleTracking)
	w.redrive(topology.RoleTracking)
	w.handleAll()
	assert.Equal(t, upTo(2), w.trackedIDs())
	assert.Equal(t, 2, w.bloomreach.Deduplicated())
	assert.Equal(t, 4, w.outcomes.count("tracking done"))
}

// A trigger that could not be read is sent when it can be, and its dead letter was redriven.
func TestRedriveOfATrigger(t *testing.T) {
	w := textWorld(t)
	unknown := w.built
	unknown.Stores = slices.Clone(unknown.Stores)
	unknown.Stores[0].Settings.Store = "another"
	configured := w.stages
	var err error
	w.stages, err = pipeline.Stages([]topology.Role{topology.RoleSMS}, unknown, w.run)
	require.NoError(t, err)
	w.send(w.triggerRecord(0))
	require.Len(t, w.dead(topology.RoleSMS), 1)
	w.stages = configured
	w.redrive(topology.RoleSMS)
	w.redrive(topology.RoleSMS)
	w.handleAll()
	w.release()
	assert.Len(t, w.texts.Texts(), 1)
	assert.Equal(t, 1, w.outcomes.count("sms skipped duplicate"))
}

// impatient gives up before Kafka reports that a topic does not exist.
type impatient struct{ *kafka.Producer }

func (p impatient) Produce(ctx context.Context, records ...kafka.Record) error {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	return p.Producer.Produce(ctx, records...)
}

// While the dead-letter topic does not exist, the partition waits: nothing is committed, and later records are not handled.
// Once it exists, the partition continues, and the dead letter is in the partition of the record.
func TestDeadLetterTopicMissing(t *testing.T) {
	topics := topology.Topics{}
	spec := func(names ...string) admin.Spec {
		var s admin.Spec
		for _, name := range names {
			s.Topics = append(s.Topics, admin.TopicSpec{Name: name, Partitions: 4, Replication: 1})
		}
		return s
	}
	broker, err := embedded.Start(embedded.Config{
		Topics: spec(topics.Webhooks(), topics.Events(), topics.Facts(), topics.Triggers(), topics.Customers(), topics.Subscriptions(), topics.Charges(), topics.State(), topics.Redrive(topology.RoleTransformer)),
	}, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	cluster := kafka.Cluster{Brokers: broker.Brokers()}
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	t.Cleanup(func() { require.NoError(t, producer.Close()) })

	w := newWorld(t, storeConfig{})
	w.run.Produce = impatient{producer}.Produce
	stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer}, w.options(storeConfig{}), w.run)
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
	require.ErrorContains(t, stage.Trouble(), topics.DeadLetters(topology.RoleTransformer))
	assert.Empty(t, w.outcomes.all(), "no record has an outcome, and the valid one waits")

	_, err = admin.Apply(t.Context(), cluster, spec(topics.DeadLetters(topology.RoleTransformer)))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(w.outcomes.all()) == 3 }, 60*time.Second, 10*time.Millisecond)
	assert.ElementsMatch(t, []string{"transformer rejected malformed", "transformer done", "transformer skipped owner_applied"}, w.outcomes.all())
	letters, err := kafkatest.ReadAll(t.Context(), cluster, topics.DeadLetters(topology.RoleTransformer))
	require.NoError(t, err)
	require.Len(t, letters, 1)
	assert.Equal(t, 3, letters[0].Partition)
	assert.Equal(t, "3/0", letters[0].Header(deadletter.HeaderPartition)+"/"+letters[0].Header(deadletter.HeaderOffset))
	assert.Equal(t, "1", letters[0].Header(deadletter.HeaderAttempts))
}
