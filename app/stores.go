package app

import (
	"cmp"
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/callback"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/ledger/sqlite"
	"github.com/rechargeflow/rechargeflow/pkg/lookup"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/logdriver"
	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// options creates the clients that the roles need for each store, and opens the ledger.
func (a *App) options(ctx context.Context) (pipeline.Options, error) {
	var options pipeline.Options
	a.apiClients = map[string]lookup.Client{}
	for _, store := range a.cfg.Stores {
		built, err := a.store(store)
		if err != nil {
			return options, fmt.Errorf("build store %s: %w", store.Name, err)
		}
		options.Stores = append(options.Stores, built)
	}
	if a.has(pipeline.RoleSMS) {
		texts, err := sqlite.Open(ctx, a.cfg.Ledger.Path, ledger.Options{Sole: true})
		if err != nil {
			return options, err
		}
		a.onClose("close ledger", texts.Close)
		options.Ledger = texts
	}
	return options, nil
}

// store creates the clients of a store. A role's own secrets need not be configured where the role does not run.
func (a *App) store(store config.Store) (pipeline.Store, error) {
	built := pipeline.Store{Settings: subscriber.Settings{
		Store:          store.Name,
		CustomerID:     subscriber.IDChoice(store.CustomerID),
		ActiveProperty: store.ActiveProperty,
		SMS:            store.SMS.Driver != config.SMSNone,
	}}
	if token := store.Recharge.Token.Reveal(); token != "" && a.has(pipeline.RoleTransformer) {
		client, err := recharge.NewClient(recharge.ClientConfig{
			BaseURL: store.Recharge.APIURL, Token: token, Observe: a.observe("recharge", store.Name),
		})
		if err != nil {
			return built, err
		}
		a.apiClients[store.Name], built.Settings.API = traced{client}, true
	}
	if store.Bloomreach.Enabled && a.has(pipeline.RoleTracking) {
		client, err := bloomreach.New(bloomreach.Config{
			BaseURL: store.Bloomreach.URL, ProjectToken: store.Bloomreach.Project.Reveal(),
			Auth: bloomreachAuth(store.Bloomreach), Timeout: store.Bloomreach.Timeout,
			Observe: a.observe("bloomreach", store.Name),
		})
		if err != nil {
			return built, err
		}
		built.Tracker, built.CustomerIDName = client, store.Bloomreach.CustomerIDName
	}
	if built.Settings.SMS && a.has(pipeline.RoleSMS) {
		texts, err := a.texts(store)
		if err != nil {
			return built, err
		}
		built.Texts = &texts
	}
	return built, nil
}

func bloomreachAuth(b config.Bloomreach) bloomreach.Auth {
	if token := b.Token.Reveal(); token != "" {
		return bloomreach.PublicToken(token)
	}
	return bloomreach.PrivateKey(b.KeyID, b.Secret.Reveal())
}

func (a *App) texts(store config.Store) (pipeline.Texts, error) {
	texts := pipeline.Texts{
		Shop: ShopOf(store), Flow: a.flows.of(store.Name), From: store.SMS.From, DefaultRegion: store.SMS.DefaultRegion,
	}
	var err error
	texts.Driver, err = a.driver(store)
	return texts, err
}

func (a *App) driver(store config.Store) (sms.Driver, error) {
	if store.SMS.Driver == config.SMSWebhook {
		return webhook.New(webhook.Options{
			URL: store.SMS.URL, Secret: store.SMS.Secret.Reveal(), Timeout: store.SMS.Timeout,
			Observe: a.observe("sms", store.Name),
		})
	}
	return logdriver.New(a.log), nil
}

// callbackStores returns the stores whose driver has callbacks.
func (a *App) callbackStores() map[string]callback.Store {
	stores := map[string]callback.Store{}
	for _, store := range a.cfg.Stores {
		if store.SMS.Driver != config.SMSWebhook {
			continue
		}
		built := callback.Store{Provider: store.SMS.Driver}
		if secret := store.SMS.Secret.Reveal(); secret != "" {
			built.Receiver = webhook.NewReceiver(store.Name, secret)
		}
		stores[store.Name] = built
	}
	return stores
}

// sinksOf returns the sinks that a store uses.
func sinksOf(store config.Store) (roles []pipeline.Role) {
	if store.Bloomreach.Enabled {
		roles = append(roles, pipeline.RoleTracking)
	}
	if store.SMS.Driver != config.SMSNone {
		roles = append(roles, pipeline.RoleSMS)
	}
	return roles
}

// logStores logs what the process does for each store: whether customers are looked up, where events go, and how texts are sent.
func (a *App) logStores(built []pipeline.Store) {
	for i, store := range a.cfg.Stores {
		fields := []zap.Field{zap.String("store", store.Name), zap.String("customer_id", store.CustomerID)}
		if a.has(pipeline.RoleTransformer) {
			fields = append(fields, zap.Bool("recharge_api", built[i].Settings.API))
		}
		if a.has(pipeline.RoleTracking) {
			fields = append(fields, zap.String("bloomreach", bloomreachHost(store.Bloomreach)))
		}
		if a.has(pipeline.RoleSMS) {
			fields = append(fields, zap.String("sms_driver", cmp.Or(store.SMS.Driver, "none")))
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
