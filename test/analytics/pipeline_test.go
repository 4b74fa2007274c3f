package analytics_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// product decides on webhooks as the transformer does, without a broker, and keeps the values of the topics.
type product struct {
	*testing.T
	decoder *recharge.Decoder
	states  map[int]*subscriber.State
	owners  map[string]subscriber.ChargeOwnerState
	people  func(id int) *person
	topics  topics
}

func newProduct(t *testing.T) *product {
	t.Helper()
	decoder, err := recharge.NewDecoder()
	require.NoError(t, err)
	return &product{
		T: t, decoder: decoder, states: map[int]*subscriber.State{}, owners: map[string]subscriber.ChargeOwnerState{},
		topics: topics{subscriptions: map[string]record{}, charges: map[string]record{}},
	}
}

func settings() subscriber.Settings {
	return subscriber.Settings{Store: "acme", CustomerID: subscriber.ByEmail, ActiveProperty: true, API: true}
}

func (p *product) webhook(customer int, topic string, body []byte, at time.Time) {
	webhook, err := p.decoder.Decode(recharge.Topic(topic), body, at)
	require.NoError(p, err, string(body))
	if topic == "charge/deleted" {
		owner, deletion, _ := subscriber.ApplyChargeDeleted(p.owners[webhook.Charge.ID], "acme", webhook.Charge.ID, at)
		p.owners[webhook.Charge.ID] = owner
		p.delete(customer, deletion, at)
		return
	}
	p.decide(customer, webhook, at)
}

func (p *product) decide(customer int, webhook recharge.Webhook, at time.Time) {
	decision, after, err := subscriber.Decide(settings(), p.state(customer), webhook, at)
	require.NoError(p, err)
	p.save(customer, decision, after, at)
	for _, request := range decision.Lookups {
		p.lookUp(customer, request, at)
	}
}

func (p *product) state(customer int) *subscriber.State {
	if p.states[customer] == nil {
		p.states[customer] = &subscriber.State{}
	}
	return p.states[customer]
}

// lookUp answers a lookup of a customer's subscriptions.
func (p *product) lookUp(customer int, request recharge.LookupRequest, at time.Time) {
	of := p.people(customer)
	answer := recharge.Lookup{LookupRequest: request, Complete: true, Subscriptions: []recharge.Subscription{}}
	answer.CustomerID = fmt.Sprint(customer)
	for _, x := range of.subs {
		read, err := p.decoder.Decode("subscription/read", encode(fields{"subscription": x.body(of)}), at)
		require.NoError(p, err)
		answer.Subscriptions = append(answer.Subscriptions, *read.Subscription)
	}
	decision, after, err := subscriber.ApplyLookup(settings(), p.state(customer), answer, false, at)
	require.NoError(p, err)
	p.save(customer, decision, after, at)
}

func (p *product) delete(customer int, deletion *subscriber.ChargeDeletion, at time.Time) {
	if deletion == nil {
		return
	}
	decision, after, err := subscriber.ApplyChargeDeletion(settings(), p.state(customer), *deletion, at)
	require.NoError(p, err)
	p.save(customer, decision, after, at)
}

func (p *product) save(customer int, d subscriber.Decision, after *subscriber.State, at time.Time) {
	for i := range d.Events {
		p.topics.events = append(p.topics.events, read(p.value(&d.Events[i])))
	}
	for i := range d.Facts {
		p.topics.facts = append(p.topics.facts, read(p.value(&d.Facts[i])))
	}
	for _, row := range d.Charges {
		delete(p.topics.charges, row.ChargeID)
		if row.Value != nil {
			p.topics.charges[row.ChargeID] = read(p.value(row.Value))
		}
	}
	for _, row := range subscriber.ChangedRows("acme", fmt.Sprint(customer), p.state(customer), after) {
		if row.SubscriptionID == "" {
			continue
		}
		delete(p.topics.subscriptions, row.SubscriptionID)
		if row.Value != nil {
			p.topics.subscriptions[row.SubscriptionID] = read(p.value(row.Value))
		}
	}
	p.states[customer] = after
	for _, o := range d.ChargeOwners {
		owner, deletion := subscriber.ApplyChargeOwner(p.owners[o.ChargeID], o, at)
		p.owners[o.ChargeID] = owner
		p.delete(customer, deletion, at)
	}
}

func (p *product) value(of any) []byte {
	value, err := json.Marshal(of)
	require.NoError(p, err)
	return value
}
