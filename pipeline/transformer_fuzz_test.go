package pipeline_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate/customerstatetest"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// Any signed body has an outcome: a body without one would block its partition for ever. Its outputs fit into Kafka and conform to
// the schemas.
func FuzzTransformer(f *testing.F) {
	for i, topic := range allTopics() {
		f.Add(byte(i), []byte(bodyOf(topic, "11", "1", 2)))
		f.Add(byte(i), []byte(subscriptionBody("1", joBean)))
		f.Add(byte(i), []byte(`{"subscription":{"id":1,"customer_id":2,"product_title":"<&>\u2028","quantity":"1.0","price":"00.10"},"customer":[]}`))
	}
	validator, err := validators()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, topic byte, body []byte) {
		topics := allTopics()
		d := newGatewayBench(t, nil, nil)
		if answer := d.send(webhookRequest("/webhooks/acme/"+topics[int(topic)%len(topics)], string(body))); answer.Code != 200 {
			return
		}
		stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer}, pipeline.Options{
			Stores: []pipeline.Store{{Settings: settingsOf(store)}}, State: customerstatetest.Store(&customerstatetest.Memory{}), Raw: d.topics,
		}, pipeline.Runtime{Produce: d.topics.Produce, Metrics: d.stores, Log: d.log.logger(), Now: atTen})
		require.NoError(t, err)
		raw := d.stored()[0]
		left, err := handle(t.Context(), stages[0], d.topics.Produce, []kafka.Record{raw})
		require.NoError(t, err)
		require.Empty(t, left)
		require.Zero(t, d.stores.count("transformer rejected panic"))
		for _, topic := range []string{"recharge.events", "recharge.sms-triggers"} {
			for _, r := range d.topics.since(topic, 0) {
				require.LessOrEqual(t, r.Size(), kafka.MaxRecordBytes)
				require.NoError(t, validator.Check(r.Header(envelope.HeaderCEDataSchema), r.Value))
			}
		}
	})
}
