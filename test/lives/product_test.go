package lives_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/test/lives"
)

// product decides on one life after the other, with no broker, no crash and a memory that is never lost.
type product struct {
	*testing.T
	decoder  *recharge.Decoder
	settings subscriber.Settings
	watch    *lives.Watch
	tables   lives.Tables
	place    lives.Place
	webhooks int
	// late says that the API answers in the end only, where nothing waits for it.
	late    bool
	asks    []subscriber.Ask
	events  []event
	letters map[string]int
}

// event is one as it was written.
type event struct {
	value []byte
	id    string
	place lives.Place
}

func newProduct(t *testing.T, many int) *product {
	t.Helper()
	decoder, err := recharge.NewDecoder()
	require.NoError(t, err)
	return &product{
		T: t, decoder: decoder, watch: lives.NewWatch(shop(), many), tables: lives.Tables{}, letters: map[string]int{},
		settings: subscriber.Settings{
			Store: "acme", CustomerID: subscriber.ByEmail, CustomerIDName: "registered", ActiveProperty: true, SMS: true, API: true,
		},
	}
}

func (p *product) live(n int) {
	p.Helper()
	l, memory := shop().Life(n), &subscriber.Memory{}
	id := fmt.Sprint(lives.CustomerID(n))
	for _, burst := range l.Bursts {
		for _, d := range burst {
			p.webhooks++
			webhook, err := p.decoder.Decode(recharge.Topic(d.Topic), l.Body(d))
			require.NoError(p, err, string(l.Body(d)))
			memory = p.decide(l, memory, id, webhook, d.Received)
		}
	}
	for _, ask := range p.asks {
		memory = p.learn(l, memory, id, ask, shop().Now)
	}
	p.asks = nil
	if row := memory.Row("acme", id); row != nil {
		p.row(id, row)
	}
	for key, row := range memory.SubscriptionRows("acme", id) {
		p.row(id+"/"+key, row)
	}
}

func (p *product) row(key string, row any) {
	p.Helper()
	value, err := json.Marshal(row)
	require.NoError(p, err)
	p.tables.Take("acme/"+key, value)
}

// decide asks the API at once where it must, and what it may after.
func (p *product) decide(l lives.Life, memory *subscriber.Memory, id string, w recharge.Webhook, at time.Time) *subscriber.Memory {
	p.Helper()
	decision, after, err := subscriber.Decide(p.settings, memory, w, at)
	var needed *subscriber.LookupNeeded
	if errors.As(err, &needed) {
		memory = p.learn(l, memory, id, subscriber.Ask{Kind: subscriber.AskIdentity}, at)
		decision, after, err = subscriber.Decide(p.settings, memory, w, at)
	}
	if errors.Is(err, subscriber.ErrCustomerUnknown) {
		p.watch.Letter(id)
		p.letters[id]++
		return memory
	}
	require.NoError(p, err, w.Topic)
	p.told(decision.Events)
	for _, ask := range decision.Asks {
		if p.late {
			p.asks = append(p.asks, ask)
			continue
		}
		after = p.learn(l, after, id, ask, at)
	}
	return after
}

func (p *product) learn(l lives.Life, memory *subscriber.Memory, id string, ask subscriber.Ask, at time.Time) *subscriber.Memory {
	p.Helper()
	answer := subscriber.Answer{Ask: ask, Complete: ask.Kind != subscriber.AskIdentity}
	for _, document := range l.Answers() {
		topic := recharge.Topic("subscription/read")
		if strings.HasPrefix(document, `{"customer"`) {
			topic = "customer/read"
		}
		customer, err := p.decoder.Decode(topic, []byte(document))
		require.NoError(p, err)
		switch {
		case customer.Subscription == nil && ask.Kind == subscriber.AskIdentity:
			answer.Customer = customer.Customer
		case customer.Subscription != nil && ask.Kind != subscriber.AskIdentity:
			answer.Subscriptions = append(answer.Subscriptions, *customer.Subscription)
		}
	}
	require.True(p, answer.Complete || answer.Customer != nil, "customer %s should not be asked for", id)
	decision, after, err := subscriber.Learn(p.settings, memory, id, answer, at)
	require.NoError(p, err)
	p.told(decision.Events)
	return after
}

func (p *product) told(events []subscriber.Event) {
	p.Helper()
	p.place.Offset++
	for _, e := range events {
		value, err := json.Marshal(e)
		require.NoError(p, err)
		require.NoError(p, p.watch.Event(value, p.place))
		p.watch.Once("event", e.ID)
		p.events = append(p.events, event{value, e.ID, p.place})
	}
}
