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
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/lookup"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/histories"
)

// An answer is a record of the raw topic, of its customer's key, by its own schema;
// the log has no personal data of it.
func TestAnswersEnterThroughTheRawTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := rechargetest.NewInProcess("token")
		customer := histories.Customer{Number: 7, Items: 2}
		require.NoError(t, api.Put(customer.Body(2, time.Now())))
		for _, d := range customer.Burst(histories.FirstCheckout, time.Now()) {
			if d.Topic == "subscription/created" {
				require.NoError(t, api.Put(d.Body()))
			}
		}
		client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: api.URL, Token: "token", HTTPClient: api.Client(time.Second)})
		require.NoError(t, err)
		memory, log, outcomes := &memoryTopics{records: map[string][]kafka.Record{}}, &logText{}, &outcomes{}
		queue := pipeline.NewLookups(pipeline.Runtime{
			Topics: topology.Topics{Prefix: "eu."}, Produce: memory.Produce, Metrics: outcomes, Log: log.logger(), Now: time.Now,
		}, map[string]lookup.Client{"acme": client})

		const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
		request := func(id string, kind recharge.LookupKind) recharge.LookupRequest {
			return recharge.LookupRequest{Store: "acme", CustomerID: id, Kind: kind, Traceparent: traceparent}
		}
		memory.down = true // at first
		queue.Add(0, request(customer.ID(), recharge.LookupSubscriptions), request(customer.ID(), recharge.LookupCustomer), request("999", recharge.LookupCustomer))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		time.AfterFunc(time.Minute, func() {
			memory.mu.Lock()
			defer memory.mu.Unlock()
			memory.down = false
		})
		require.NoError(t, queue.Run(ctx))

		validator, err := validators()
		require.NoError(t, err)
		decoder, err := recharge.NewDecoder()
		require.NoError(t, err)
		found := map[string]recharge.Lookup{}
		var order []string
		for _, r := range memory.since("eu.recharge.webhooks", 0) {
			l, err := decoder.Lookup(r.Value, time.Now())
			require.NoError(t, err)
			found[l.CustomerID+" "+string(l.Kind)] = l
			order = append(order, l.CustomerID+" "+string(l.Kind))
			assert.Equal(t, "acme/"+l.CustomerID, string(r.Key))
			assert.Equal(t, "lookup", r.Header(envelope.HeaderSource))
			assert.Equal(t, "acme", r.Header(envelope.HeaderStore))
			assert.Equal(t, traceparent, r.Header(envelope.HeaderTraceparent))
			at, err := time.Parse(time.RFC3339Nano, r.Header(envelope.HeaderReceivedAt))
			require.NoError(t, err)
			assert.True(t, at.Equal(r.Time))
			require.NoError(t, validator.Check(r.Header(envelope.HeaderCEDataSchema), r.Value), string(r.Value))
		}
		require.Len(t, order, 3)
		assert.Equal(t, customer.Email(), found[customer.ID()+" customer"].Customer.Email)
		assert.Len(t, found[customer.ID()+" subscriptions"].Subscriptions, 2)
		assert.True(t, found["999 customer"].NotFound)
		assert.Greater(t, slices.Index(order, customer.ID()+" subscriptions"), slices.Index(order, customer.ID()+" customer"))
		assert.Positive(t, outcomes.count("lookup of acme for customer: not_published"))
		assert.Equal(t, 1, outcomes.count("lookup of acme for customer: not_found"))
		log.requireNoPersonalData(t)
		api.Close()
	})
}
