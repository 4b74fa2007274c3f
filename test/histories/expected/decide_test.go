package expected_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/test/histories"
	"github.com/rechargeflow/rechargeflow/test/histories/expected"
)

// product decides on the webhooks of one customer after the other, without a broker and without crashes.
type product struct {
	*testing.T
	shop       histories.Shop
	many       int
	decoder    *recharge.Decoder
	settings   subscriber.Settings
	checker    *expected.Checker
	tables     expected.Tables
	raw        expected.Position
	webhooks   int
	customerID string // of the history at hand
	// late applies lookups at the end only, if no record is parked for them.
	late        bool
	requests    []recharge.LookupRequest
	events      []event
	facts       [][]byte
	owners      map[string]subscriber.ChargeOwnerState
	deadLetters []string
}

// event is an emitted event.
type event struct {
	value []byte
	id    string
	raw   expected.Position
}

func newChecker(shop histories.Shop, many int) *expected.Checker {
	return expected.NewChecker(many, func(n int) expected.Result { return expected.Of(shop.History(n)) })
}

func newProduct(t *testing.T, shop histories.Shop, many int) *product {
	t.Helper()
	decoder, err := recharge.NewDecoder()
	require.NoError(t, err)
	return &product{
		T: t, shop: shop, many: many, decoder: decoder, checker: newChecker(shop, many), tables: expected.Tables{}, owners: map[string]subscriber.ChargeOwnerState{},
		settings: subscriber.Settings{
			Store: "acme", CustomerID: subscriber.ByEmail, ActiveProperty: true, SMS: true, API: true,
		},
	}
}

func (p *product) run() {
	p.Helper()
	for n := range p.many {
		p.customer(p.shop.History(n))
	}
}

func (p *product) customer(h histories.History) {
	p.Helper()
	p.customerID = h.ID()
	state := &subscriber.State{}
	for _, burst := range h.Bursts {
		for _, d := range burst {
			p.webhooks++
			state = p.decide(h, state, d)
		}
	}
	for _, request := range p.requests {
		state = p.applyLookup(h, state, request, p.shop.Now)
	}
	p.requests = nil
	if row := state.CustomerRow("acme", h.ID()); row != nil {
		p.row(h.ID(), row)
	}
	for key, row := range state.SubscriptionRows("acme", h.ID()) {
		p.row(h.ID()+"/"+key, row)
	}
}

func (p *product) row(key string, row any) {
	p.Helper()
	value, err := json.Marshal(row)
	require.NoError(p, err)
	p.tables.Set("acme/"+key, value)
}

// decide decides on a webhook, with the lookups that it needs before and requests after. A webhook whose body names no customer has
// a state of its own.
func (p *product) decide(h histories.History, state *subscriber.State, d histories.Delivery) *subscriber.State {
	p.Helper()
	webhook, err := p.decoder.Decode(d.Topic, d.Body(), d.Received)
	require.NoError(p, err, string(d.Body()))
	if d.Topic == "charge/deleted" {
		known, deletion, _ := subscriber.ApplyChargeDeleted(p.owners[d.ID], "acme", d.ID, d.Received)
		p.owners[d.ID] = known
		return p.delete(state, deletion, d.Received)
	}
	if d.Key() != h.ID() {
		_, _, err := subscriber.Decide(p.settings, &subscriber.State{}, webhook, d.Received)
		p.deadLetter(d.Key(), err)
		return state
	}
	decision, after, err := subscriber.Decide(p.settings, state, webhook, d.Received)
	var needed *subscriber.LookupNeeded
	if errors.As(err, &needed) {
		state = p.applyLookup(h, state, recharge.LookupRequest{Kind: recharge.LookupCustomer}, d.Received)
		decision, after, err = subscriber.Decide(p.settings, state, webhook, d.Received)
	}
	if p.deadLetter(d.Key(), err) {
		return state
	}
	after = p.emitted(decision, after, d.Received)
	for _, request := range decision.Lookups {
		if p.late {
			p.requests = append(p.requests, request)
			continue
		}
		after = p.applyLookup(h, after, request, d.Received)
	}
	return after
}

func (p *product) deadLetter(key string, err error) bool {
	p.Helper()
	if !errors.Is(err, subscriber.ErrCustomerUnknown) {
		require.NoError(p, err, key)
		return false
	}
	p.checker.DeadLetter(key)
	p.deadLetters = append(p.deadLetters, key)
	return true
}

func (p *product) applyLookup(h histories.History, state *subscriber.State, request recharge.LookupRequest, at time.Time) *subscriber.State {
	p.Helper()
	request.CustomerID = h.ID()
	answer := recharge.Lookup{LookupRequest: request, Complete: request.Kind != recharge.LookupCustomer}
	for _, document := range h.Answers() {
		topic := recharge.Topic("subscription/read")
		if strings.HasPrefix(document, `{"customer"`) {
			topic = "customer/read"
		}
		read, err := p.decoder.Decode(topic, []byte(document), at)
		require.NoError(p, err)
		switch {
		case read.Subscription == nil && request.Kind == recharge.LookupCustomer:
			answer.Customer = read.Customer
		case read.Subscription != nil && request.Kind != recharge.LookupCustomer:
			answer.Subscriptions = append(answer.Subscriptions, *read.Subscription)
		}
	}
	if request.Kind == recharge.LookupCustomer && answer.Customer == nil { // the API does not know the customer
		return state.LookedUp()
	}
	require.True(p, !answer.Complete || h.Listed(), "the subscriptions of customer %d should not be looked up", h.Number)
	decision, after, err := subscriber.ApplyLookup(p.settings, state, answer, false, at)
	require.NoError(p, err)
	return p.emitted(decision, after, at)
}

// delete applies the deletion of a charge, if there is one.
func (p *product) delete(state *subscriber.State, deletion *subscriber.ChargeDeletion, at time.Time) *subscriber.State {
	p.Helper()
	if deletion == nil {
		return state
	}
	decision, after, err := subscriber.ApplyChargeDeletion(p.settings, state, *deletion, at)
	require.NoError(p, err)
	return p.emitted(decision, after, at)
}

// emitted takes the outputs of a decision, and returns the state after the deletions that they lead to.
func (p *product) emitted(d subscriber.Decision, after *subscriber.State, at time.Time) *subscriber.State {
	p.Helper()
	p.raw.Offset++
	for i := range d.Facts {
		value, err := json.Marshal(&d.Facts[i])
		require.NoError(p, err)
		require.NoError(p, p.checker.Fact(value))
		p.checker.Once("fact", d.Facts[i].ID)
		p.facts = append(p.facts, value)
	}
	for _, row := range d.Charges {
		key := "acme/" + p.customerID + "/" + row.ChargeID
		if row.Value == nil {
			p.tables.Set(key, nil)
			continue
		}
		p.row(p.customerID+"/"+row.ChargeID, row.Value)
	}
	for _, o := range d.ChargeOwners {
		known, deletion := subscriber.ApplyChargeOwner(p.owners[o.ChargeID], o, at)
		p.owners[o.ChargeID] = known
		after = p.delete(after, deletion, at)
	}
	for _, e := range d.Events {
		value, err := json.Marshal(e)
		require.NoError(p, err)
		require.NoError(p, p.checker.Event(value, p.raw))
		p.checker.Once("event", e.ID)
		p.events = append(p.events, event{value, e.ID, p.raw})
	}
	return after
}
