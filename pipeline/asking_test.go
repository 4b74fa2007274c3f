package pipeline_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/lookup"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/schemas/schematest"
)

// An answer is a record of the raw topic, of its customer's key, by its own schema;
// what is logged of it is nobody's business.
func TestAnswersEnterThroughTheRawTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := rechargetest.NewInProcess("token")
		life := rechargetest.Life{Customer: 7, Items: 2}
		require.NoError(t, api.Put(life.CustomerBody(2, time.Now())))
		for _, d := range life.Burst(rechargetest.FirstCheckout, time.Now()) {
			if d.Topic == "subscription/created" {
				require.NoError(t, api.Put(d.Body))
			}
		}
		client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: api.URL, Token: "token", HTTPClient: api.Client(time.Second)})
		require.NoError(t, err)
		memory, log, fates := &memoryTopics{records: map[string][]kafka.Record{}}, &logText{}, &fates{}
		asker := pipeline.NewAsker(pipeline.Runtime{
			Topics: pipeline.Topics{Prefix: "eu."}, Producer: memory, Metrics: fates, Log: log.logger(), Now: time.Now,
		}, map[string]lookup.Reader{"acme": client})

		const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
		question := func(id string, purpose recharge.Purpose) lookup.Ask {
			return lookup.Ask{Store: "acme", Question: recharge.Question{CustomerID: id, For: purpose}, Traceparent: traceparent}
		}
		memory.down = true // at first
		asker.Want(0, question(life.CustomerID(), recharge.ForFlag), question(life.CustomerID(), recharge.ForIdentity), question("999", recharge.ForIdentity))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		time.AfterFunc(time.Minute, func() {
			memory.mu.Lock()
			defer memory.mu.Unlock()
			memory.down = false
		})
		require.NoError(t, asker.Run(ctx))

		validator, err := schematest.New()
		require.NoError(t, err)
		decoder, err := recharge.NewDecoder()
		require.NoError(t, err)
		found := map[string]recharge.Lookup{}
		var order []string
		for _, r := range memory.since("eu.recharge.webhooks", 0) {
			l, err := decoder.Lookup(r.Value)
			require.NoError(t, err)
			found[l.CustomerID+" "+string(l.For)] = l
			order = append(order, l.CustomerID+" "+string(l.For))
			assert.Equal(t, "acme/"+l.CustomerID, string(r.Key))
			assert.Equal(t, "lookup", r.Header(pipeline.HeaderOrigin))
			assert.Equal(t, "acme", r.Header(pipeline.HeaderStore))
			assert.Equal(t, traceparent, r.Header(pipeline.HeaderTraceparent))
			at, err := time.Parse(time.RFC3339Nano, r.Header(pipeline.HeaderReceivedAt))
			require.NoError(t, err)
			assert.True(t, at.Equal(r.Time))
			require.NoError(t, validator.Check(r.Header(pipeline.HeaderDataSchema), r.Value), string(r.Value))
		}
		require.Len(t, order, 3)
		assert.Equal(t, life.Email(), found[life.CustomerID()+" identity"].Customer.Email)
		assert.Len(t, found[life.CustomerID()+" flag"].Subscriptions, 2)
		assert.True(t, found["999 identity"].NotFound)
		assert.Greater(t, slices.Index(order, life.CustomerID()+" flag"), slices.Index(order, life.CustomerID()+" identity"))
		assert.Positive(t, fates.count("lookup of acme for identity: not_kept"))
		assert.Equal(t, 1, fates.count("lookup of acme for identity: not_found"))
		log.requireDiscreet(t)
		api.Close()
	})
}
