// Package servicetest builds a service of the console for tests: on an embedded broker, with its topics, tables and read model, and an SMS
// provider in this process.
package servicetest

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/membership"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
	"github.com/rechargeflow/rechargeflow/pkg/sender"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/texts"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// World is a service and what is around it.
type World struct {
	*service.Service
	testing.TB

	Config   service.Config
	Provider *Provider
	Profiles *Profiles
	Logs     *observer.ObservedLogs

	mutex sync.Mutex
	now   time.Time
}

// New returns a service of the stores acme, whose texts are ours, and platform, whose destination has texts of its own, on a broker.
func New(t testing.TB, b kafkatest.Broker) *World {
	t.Helper()
	w := &World{TB: t, Provider: &Provider{}, Profiles: &Profiles{Set: map[string]map[string]bool{}}, now: time.Now().UTC().Truncate(time.Second)}
	core, logs := observer.New(zap.InfoLevel)
	w.Logs = logs
	topics := topology.Topics{Prefix: kafkatest.Topic(t, b.Addr(), 1) + "."}
	const partitions = 3
	spec, err := admin.ParseTopics(configs.Topics(), admin.TopicOptions{Prefix: topics.Prefix, SingleBroker: true, Partitions: partitions})
	require.NoError(t, err)
	_, err = admin.Apply(t.Context(), b.Cluster(), spec)
	require.NoError(t, err)
	producer := kafka.NewProducer(b.Cluster(), kafka.ProducerConfig{Partitions: kafka.PartitionCount{Count: partitions}})
	t.Cleanup(func() { require.NoError(t, producer.Close()) })
	w.Config = service.Config{
		Cluster: b.Cluster(), Topics: topics, Partitions: kafka.PartitionCount{Count: partitions}, Settings: settings.New(topics.Prefix), Produce: producer.Produce,
		Log: zap.New(core), Now: w.Now, Specs: spec.Topics, ReplayRate: 100,
		Stores: []service.Store{w.store("acme", false), w.store("platform", true)},
		Checks: func(context.Context, string) []service.Check { return nil },
		Zone:   func(string, string) string { return "" },
		Samples: func(context.Context, string, string) ([]service.SampleEvent, error) {
			return []service.SampleEvent{}, nil
		},
	}
	w.Config.Flows = settings.NewTable(w.Config.Settings.Topic, zap.NewNop())
	w.Config.Consent = consent.NewTable(topics.Consent(), map[string]consent.Mode{"acme": consent.ModeOptOut}, zap.NewNop())
	w.Config.Tokens = access.NewTokens(w.Config.Settings, b.Cluster(), w.Config.Flows, w.Now)
	model, err := readmodel.Open(readmodel.Config{Dir: t.TempDir(), Cluster: b.Cluster(), Topics: topics, Every: 20 * time.Millisecond, Now: w.Now})
	require.NoError(t, err)
	w.Config.Model = model
	t.Cleanup(func() { require.NoError(t, model.Close()) })
	w.run(model)
	w.Service = service.New(w.Config)
	t.Cleanup(w.Stop)
	return w
}

// run runs tables and read model until the test ends, and waits until they have read their topics.
func (w *World) run(model *readmodel.Model) {
	ctx, stop := context.WithCancel(context.WithoutCancel(w.Context()))
	var running sync.WaitGroup
	for _, task := range []func() error{
		func() error { return w.Config.Flows.Run(ctx, w.Config.Cluster) },
		func() error { return w.Config.Consent.Run(ctx, w.Config.Cluster) },
		func() error { return model.Run(ctx) },
	} {
		running.Go(func() { _ = task() }) // it ends with ctx
	}
	w.Cleanup(func() {
		stop()
		running.Wait()
	})
	const patience = 30 * time.Second
	require.Eventually(w, func() bool {
		select {
		case <-w.Config.Consent.Ready():
			return w.Config.Flows.IsReady() && model.Progress().CaughtUp
		default:
			return false
		}
	}, patience, time.Millisecond)
}

// store returns the settings of a store.
func (w *World) store(name string, ownTexts bool) service.Store {
	zones, err := quiethours.NewFinder("America/New_York", "US")
	require.NoError(w, err)
	shop := flow.Shop{Name: "Acme", URL: "https://acme.example", PortalURL: "https://{shop}/portal/{hash}", OptOut: "Reply STOP to opt out.", OwnTexts: ownTexts}
	return service.Store{
		Name: name, Destination: "Bloomreach", Texts: true, Currency: "USD", TimeZone: "America/New_York", Region: "US", Shop: shop, Asks: consent.ModeOptOut,
		Decides: subscriber.Settings{Store: name}, Sinks: []topology.Role{topology.RoleTracking, topology.RoleSMS},
		Sends: texts.Store{
			Shop: shop, From: "+18005550100", DefaultRegion: "US", Zones: zones, Destination: texts.Destination{Renders: ownTexts}, Lease: time.Minute,
			CallWithin: sender.BeginWithin,
		},
		Driver: "webhook", Send: w.Provider.send,
		Profiles: &service.Profiles{
			Of: func(_, email string) membership.Profile {
				return membership.Profile{ID: email, IDs: map[string]string{"registered": email}}
			},
			Former:      func(id string) map[string]string { return map[string]string{"registered": id} },
			Destination: w.Profiles,
		},
	}
}

// Now is the clock.
func (w *World) Now() time.Time {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.now
}

// Pass lets time pass.
func (w *World) Pass(d time.Duration) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.now = w.now.Add(d)
}

// Write writes a value to the partition of a customer.
func (w *World) Write(topic, store, customer, kind string, value any) {
	w.Helper()
	encoded, err := json.Marshal(value)
	require.NoError(w, err)
	key := []byte(store + "/" + customer)
	require.NoError(w, w.Config.Produce(w.Context(), kafka.Record{
		Topic: topic, Partition: kafka.ByKey, Key: key, Value: encoded, Time: w.Now(),
		Headers: []kafka.Header{{Key: envelope.HeaderCEType, Value: []byte(kind)}, {Key: "store", Value: []byte(store)}},
	}))
}

// Customer writes a row of recharge.customers.
func (w *World) Customer(store, id, email, phone string) {
	w.Helper()
	w.Write(w.Config.Topics.Customers(), store, id, "rechargeflow.customers", subscriber.CustomerRow{Store: store, RechargeCustomerID: id, Email: email, Phone: phone})
}

// Paid writes a trigger of charge_paid.
func (w *World) Paid(store, customer, charge, name, phone string) {
	w.Helper()
	w.Write(w.Config.Topics.Triggers(), store, customer, envelope.TypeTrigger, subscriber.Trigger{
		ID: "trigger-" + charge, Store: store, Flow: flow.ChargePaid, Cause: store + "/" + customer + "/charge/" + charge, RechargeCustomerID: customer,
		OccurredAt: w.Now(), StaleAt: w.Now().Add(24 * time.Hour), Items: []string{"charge/" + charge},
		Recipient: subscriber.Recipient{FirstName: name, LastName: "Featherstone", Phone: phone, Country: "US", PortalHash: "f99bd4a6secret"},
		Charge:    &subscriber.Charge{ID: charge, TotalPrice: "20.00", Currency: "USD"},
	})
}

// Texted writes that a customer received a text of a flow.
func (w *World) Texted(store, customer, id string, key flow.Key) {
	w.Helper()
	w.Write(w.Config.Topics.Messages(), store, customer, "rechargeflow.message", message.Change{
		ID: id, Store: store, RechargeCustomerID: customer, Flow: key, Cause: "cause", Change: 1, At: w.Now(), Status: message.Accepted,
		Triggers: []message.ChangeTrigger{{ID: "t", Flow: key, OccurredAt: w.Now(), Items: []string{"charge/1"}}},
	})
}

// Provider is an SMS provider.
type Provider struct {
	mutex  sync.Mutex
	sent   []sms.Message
	refuse error
	before func()
	failed error
}

func (p *Provider) send(ctx context.Context, m sms.Message) (sms.Receipt, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.before != nil {
		p.before()
	}
	p.failed = ctx.Err()
	p.sent = append(p.sent, m)
	return sms.Receipt{ProviderID: "provider-1"}, p.refuse
}

// Sent returns the texts that were sent.
func (p *Provider) Sent() []sms.Message {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return slices.Clone(p.sent)
}

// Before makes it call a function before each text that it takes.
func (p *Provider) Before(do func()) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.before = do
}

// Context returns why the last call had ended when the text was taken; nil if it had not.
func (p *Provider) Context() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.failed
}

// Refuse makes it refuse texts from now on; nil: accept.
func (p *Provider) Refuse(err error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.refuse = err
}

// Profiles are customers' profiles.
type Profiles struct {
	Mutex sync.Mutex
	// Set has the properties by the e-mail of a profile.
	Set map[string]map[string]bool
	// Before is called with each request; nil: nothing is.
	Before func(context.Context) error
}

// Update sets properties.
func (p *Profiles) Update(ctx context.Context, updates []membership.Update) ([]membership.Answer, error) {
	if p.Before != nil {
		if err := p.Before(ctx); err != nil {
			return nil, err
		}
	}
	p.Mutex.Lock()
	defer p.Mutex.Unlock()
	answers := make([]membership.Answer, len(updates))
	for i, u := range updates {
		email := u.CustomerIDs["registered"]
		if p.Set[email] == nil {
			p.Set[email] = map[string]bool{}
		}
		for name, is := range u.Properties {
			p.Set[email][name] = is
		}
		answers[i].Accepted = true
	}
	return answers, nil
}

// Of returns the properties of a profile.
func (p *Profiles) Of(email string) map[string]bool {
	p.Mutex.Lock()
	defer p.Mutex.Unlock()
	return p.Set[email]
}
