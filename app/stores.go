package app

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/profiles"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	members "github.com/rechargeflow/rechargeflow/pkg/membership"
	"github.com/rechargeflow/rechargeflow/pkg/seal"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// SwitchesOf returns what else triggers a store's texts.
func SwitchesOf(store config.Store) subscriber.Switches {
	return subscriber.Switches{
		PauseByDate: store.SMS.PauseByDate, ResumeByDate: store.SMS.ResumeByDate, FirstOrders: store.SMS.FirstOrders, NewAccounts: store.SMS.NewAccounts,
	}
}

// addClients adds to a part what its role has of each store: clients, state, tables.
func (a *App) addClients(p *part, cfg config.Config, options *pipeline.Options) error {
	switch p.role {
	case topology.RoleTransformer:
		return a.addTransformer(p, cfg, options)
	case topology.RoleTracking:
		return a.addTrackers(cfg, options)
	case topology.RoleSMS:
		return a.addTexts(p, cfg, options)
	}
	return nil
}

// addTrackers creates the clients of the stores' Bloomreach projects.
func (a *App) addTrackers(cfg config.Config, options *pipeline.Options) error {
	shared := budgets(cfg.Stores)
	for i, store := range cfg.Stores {
		if !store.Bloomreach.Enabled {
			continue
		}
		client, err := newTracker(store.Bloomreach, shared[store.Bloomreach.URL], a.observe("bloomreach", store.Name))
		if err != nil {
			return buildError(store, err)
		}
		options.Stores[i].Tracker = client
	}
	return nil
}

func buildError(store config.Store, err error) error {
	return fmt.Errorf("build store %s: %w", store.Name, err)
}

// budgets returns the budget of each address, which its stores share: the smallest limit, divided by the largest number of processes.
func budgets(stores []config.Store) map[string]*bloomreach.Budget {
	shared := map[string]config.Bloomreach{}
	for _, store := range stores {
		b, known := shared[store.Bloomreach.URL]
		if !known {
			b = store.Bloomreach
		}
		b.PerMinute, b.Replicas = min(b.PerMinute, store.Bloomreach.PerMinute), max(b.Replicas, store.Bloomreach.Replicas)
		shared[store.Bloomreach.URL] = b
	}
	of := make(map[string]*bloomreach.Budget, len(shared))
	for address, b := range shared {
		of[address] = bloomreach.NewBudget(b.PerMinute, b.Replicas)
	}
	return of
}

// described returns a store without its clients.
func described(store config.Store) pipeline.Store {
	return pipeline.Store{
		Settings: subscriber.Settings{
			Store:          store.Name,
			CustomerID:     subscriber.IDChoice(store.CustomerID),
			ActiveProperty: store.ActiveProperty,
			SMS:            store.SMS.Driver != config.SMSNone,
			Switches:       SwitchesOf(store),
			Currency:       store.Currency,
			Extras:         tracked(store, store.Bloomreach.Extras),
			Profile:        tracked(store, store.Bloomreach.Profile),
			Portal: subscriber.Portal{
				Template: store.Bloomreach.PortalURL, ShopURL: store.SMS.ShopURL, Key: seal.New(store.Bloomreach.PortalKey.Reveal(), "portal link"),
			},
		},
		CustomerIDName: store.Bloomreach.CustomerIDName, SecondIDName: store.Bloomreach.SecondIDName,
	}
}

// ProfileOf returns the profile at Bloomreach of a customer of a store, without ids for one whose id is unknown.
func ProfileOf(store config.Store) func(customerID, email string) members.Profile {
	built := described(store)
	return func(customerID, email string) members.Profile {
		ids, err := built.CustomerIDs(subscriber.Event{RechargeCustomerID: customerID, Email: email})
		if err != nil { // the id that the store uses is unknown
			return members.Profile{}
		}
		return members.Profile{ID: built.Settings.DestinationID(customerID, email), IDs: ids}
	}
}

func newTracker(b config.Bloomreach, budget *bloomreach.Budget, observe httpclient.Observer) (*bloomreach.Client, error) {
	return bloomreach.New(bloomreach.Config{
		BaseURL: b.URL, ProjectToken: b.Project.Reveal(), Auth: bloomreachAuth(b), Timeout: b.Timeout, Budget: budget, Observe: observe,
	})
}

func bloomreachAuth(b config.Bloomreach) bloomreach.Auth {
	if token := b.Token.Reveal(); token != "" {
		return bloomreach.PublicToken(token)
	}
	return bloomreach.PrivateKey(b.KeyID, b.Secret.Reveal())
}

// SinksOf returns the sinks that a store uses.
func SinksOf(store config.Store) (roles []topology.Role) {
	if store.Bloomreach.Enabled {
		roles = append(roles, topology.RoleTracking)
	}
	if store.SMS.Driver != config.SMSNone {
		roles = append(roles, topology.RoleSMS)
	}
	return roles
}

// logStores logs what the process does for each of stores: whether customers are looked up and registrations checked, where events go and with which ids, how texts are sent,
// and where Recharge sends webhooks. Which flows are active is logged when they are read.
func (a *App) logStores(stores []config.Store) {
	for _, store := range stores {
		fields := []zap.Field{zap.String("store", store.Name), zap.String("customer_id", store.CustomerID)}
		if a.has(topology.RoleTransformer) {
			fields = append(fields, zap.Bool("recharge_api", store.Recharge.Token != ""), zap.String("registrations", registrationsOf(store)))
		}
		if a.has(topology.RoleTracking) {
			fields = append(fields, zap.String("bloomreach", bloomreachHost(store.Bloomreach)), zap.String("customer_id_name", store.Bloomreach.CustomerIDName),
				zap.String("second_id_name", store.Bloomreach.SecondIDName), zap.Strings("extras", tracked(store, store.Bloomreach.Extras)))
		}
		if a.has(topology.RoleSMS) {
			fields = append(fields, zap.String("sms_driver", cmp.Or(store.SMS.Driver, "none")), zap.String("sms_consent", store.SMS.Consent))
		}
		if a.has(topology.RoleGateway) {
			fields = append(fields, zap.String("webhook_url", cmp.Or(store.Recharge.WebhookURL, "not set")))
		}
		a.log.Info("store configured", fields...)
	}
}

func bloomreachHost(b config.Bloomreach) string {
	if !b.Enabled {
		return "disabled"
	}
	return hostOf(b.URL)
}

// tracked returns a list of what a store tracks, nil if it tracks nothing.
func tracked(store config.Store, list []string) []string {
	if !store.Bloomreach.Enabled {
		return nil
	}
	return list
}

// ServiceOf returns what the service of the console knows from a configuration: stores, brokers, topics. A command needs no more.
func ServiceOf(cfg config.Config, cluster kafka.Cluster, log *zap.Logger, now func() time.Time) (service.Config, error) {
	known := service.Config{
		Cluster: cluster, Topics: topology.Topics{Prefix: cfg.Kafka.TopicPrefix}, Partitions: PartitionCount(cfg.Kafka), Settings: Settings(cfg.Kafka), Log: log, Now: now,
	}
	for _, store := range cfg.Stores {
		served, err := serviceStore(store, log)
		if err != nil {
			return known, buildError(store, err)
		}
		known.Stores = append(known.Stores, served)
	}
	return known, nil
}

// serviceStore returns a store as the console's service knows it.
func serviceStore(store config.Store, log *zap.Logger) (service.Store, error) {
	sends, err := TextsOf(store)
	if err != nil {
		return service.Store{}, err
	}
	provider := providerOf(store)
	served := service.Store{
		Name: store.Name, Texts: store.SMS.Driver != config.SMSNone, Currency: store.Currency, TimeZone: store.SMS.TimeZone, Region: store.SMS.DefaultRegion,
		Shop: ShopOf(store), Sends: *sends, Asks: consent.Mode(store.SMS.Consent), Driver: cmp.Or(store.SMS.Driver, config.SMSNone), DryRun: provider.dryRun,
	}
	if provider.driver != nil {
		served.Send = sendOne(provider, log)
	}
	if store.Bloomreach.Enabled {
		served.Destination = "Bloomreach"
		served.Profiles = &service.Profiles{
			Settings: profileSettings(store),
			Of:       ProfileOf(store), Former: FormerIDs(store),
			Destination: profiles.Updates{Client: sync.OnceValues(func() (profiles.Client, error) { return TrackerOf(store) })},
		}
	}
	return served, nil
}

// profileSettings are what decides to which profiles, and with which credentials, a store sends; not how fast.
func profileSettings(store config.Store) any {
	b := store.Bloomreach
	return []any{store.CustomerID, b.URL, b.Project, b.KeyID, b.Secret, b.Token, b.CustomerIDName, b.SecondIDName}
}

// sendOne returns what sends one text. The driver is built when it is needed: a command may lack its credentials.
func sendOne(provider smsProvider, log *zap.Logger) func(context.Context, sms.Message) (sms.Receipt, error) {
	driver := sync.OnceValues(func() (sms.Driver, error) { return provider.driver(log, nil) })
	return func(ctx context.Context, m sms.Message) (sms.Receipt, error) {
		built, err := driver()
		if err != nil {
			return sms.Receipt{}, &sms.SendError{Class: sms.Config, Code: "not_configured", Err: err}
		}
		return built.Send(ctx, m)
	}
}
